/*
 * Which system call a seccomp filter killed a process for: the parent of a killed process is not told, the
 * kernel's audit records say it. They are heard on the audit multicast group, or read from the kernel's log
 * where that is out of reach (another network namespace). Where neither is there, nothing is known.
 */
#ifndef WEIR_CLI_AUDIT_H
#define WEIR_CLI_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct audit;

/* Opens what can be opened; never NULL. Needs CAP_AUDIT_READ and CAP_SYSLOG now, not later. */
struct audit *audit_new(void);
void audit_free(struct audit **a);
/* The system call that a process of this uid was killed for last, as "system call 41 (socket)", into out.
 * Reads what has come in, waiting at most wait_ms for it. False where the kernel did not tell. Each record is
 * told once. */
bool audit_killed_by(struct audit *a, uid_t uid, int wait_ms, char *out, size_t size);

/* The next system call that a filter would have refused and that was only logged (sandbox.enforce: no), and
 * whose it was. False: none is known. Reads what has come in. */
bool audit_logged(struct audit *a, uid_t *uid, char *out, size_t size);

struct audit_record {
	uid_t uid;
	uint32_t arch;
	int number;
	bool logged; /* not killed */
};
/* Takes one record's text apart ("... uid=1 ... sig=31 arch=c000003e syscall=41 ... code=0x80000000"). False
 * where it is neither of a kill nor of a call that was only logged. */
bool audit_parse(const char *text, struct audit_record *r);

#endif
