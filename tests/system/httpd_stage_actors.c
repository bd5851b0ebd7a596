/* Whom httpd_stage plays: where they are reached, and that they come and go; and key, which signs by the real
 * one's code. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "httpd_stage.h"
#include "pair.h"

/* --- key
 * ----------------------------------------------------------------------------------------------------------
 */

/* What it did not answer while it was silent is answered when it is not. */
static struct wire_sign asked;
static bool owed;

bool
key_answer(struct stage *s, struct channel *ch)
{
	struct wire_signed a = { .status = SIGN_UNKNOWN };
	size_t len = sizeof(a.signature);

	if (s->silent_key || !owed)
		return true;
	owed = false;
	a.ticket = s->lying_key ? asked.ticket + 1 : asked.ticket;
	if (pair_is(s->pair, asked.certificate) &&
	    pair_sign(s->pair, asked.scheme, asked.content, asked.len, a.signature, &len)) {
		a.status = SIGN_OK;
		a.len = (uint32_t)len;
	}
	return channel_send(ch, MSG_SIGNED, &a, sizeof(a));
}

bool
key_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct stage *s = ((struct actor *)ctx)->stage;

	memcpy(&asked, m->body, sizeof(asked));
	s->signs++;
	owed = true;
	return key_answer(s, ch);
}

/* --- channels
 * ----------------------------------------------------------------------------------------------------------
 */

static void
nothing(void *ctx, struct channel *ch)
{
	(void)ctx;
	(void)ch;
}

int
unix_listener(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)unlink(path);
	if (fd == -1 || !str_copy(a.sun_path, sizeof(a.sun_path), path) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 || chmod(path, 0666) == -1 ||
	    listen(fd, 16) == -1)
		fatal("%s", path);
	return fd;
}

void
path_of(const struct stage *s, const char *who, char path[static BOOT_PATH_MAX])
{
	(void)snprintf(path, BOOT_PATH_MAX, "%s/%s", s->dir, who);
}

void
actor_up(struct stage *s, struct actor *a, enum proc proc, bool call)
{
	static const struct peers_handlers authd = { nothing, nothing, authd_message },
					   store = { nothing, nothing, store_message },
					   key = { nothing, nothing, key_message };

	if (a->peers != NULL)
		return;
	a->stage = s;
	memset(&a->boot, 0, sizeof(a->boot));
	a->boot.proc = (uint32_t)proc;
	a->boot.npeers = 1;
	a->boot.peers[0].proc = PROC_HTTPD;
	a->boot.peers[0].uid = s->uid;
	a->boot.peers[0].connect = call;
	path_of(s, "httpd", a->boot.peers[0].path);
	a->peers = peers_new(s->base, &a->boot, a->listener,
			     proc == PROC_AUTHD   ? &authd
			     : proc == PROC_STORE ? &store
						  : &key,
			     a);
}

void
actor_down(struct actor *a)
{
	peers_free(&a->peers);
}
