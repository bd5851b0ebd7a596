/*
 * The system calls of every process, for an auditor to read in one place. Default: the process is killed.
 *
 * Nowhere: open (but store and authd, below their own directory), socket, connect, exec, fork, ptrace, mount,
 * prctl with anything but a thread's name, memory that is executable.
 */
#include "sandbox/profiles.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/if_packet.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/mem.h"

/* clang-format off */
#define CALL(name)                { SCMP_SYS(name), { { 0, SANDBOX_ANY, 0 }, { 0, SANDBOX_ANY, 0 } }, false }
#define CALL1(name, a, cmp, v)    { SCMP_SYS(name), { { a, cmp, v }, { 0, SANDBOX_ANY, 0 } }, false }
#define CALL2(name, a, cmpa, va, b, cmpb, vb) { SCMP_SYS(name), { { a, cmpa, va }, { b, cmpb, vb } }, false }
#define NOT_DONE(name)            { SCMP_SYS(name), { { 0, SANDBOX_ANY, 0 }, { 0, SANDBOX_ANY, 0 } }, true }

const struct sandbox_call sandbox_common[] = {
	/* the loop and its timers */
	CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2), CALL(epoll_ctl), CALL(poll), CALL(ppoll),
	CALL(timerfd_settime), CALL(clock_gettime), CALL(clock_nanosleep), CALL(nanosleep), CALL(gettimeofday), CALL(time),
	/* descriptors that are open already */
	CALL(read), CALL(readv), CALL(close), CALL(fstat), CALL(lseek),
	CALL2(newfstatat, 0, SANDBOX_ANY, 0, 3, SANDBOX_EQUAL, AT_EMPTY_PATH),
	CALL1(fcntl, 1, SANDBOX_EQUAL, F_GETFL), CALL1(fcntl, 1, SANDBOX_EQUAL, F_SETFL),
	CALL1(fcntl, 1, SANDBOX_EQUAL, F_GETFD), CALL1(fcntl, 1, SANDBOX_EQUAL, F_SETFD),
	CALL(shutdown), CALL(recvmsg), CALL(recvfrom),
	/* memory, never executable */
	CALL1(mmap, 2, SANDBOX_MASKED_ZERO, PROT_EXEC), CALL1(mprotect, 2, SANDBOX_MASKED_ZERO, PROT_EXEC),
	CALL(munmap), CALL(mremap), CALL(madvise), CALL(brk),
	/* threads and signals of our own */
	CALL(futex), CALL(sched_yield), CALL(set_robust_list), CALL(rseq), CALL(gettid), CALL(getpid), CALL(getuid), CALL(geteuid),
	CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(sigaltstack), CALL(restart_syscall),
	CALL(getrandom), CALL(exit), CALL(exit_group),
	CALL1(prctl, 0, SANDBOX_EQUAL, PR_SET_NAME),
	CALL1(prctl, 0, SANDBOX_EQUAL, 0x53564d41 /* PR_SET_VMA: glibc names its arenas */),
};
const size_t sandbox_common_count = ARRAY_LEN(sandbox_common);

const struct sandbox_call sandbox_sending[] = {
	CALL(write), CALL(writev),
	/* only on connected sockets: a null address */
	CALL1(sendto, 4, SANDBOX_EQUAL, 0),
};
const size_t sandbox_sending_count = ARRAY_LEN(sandbox_sending);

/* Every process that takes connections of peers and passes descriptors to them. */
#define PEERS \
	CALL(accept4), CALL1(getsockopt, 1, SANDBOX_EQUAL, SOL_SOCKET), \
	CALL(memfd_create), CALL(ftruncate), CALL1(fcntl, 1, SANDBOX_EQUAL, F_ADD_SEALS), CALL1(fcntl, 1, SANDBOX_EQUAL, F_GET_SEALS)

