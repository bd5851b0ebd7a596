/* Names of system calls. */
#ifndef WEIR_CLI_SYSCALL_NAME_H
#define WEIR_CLI_SYSCALL_NAME_H

#include <stddef.h>
#include <stdint.h>

/* "socket" for a number of the audit architecture arch (AUDIT_ARCH_*), into out; "" where it has no name.
 * Returns out. */
const char *syscall_name(uint32_t arch, int number, char *out, size_t size);

#endif
