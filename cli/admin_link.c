#include "admin_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "ipc/boot.h"
#include "ipc/channel.h"
#include "place.h"

#define CONNECT_MS 5000
#define ANSWER_MS  60000 /* it may wait for its turn with the password hashers */
#define TEXT_MAX   (32u << 20)
#define SEALS      (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

struct admin_link {
	int fd, held; /* held: the place */
	uint64_t request;
	uint8_t buf[MSG_BODY_MAX];
};

struct admin_link *
admin_link_open(const char *run_directory, char *err, size_t errsize)
{
	char path[BOOT_PATH_MAX];
	struct admin_link *l;
	int fd, held = -1;
	unsigned place;

	(void)snprintf(path, sizeof(path), "%s/%s-0.sock", run_directory, proc_name(PROC_AUTHD));
	place = place_take(run_directory, &held);
	fd = channel_dial(path, PROC_WEIR, place, PROC_AUTHD, CONNECT_MS);
	if (fd == -1) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			(void)snprintf(
			    err, errsize,
			    "no Weir runs with %s: start it with `weir run`, or name its run_directory",
			    run_directory);
		else if (errno == ECONNRESET || errno == EPIPE)
			(void)snprintf(err, errsize,
				       "you may not administer this Weir: be root (sudo), or a member of the "
				       "group that the setting authd.admin_group names");
		else if (errno == ETIMEDOUT)
			(void)snprintf(err, errsize, "%s does not answer: `weir run` says why in its log",
				       path);
		else
			(void)snprintf(err, errsize, "%s: %s", path, strerror(errno));
		fd_drop(&held);
		return NULL;
	}
	l = mem_calloc(1, sizeof(*l));
	l->fd = fd;
	l->held = held;
	return l;
}

void
admin_link_close(struct admin_link **l)
{
	if (*l == NULL)
		return;
	fd_drop(&(*l)->fd);
	fd_drop(&(*l)->held);
	explicit_bzero((*l)->buf, sizeof((*l)->buf));
	free(*l);
	*l = NULL;
}

static bool
send_operation(struct admin_link *l, const char *body, size_t len)
{
	struct wire_admin head = { .request = ++l->request, .body_len = (uint32_t)len };
	uint8_t *message = mem_calloc(1, sizeof(head) + len);
	bool sent;

	memcpy(message, &head, sizeof(head));
	memcpy(message + sizeof(head), body, len);
	sent = channel_write(l->fd, PROC_WEIR, PROC_AUTHD, MSG_CLI_ADMIN, message, sizeof(head) + len);
	explicit_bzero(message, sizeof(head) + len);
	free(message);
	return sent;
}

/* The same, where it is longer than a message: in memory that cannot change any more. */
static bool
send_apply(struct admin_link *l, const char *body, size_t len)
{
	struct wire_cli_apply head = { .request = ++l->request, .body_len = (uint32_t)len };
	AUTO(fd_drop) int fd = memfd_create("weir-apply", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return false;
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, body + at, len - at);

		if (n == -1 && errno != EINTR)
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return fcntl(fd, F_ADD_SEALS, SEALS) == 0 &&
	       channel_write_fd(l->fd, PROC_WEIR, PROC_AUTHD, MSG_CLI_APPLY, &head, sizeof(head), fd);
}

/* One part; false where it is none of this answer. */
static bool
read_part(struct admin_link *l, struct wire_admin_answer *head)
{
	enum msg_id id;
	ssize_t n = channel_read(l->fd, PROC_WEIR, PROC_AUTHD, &id, l->buf, ANSWER_MS);

	if (n == -1)
		return false;
	errno = EPROTO;
	if (id != MSG_CLI_ADMIN_ANSWER)
		return false;
	memcpy(head, l->buf, sizeof(*head));
	return head->request == l->request && head->status >= ADMIN_OK && head->status < ADMIN_STATUS_COUNT &&
	       head->unconfirmed <= 1 && head->body_len == (size_t)n - sizeof(*head);
}

char *
admin_link_ask(struct admin_link *l, const char *body, size_t len, struct admin_outcome *a, char *err,
	       size_t errsize)
{
	struct wire_admin_answer head = { .more = 1 };
	char *text = mem_calloc(1, 1);
	size_t n = 0;

	if (!(len > ADMIN_BODY_MAX ? send_apply : send_operation)(l, body, len))
		goto failed;
	while (head.more != 0) {
		if (!read_part(l, &head))
			goto failed;
		if (head.body_len > TEXT_MAX - n) {
			errno = EMSGSIZE;
			goto failed;
		}
		text = mem_reallocarray(text, n + head.body_len + 1, 1);
		memcpy(text + n, l->buf + sizeof(head), head.body_len);
		n += head.body_len;
		text[n] = '\0';
	}
	*a = (struct admin_outcome){ (enum admin_status)head.status, head.unconfirmed != 0 };
	return text;
failed:
	if (errno == ECONNRESET || errno == EPIPE)
		(void)snprintf(err, errsize,
			       "authd went away before it answered: look whether it was done, and try again");
	else
		(void)snprintf(err, errsize, "authd does not answer: %s", strerror(errno));
	explicit_bzero(text, n);
	free(text);
	return NULL;
}
