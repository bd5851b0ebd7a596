/*
 * The errand of `weir store check`: every byte of a database, of one that another process is writing too.
 * Nothing is written but a place in the lock files, and no read transaction on what is written outlives one
 * block or a thousand entries.
 */
#ifndef WEIR_STORE_CHECK_H
#define WEIR_STORE_CHECK_H

/* Checks the database in the working directory, tells findings into told (ipc/errand.h), and returns the
 * status to exit with. Call before the sandbox, which it enters. */
int check_errand(int told);
/* The same without the sandbox. */
int check_database(int told);

#endif
