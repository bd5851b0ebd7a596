/*
 * Memory for secrets: never swapped, never in a core. Where the kernel will not lock it, authd does not
 * start.
 *
 * Locked are: keys (grants, the audit log), the queue of passwords, tickets, and the stack, on which secrets
 * stand while they are in use (codes and secrets of second factors, cookies, tokens, what was decoded of an
 * account). Together they stay far below the 8 MiB that most systems let a process lock. What argon2 computes
 * with (authd.password_memory, 64 MiB) is more than that and is not locked: nobody can tell a password from
 * it faster than by guessing, and it is unmapped after each hash.
 */
#ifndef WEIR_AUTHD_LOCKED_H
#define WEIR_AUTHD_LOCKED_H

#include <stddef.h>

/* Zeroed, locked pages; never given back (wipe them with sodium_memzero). Before the sandbox. Dies where they
 * cannot be locked. */
void *locked_pages(size_t bytes);

#define LOCKED_STACK_BYTES (512u << 10)
/* Locks the stack below the caller, so deep: once in init, where it is called from no deeper than what runs
 * later. Dies where it cannot be locked. */
void locked_stack(void);

#endif