/* By the socket of its interface it could send what it likes to the network that it watches: it is above SANDBOX_OUTSIDE. */
static const struct sandbox_call capture_calls[] = {
	PEERS, CALL1(sendmsg, 0, SANDBOX_BELOW, SANDBOX_OUTSIDE),
	CALL2(getsockopt, 1, SANDBOX_EQUAL, SOL_PACKET, 2, SANDBOX_EQUAL, PACKET_STATISTICS),
	/* whether the interface is still there, the same one, and up */
	CALL1(ioctl, 1, SANDBOX_EQUAL, SIOCGIFINDEX), CALL1(ioctl, 1, SANDBOX_EQUAL, SIOCGIFFLAGS),
};
const struct sandbox sandbox_capture = {
	.name = "weir-capture", .calls = capture_calls, .ncalls = ARRAY_LEN(capture_calls), .files = 512, .threads = true,
	.file_size = UINT64_C(1) << 33, /* memfds of rings count as files */
	.mute = true,
};

/* A capture process that has a file: it reads what it inherited, and there is no interface to ask after. */
static const struct sandbox_call capture_file_calls[] = {
	PEERS, CALL(sendmsg),
};
const struct sandbox sandbox_capture_file = {
	.name = "weir-capture/file", .calls = capture_file_calls, .ncalls = ARRAY_LEN(capture_file_calls), .files = 512,
	.file_size = UINT64_C(1) << 33,
};

/* sendmsg hands over the page of a ring. A filter cannot see the destination in a msghdr, but it sees the descriptor: sockets
 * that could reach a stranger (collectors) are inherited at SANDBOX_OUTSIDE and above. */
static const struct sandbox_call engine_calls[] = {
	PEERS, CALL1(sendmsg, 0, SANDBOX_BELOW, SANDBOX_OUTSIDE),
};
const struct sandbox sandbox_engine = {
	.name = "weir-engine", .calls = engine_calls, .ncalls = ARRAY_LEN(engine_calls), .files = 512,
	.file_size = UINT64_C(1) << 33,
};

/* LMDB: pwrite of pages, fdatasync, and locks of its lock file; all files were opened before. */
#define DATABASE \
	CALL(pread64), CALL(pwrite64), CALL(pwritev), CALL(fdatasync), CALL(fsync), CALL(msync), CALL(ftruncate), CALL(fallocate), \
	CALL1(fcntl, 1, SANDBOX_EQUAL, F_SETLK), CALL1(fcntl, 1, SANDBOX_EQUAL, F_SETLKW), CALL1(fcntl, 1, SANDBOX_EQUAL, F_GETLK), \
	CALL(fstatfs)

/*
 * Store makes, opens and deletes segments as it goes: Landlock holds it below its own directory. A file is opened only to be
 * read or written (no O_PATH, no O_TMPFILE, nothing that truncates), named from the working directory. LMDB asks which kernel
 * this is when it opens one.
 */
#define OPEN_FLAGS (O_WRONLY | O_RDWR | O_CREAT | O_DIRECTORY | O_CLOEXEC | O_DSYNC)
#define HERE ((uint32_t)AT_FDCWD)

static const struct sandbox_call store_calls[] = {
	PEERS, CALL(sendmsg), DATABASE,
	CALL2(openat, 0, SANDBOX_EQUAL_32, HERE, 2, SANDBOX_MASKED_ZERO, ~(uint32_t)OPEN_FLAGS),
	CALL2(unlinkat, 0, SANDBOX_EQUAL_32, HERE, 2, SANDBOX_EQUAL, 0),
	CALL2(newfstatat, 0, SANDBOX_EQUAL_32, HERE, 3, SANDBOX_EQUAL, AT_SYMLINK_NOFOLLOW),
	CALL(uname),
	/* threads that look through history step back behind the loop */
	CALL2(getpriority, 0, SANDBOX_EQUAL_32, PRIO_PROCESS, 1, SANDBOX_EQUAL_32, 0),
	CALL2(setpriority, 0, SANDBOX_EQUAL_32, PRIO_PROCESS, 1, SANDBOX_EQUAL_32, 0),
};
const struct sandbox sandbox_store = {
	.name = "weir-store", .calls = store_calls, .ncalls = ARRAY_LEN(store_calls), .files = 512, .threads = true,
	.own_directory = true, .file_size = UINT64_C(1) << 45,
};

/* Store on an errand of `weir store check`: it opens what is there and says what it finds into a pipe. A reader of a database that
 * is written has a place in its lock file. */
