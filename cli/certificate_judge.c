#include "certificate_judge.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "sandbox/sandbox.h"

#define NOBODY     65534
#define DEADLINE_S 10
/* Descriptors of that process; it has no others. */
#define JUDGE_ANSWER      3
#define JUDGE_CERTIFICATE 4
#define JUDGE_KEY         5
#define JUDGE_FDS         6

/* --- the process
 * -----------------------------------------------------------------------------------------------------------
 */

/* Root without root's rights (a unit's launcher) cannot become anybody. It keeps the name alone: what is
 * below forbids it whatever a name is good for. */
static bool
become_nobody(void)
{
	if (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	    setresuid(NOBODY, NOBODY, NOBODY) == 0)
		return true;
	return errno == EPERM;
}

/* To their numbers, and nothing else stays open but standard error, until the sandbox is there: the
 * launcher's may be root's terminal, which is read and obeys. First out of each other's way. */
static bool
keep_only(int answer, int certificate, int key)
{
	int fd[3] = { answer, certificate, key };

	for (int i = 0; i < 3; i++) {
		fd[i] = fcntl(fd[i], F_DUPFD, JUDGE_FDS);
		if (fd[i] == -1)
			return false;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], JUDGE_ANSWER + i) == -1)
			return false;
	return close(STDIN_FILENO) == 0 && close(STDOUT_FILENO) == 0 && close_range(JUDGE_FDS, ~0U, 0) == 0;
}

static int64_t
end_of(const X509 *x)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void
judge(struct certificate_judged *j)
{
	X509 *x, *above[PEM_ABOVE_MAX];
	EVP_PKEY *key = NULL;
	unsigned n = 0;

	j->certificate = pem_read_certificates(JUDGE_CERTIFICATE, &x, above, &n);
	if (j->certificate != PEM_GOOD)
		return;
	j->key = pem_read_key(JUDGE_KEY, x, &key);
	j->ends_s = end_of(x);
}

static _Noreturn void
become_judge(int answer, int certificate, int key)
{
	struct certificate_judged j = { 0 };

	log_init("weir/certificate", LOG_LEVEL_WARN);
	if (signal(SIGTERM, SIG_DFL) == SIG_ERR || signal(SIGINT, SIG_DFL) == SIG_ERR ||
	    !keep_only(answer, certificate, key) || chdir("/") == -1)
		fatal("cannot set up the process that judges a certificate");
	/* What OpenSSL and the C library open, they open now. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
		fatalx("OpenSSL could not be started");
	sandbox_warm();
	if (!become_nobody() || prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) /* another user clears it */
		fatal("cannot become user %u", NOBODY);
	sandbox_enter(&sandbox_certificate);
	/* From here on there is one word to say, to the launcher. It is its memory's copy that says it. */
	close(STDERR_FILENO);
	judge(&j);
	_exit(write(JUDGE_ANSWER, &j, sizeof(j)) == (ssize_t)sizeof(j) ? 0 : 1);
}

/* --- the launcher's side
 * ---------------------------------------------------------------------------------------------------- */

bool
certificate_judged_can_be(const struct certificate_judged *j, size_t len)
{
	return len == sizeof(*j) && j->certificate < PEM_FAULTS && j->key < PEM_FAULTS &&
	       (j->certificate == PEM_GOOD || (j->key == PEM_GOOD && j->ends_s == 0));
}

/* One byte more than it may say, so that more is seen. Returns how many came. */
static size_t
hear(int fd, char out[static sizeof(struct certificate_judged) + 1])
{
	const int64_t deadline_ns = clock_boot_ns() + DEADLINE_S * NS_PER_S;
	size_t len = 0;

	while (len < sizeof(struct certificate_judged) + 1) {
		struct pollfd p = { fd, POLLIN, 0 };
		int64_t left_ms = (deadline_ns - clock_boot_ns()) / 1000000;
		ssize_t n;

		if (left_ms <= 0 || (poll(&p, 1, (int)left_ms) == -1 && errno != EINTR))
			break;
		if (p.revents == 0)
			continue;
		n = read(fd, out + len, sizeof(struct certificate_judged) + 1 - len);
		if (n == 0 || (n == -1 && errno != EINTR))
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	return len;
}

/* It has spoken or never will: it has nothing left to do. */
static int
end(pid_t pid)
{
	int status = -1;

	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return status;
}

static pid_t
begin(int certificate, int key, int *answer)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	pid = fork();
	if (pid == 0)
		become_judge(ends[1], certificate, key);
	close(ends[1]);
	*answer = ends[0];
	return pid;
}

bool
certificate_judge(int certificate, int key, struct certificate_judged *out, char *err, size_t errsize)
{
	AUTO(fd_drop) int answer = -1;
	char said[sizeof(*out) + 1] = { 0 };
	pid_t pid = begin(certificate, key, &answer);
	size_t len;
	int status;

	if (pid == -1) {
		(void)snprintf(err, errsize, "no process to look at the certificate in: %s", strerror(errno));
		return false;
	}
	len = hear(answer, said);
	status = end(pid);
	memcpy(out, said, sizeof(*out));
	if (certificate_judged_can_be(out, len))
		return true;
	if (len == 0 && WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		(void)snprintf(err, errsize, "the certificate cannot be looked at: who did died of signal %d",
			       WTERMSIG(status));
	else
		(void)snprintf(err, errsize,
			       "the certificate cannot be looked at: who did said nothing that can be");
	return false;
}
