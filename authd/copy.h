/*
 * The errand of `weir backup`: accounts, audit log and its key, as of one moment, while another authd goes
 * on.
 */
#ifndef WEIR_AUTHD_COPY_H
#define WEIR_AUTHD_COPY_H

/* Copies what is in the working directory into the directory `to`, tells into told (ipc/errand.h), and
 * returns the status to exit with. Call before the sandbox, which it enters. */
int copy_errand(int told, int to);
/* The same without the sandbox. */
int copy_accounts(int told, int to);

#endif