static const struct sandbox_call check_calls[] = {
	DATABASE,
	CALL2(openat, 0, SANDBOX_EQUAL_32, HERE, 2, SANDBOX_MASKED_ZERO, ~(uint32_t)OPEN_FLAGS),
	CALL2(newfstatat, 0, SANDBOX_EQUAL_32, HERE, 3, SANDBOX_EQUAL, AT_SYMLINK_NOFOLLOW),
	CALL(getdents64), CALL(uname),
};
const struct sandbox sandbox_check = {
	.name = "weir-store/check", .calls = check_calls, .ncalls = ARRAY_LEN(check_calls), .files = 64,
	.own_directory = true, .file_size = UINT64_C(1) << 20, /* of a lock file */
};

/* Store or authd on an errand of `weir backup`: from its own directory into the one at descriptor 5 (BOOT_FD_COPY), in which it
 * makes files and reads what it made. */
#define COPY_TO 5
static const struct sandbox_call copy_calls[] = {
	DATABASE,
	CALL2(openat, 0, SANDBOX_EQUAL_32, HERE, 2, SANDBOX_MASKED_ZERO, ~(uint32_t)OPEN_FLAGS),
	CALL2(openat, 0, SANDBOX_EQUAL_32, COPY_TO, 2, SANDBOX_MASKED_ZERO, ~(uint32_t)(OPEN_FLAGS | O_EXCL)),
	CALL2(unlinkat, 0, SANDBOX_EQUAL_32, COPY_TO, 2, SANDBOX_EQUAL, 0),
	CALL2(newfstatat, 0, SANDBOX_EQUAL_32, HERE, 3, SANDBOX_EQUAL, AT_SYMLINK_NOFOLLOW),
	CALL2(newfstatat, 0, SANDBOX_EQUAL_32, COPY_TO, 3, SANDBOX_EQUAL, AT_SYMLINK_NOFOLLOW),
	CALL(fchdir), CALL(getdents64), CALL(uname),
};
const struct sandbox sandbox_copy = {
	.name = "weir/copy", .calls = copy_calls, .ncalls = ARRAY_LEN(copy_calls), .files = 64,
	.own_directory = true, .other_directory = COPY_TO, .file_size = UINT64_C(1) << 45,
};

static const struct sandbox_call authd_calls[] = {
	PEERS, CALL(sendmsg), DATABASE,
};
const struct sandbox sandbox_authd = {
	.name = "weir-authd", .calls = authd_calls, .ncalls = ARRAY_LEN(authd_calls), .files = 256,
	.own_directory = true, .file_size = UINT64_C(1) << 30,
};

/* weir audit verify: reads a database that was opened before, and prints. */
static const struct sandbox_call audit_calls[] = {
	DATABASE,
};
const struct sandbox sandbox_audit = {
	.name = "weir audit", .calls = audit_calls, .ncalls = ARRAY_LEN(audit_calls), .files = 64,
};

/* Computes password hashes for authd: a socketpair and memory, nothing beside the common calls. */
const struct sandbox sandbox_hasher = {
	.name = "weir-authd/hash", .calls = NULL, .ncalls = 0, .files = 8,
};

/* sendmsg: to the peers, as every process; none of its sockets is unconnected, and none can be made. pread64: of a certificate that
 * the launcher hands over. */
static const struct sandbox_call httpd_calls[] = {
	CALL(accept4), CALL(pread64), CALL1(getsockopt, 1, SANDBOX_EQUAL, SOL_SOCKET), CALL(getpeername), CALL(sendmsg),
	CALL1(ioctl, 1, SANDBOX_EQUAL, FIONREAD),
};
const struct sandbox sandbox_httpd = {
	.name = "weir-httpd", .calls = httpd_calls, .ncalls = ARRAY_LEN(httpd_calls), .files = 101000,
};

/* It signs what comes on its channels. pread64: of another key, which the launcher hands over; its memory for keys was locked before. */
static const struct sandbox_call key_calls[] = {
	CALL(accept4), CALL(pread64), CALL1(getsockopt, 1, SANDBOX_EQUAL, SOL_SOCKET), CALL(sendmsg),
};
const struct sandbox sandbox_key = {
	.name = "weir-key", .calls = key_calls, .ncalls = ARRAY_LEN(key_calls), .files = 64,
};

