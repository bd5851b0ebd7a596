#include "hasher.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "locked.h"
#include "sandbox/sandbox.h"

#define HASHER_SOCKET 3

static bool
make(char out[static PASSWORD_HASH_MAX], const char *password, const struct hash_cost *cost)
{
	return crypto_pwhash_str_alg(out, password, strlen(password), cost->passes, cost->memory,
				     crypto_pwhash_ALG_ARGON2ID13) == 0;
}

/* Where no memory can be had the hash is not judged: libsodium says so by errno alone. */
static enum hash_verdict
verify(const char *hash, const char *password)
{
	errno = 0;
	if (crypto_pwhash_str_verify(hash, password, strlen(password)) == 0)
		return HASH_MATCH;
	return errno == EINVAL ? HASH_MISMATCH : HASH_FAILED;
}

static void
answer(const struct hash_request *q, const char *nobody, const struct hash_cost *cost, struct hash_answer *a)
{
	memset(a, 0, sizeof(*a));
	a->serial = q->serial;
	if (q->kind == HASH_MAKE) {
		a->verdict = make(a->hash, q->password, cost) ? HASH_MADE : HASH_FAILED;
		return;
	}
	a->verdict = verify(q->hash[0] == '\0' ? nobody : q->hash, q->password);
	if (q->hash[0] == '\0' && a->verdict == HASH_MATCH)
		a->verdict = HASH_MISMATCH;
	if (a->verdict == HASH_MATCH &&
	    crypto_pwhash_str_needs_rehash(q->hash, cost->passes, cost->memory) != 0 &&
	    !make(a->hash, q->password, cost))
		memset(a->hash, 0, sizeof(a->hash));
}

static bool
request_good(const struct hash_request *q, ssize_t n)
{
	return n == (ssize_t)sizeof(*q) && (q->kind == HASH_MAKE || q->kind == HASH_VERIFY) &&
	       memchr(q->password, 0, sizeof(q->password)) != NULL &&
	       memchr(q->hash, 0, sizeof(q->hash)) != NULL;
}

/* What an unknown user's password is compared with, so that it takes as long as a known one's. */
static void
draw_nobody(char out[static PASSWORD_HASH_MAX], const struct hash_cost *cost)
{
	uint8_t bytes[32];
	char password[2 * sizeof(bytes) + 1];

	randombytes_buf(bytes, sizeof(bytes));
	(void)sodium_bin2hex(password, sizeof(password), bytes, sizeof(bytes));
	if (!make(out, password, cost))
		fatalx("no %zu bytes of memory for one password hash: lower authd.password_memory",
		       cost->memory);
}

static _Noreturn void
serve(struct hash_request *q, const struct hash_cost *cost)
{
	char nobody[PASSWORD_HASH_MAX];
	struct hash_answer a;
	ssize_t n;

	draw_nobody(nobody, cost);
	while ((n = read(HASHER_SOCKET, q, sizeof(*q))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (!request_good(q, n))
			fatalx("authd sent a request of %zd bytes that cannot be", n);
		answer(q, nobody, cost, &a);
		sodium_memzero(q, sizeof(*q));
		if (write(HASHER_SOCKET, &a, sizeof(a)) != (ssize_t)sizeof(a))
			break;
		sodium_memzero(&a, sizeof(a));
	}
	_exit(0);
}

static _Noreturn void
become_hasher(unsigned number, int sock, const struct hash_cost *cost)
{
	struct hash_request *q = locked_pages(sizeof(*q));
	char name[32];

	locked_stack(); /* locks are not inherited */
	(void)snprintf(name, sizeof(name), "weir-authd/hash@%u", number);
	log_init(name, LOG_LEVEL_INFO);
	/* authd's end is ours: the signal that stops authd must not make it look as if we had died of
	 * something. */
	if (signal(SIGTERM, SIG_IGN) == SIG_ERR || prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
	    prctl(PR_SET_NAME, "weir-hash") == -1)
		fatal("cannot set up the process");
	if (sock != HASHER_SOCKET && dup2(sock, HASHER_SOCKET) == -1)
		fatal("cannot move a descriptor");
	if (close_range(HASHER_SOCKET + 1, ~0U, 0) == -1 || chdir("/") == -1)
		fatal("cannot let go of what is authd's");
	sandbox_enter(&sandbox_hasher);
	serve(q, cost);
}

int
hasher_fork(unsigned number, const struct hash_cost *cost)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		fatal("cannot make a socketpair");
	pid = fork();
	if (pid == -1)
		fatal("cannot fork a password hasher");
	if (pid == 0)
		become_hasher(number, pair[1], cost);
	close(pair[1]);
	return pair[0];
}
