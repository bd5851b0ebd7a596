/*
 * The wall around a process: takes a profile, applies it, or dies. It is the last line of init.
 *
 * Applied in this order: refusal where anything is wrong already (root, a second thread in /proc/self/task),
 * no capabilities in any set, no new privileges, rlimits, Landlock (ABI 1: no file system but the profile's
 * own directory), then seccomp with an explicit list whose default kills the process. clone3 answers ENOSYS;
 * clone is allowed with exactly the flags of a thread, and only where the profile has threads, or of a fork,
 * where it forks. Threads start afterwards and inherit everything.
 */
#ifndef WEIR_SANDBOX_SANDBOX_H
#define WEIR_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sandbox_compare {
	SANDBOX_ANY,
	SANDBOX_EQUAL,
	SANDBOX_BELOW,
	SANDBOX_MASKED_ZERO, /* no bit of value is set */
	SANDBOX_EQUAL_32     /* the lower half: of an int, whose upper half is anything */
};

/* One system call that is allowed, and what one or two of its arguments must be. */
struct sandbox_call {
	int number;
	struct {
		unsigned arg;
		enum sandbox_compare compare;
		uint64_t value;
	} check[2];
	bool not_done; /* it is answered as if it had been done */
};

struct sandbox {
	const char *name;
	const struct sandbox_call *calls; /* beside the common ones: sandbox/profiles.c */
	size_t ncalls;
	unsigned files; /* RLIMIT_NOFILE */
	bool threads;
	bool forks;          /* may make processes, which inherit everything: at most that many of its user */
	unsigned processes;  /* RLIMIT_NPROC, where it forks */
	bool own_directory;  /* may read and write below its working directory (BOOT_FD_DIRECTORY) */
	int other_directory; /* and below the directory that this descriptor is of; 0: none */
	uint64_t file_size;  /* RLIMIT_FSIZE; 0: may not make a file longer at all */
	bool may_be_root;    /* by name: it was forked by a root that has no rights, and can become nobody */
	bool mute;           /* sends nothing by descriptors of SANDBOX_OUTSIDE and above */
};

/* Sockets that reach strangers (an interface) are opened at this number and above: a filter sees the number,
 * and nothing inside can give a descriptor another one. */
#define SANDBOX_OUTSIDE 128

/* One profile a process, all in sandbox/profiles.c. */
extern const struct sandbox sandbox_capture, sandbox_capture_file, sandbox_engine, sandbox_store,
    sandbox_authd, sandbox_hasher, sandbox_httpd, sandbox_dial, sandbox_audit, sandbox_check, sandbox_copy,
    sandbox_directory, sandbox_attempt, sandbox_oidc, sandbox_key, sandbox_certificate;

/* Never returns without every wall in place: dies with a line that says which one could not be had. */
void sandbox_enter(const struct sandbox *s);

/* For a process that was forked within: narrows its filter to this profile's, for good. The other walls stay
 * as they are. Dies where it cannot. */
void sandbox_narrow(const struct sandbox *s);

/* For diagnosis, before the walls: filters of system calls that are set from now on by this process and its
 * children refuse nothing, the kernel only logs what they would have. All other walls stay. */
void sandbox_only_log(void);

/* The filter of system calls that a profile has on an architecture (SCMP_ARCH_*, 0: this one), as
 * libseccomp's pseudo filter code, for an auditor: into fd. False where there can be none. */
bool sandbox_export(const struct sandbox *s, uint32_t arch, int fd);

/* Loads what libraries would otherwise open lazily inside (time zone, locale, random): call early in init. */
void sandbox_warm(void);

#endif