/* Forked by the launcher to look into the files of a certificate, which it has open: it says what came of it into a pipe. */
static const struct sandbox_call certificate_calls[] = {
	CALL(pread64),
};
const struct sandbox sandbox_certificate = {
	.name = "weir/certificate", .calls = certificate_calls, .ncalls = ARRAY_LEN(certificate_calls), .files = 8, .may_be_root = true,
};

/* It may make datagram sockets of the Internet and send by them: to name servers, anew now and then so that the port of a question
 * cannot be guessed. And it connects: where to, it holds against root's configuration; what comes in goes to others unread. */
#define DATAGRAM (SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK)
#define STREAM   (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)
static const struct sandbox_call dial_calls[] = {
	CALL(accept4), CALL1(getsockopt, 1, SANDBOX_EQUAL, SOL_SOCKET), CALL(sendmsg),
	CALL2(socket, 0, SANDBOX_EQUAL, AF_INET, 1, SANDBOX_EQUAL, DATAGRAM),
	CALL2(socket, 0, SANDBOX_EQUAL, AF_INET6, 1, SANDBOX_EQUAL, DATAGRAM),
	CALL2(socket, 0, SANDBOX_EQUAL, AF_INET, 1, SANDBOX_EQUAL, STREAM),
	CALL2(socket, 0, SANDBOX_EQUAL, AF_INET6, 1, SANDBOX_EQUAL, STREAM),
	CALL(sendto), CALL(connect), /* to whom it wants: that is its work */
};
const struct sandbox sandbox_dial = {
	.name = "weir-dial", .calls = dial_calls, .ncalls = ARRAY_LEN(dial_calls), .files = 128,
};

/*
 * Directory forks a process for each attempt to ask a server, which has a filter of its own, and kills it at its deadline. Whom it
 * can signal is who has its user: those processes only. seccomp: to narrow what a child may.
 */
static const struct sandbox_call directory_calls[] = {
	PEERS, CALL(sendmsg), CALL(pread64),
	CALL(pipe2), CALL(wait4), CALL(kill), CALL(getppid),
	CALL1(prctl, 0, SANDBOX_EQUAL, PR_SET_PDEATHSIG), CALL1(prctl, 0, SANDBOX_EQUAL, PR_SET_NO_NEW_PRIVS),
	CALL1(seccomp, 0, SANDBOX_EQUAL, 1 /* SECCOMP_SET_MODE_FILTER */), CALL(close_range), CALL(dup2), CALL(dup3), /* arm64 has no dup2 */
	/* to talk with such a process, and what libcurl wakes itself by, which it makes before the process is narrowed */
	CALL1(socketpair, 0, SANDBOX_EQUAL, AF_UNIX), CALL(eventfd2),
	/* what it may itself, below */
	CALL(getpeername), CALL(getsockname), NOT_DONE(connect),
};
const struct sandbox sandbox_directory = {
	.name = "weir-directory", .calls = directory_calls, .ncalls = ARRAY_LEN(directory_calls), .files = 256,
	.forks = true, .processes = 128, .file_size = UINT64_C(1) << 23, /* of sealed memory */
};

/* One attempt: it speaks LDAP on a connection that is open, and says what came of it into a pipe. */
const struct sandbox sandbox_attempt = {
	.name = "weir-directory/attempt", .calls = NULL, .ncalls = 0, .files = 0,
};

/* One question about an OpenID Connect provider: HTTP on connections that it is handed. Keys come in sealed memory, and libcurl asks
 * who is at the ends of a connection, and whether it has an error. Versions of it (7.88) connect a socket that they were told is
 * connected: they are told that it is done. */
static const struct sandbox_call oidc_calls[] = {
	CALL1(fcntl, 1, SANDBOX_EQUAL, F_GET_SEALS), CALL(pread64), CALL(getpeername), CALL(getsockname),
	CALL2(getsockopt, 1, SANDBOX_EQUAL, SOL_SOCKET, 2, SANDBOX_EQUAL, SO_ERROR), NOT_DONE(connect),
};
const struct sandbox sandbox_oidc = {
	.name = "weir-directory/oidc", .calls = oidc_calls, .ncalls = ARRAY_LEN(oidc_calls), .files = 0,
};
