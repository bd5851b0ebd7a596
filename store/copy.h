/*
 * The errand of `weir backup`: a copy of the database in the working directory, all of it as of one moment,
 * while another process writes it. Segments that are not written any more may have been linked into the
 * directory beforehand.
 */
#ifndef WEIR_STORE_COPY_H
#define WEIR_STORE_COPY_H

/* Copies into the directory `to`, tells into told (ipc/errand.h), and returns the status to exit with. Call
 * before the sandbox, which it enters. */
int copy_errand(int told, int to);
/* The same without the sandbox. */
int copy_database(int told, int to);

#endif
