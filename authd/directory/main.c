/* weir-directory: asks directories (LDAP) and OpenID Connect providers who somebody is, for authd. It opens
 * nothing, keeps nothing but what providers publish, and gets one secret for one question. */
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attempts.h"
#include "base/log.h"
#include "base/mem.h"
#include "directory.h"
#include "http.h"
#include "ipc/channel.h"
#include "link.h"
#include "oidc_asks.h"
#include "sandbox/sandbox.h"
#include "tls.h"

#define AUTHORITIES_BYTES_MAX (4 << 20)
#define MEMORY_MAX            (UINT64_C(256) << 20) /* of each process: what a server says is held in it */

static void
on_sigterm(evutil_socket_t signal, short what, void *base)
{
	(void)signal;
	(void)what;
	event_base_loopbreak(base);
}

static void
on_sigchld(evutil_socket_t signal, short what, void *arg)
{
	struct directory *d = arg;

	(void)signal;
	(void)what;
	attempts_reap(d->attempts);
}

/* Only its bytes: what they mean is found out behind the walls. */
static void
read_authorities(struct directory *d)
{
	struct stat st;
	size_t at = 0;
	ssize_t n;

	if ((d->boot->flags & BOOT_HAS_AUTHORITIES) == 0)
		return;
	if (fstat(BOOT_FD_AUTHORITIES, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size > AUTHORITIES_BYTES_MAX) {
		log_warn("ldap.authorities: is no file of at most %d bytes", AUTHORITIES_BYTES_MAX);
		st.st_size = 0;
	}
	d->authorities = mem_calloc((size_t)st.st_size + 1, 1);
	while (at < (size_t)st.st_size &&
	       (n = pread(BOOT_FD_AUTHORITIES, d->authorities + at, (size_t)st.st_size - at, (off_t)at)) > 0)
		at += (size_t)n;
	d->authorities_len = at;
	close(BOOT_FD_AUTHORITIES);
}

static void
directory_open(struct directory *d, const struct boot *boot)
{
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };

	d->boot = boot;
	read_authorities(d);
	d->base = event_base_new();
	d->sigterm = d->base == NULL ? NULL : evsignal_new(d->base, SIGTERM, on_sigterm, d->base);
	d->sigchld = d->base == NULL ? NULL : evsignal_new(d->base, SIGCHLD, on_sigchld, d);
	if (d->sigterm == NULL || d->sigchld == NULL || evsignal_add(d->sigterm, NULL) == -1 ||
	    evsignal_add(d->sigchld, NULL) == -1)
		fatalx("no event loop");
	serve_open(d);
	if (setrlimit(RLIMIT_AS, &memory) == -1)
		fatal("cannot limit memory");
}

static void
directory_close(struct directory *d)
{
	peers_free(&d->peers);
	attempts_free(&d->attempts);
	oidc_asks_free(&d->oidc);
	event_free(d->tick);
	event_free(d->sigterm);
	event_free(d->sigchld);
	event_base_free(d->base);
	free(d->authorities);
}

int
main(void)
{
	static struct directory d;
	const struct boot *boot = boot_read(PROC_DIRECTORY);

	sandbox_warm();
	tls_warm();
	link_warm();
	http_warm();
	directory_open(&d, boot);
	if (!boot->settings.sandbox_enforce)
		sandbox_only_log();
	sandbox_enter(&sandbox_directory);

	log_info("ready");
	if (event_base_dispatch(d.base) == -1)
		fatalx("the event loop failed");
	directory_close(&d);
	return EXIT_OK;
}
