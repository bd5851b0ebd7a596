#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "place.h"

#define GRANT_USE_MS 40000 /* a grant lives for 60 s */
#define PAGES_MAX    1000000u

struct asker {
	int authd, store, place;
	int wait_ms;
	bool passing;
	uint64_t request;
	int64_t granted_ms;
	uint32_t grant_len;
	uint8_t grant[GRANT_MAX];
	uint8_t buf[MSG_BODY_MAX];
};

static int
dial(const char *run_directory, enum proc peer, unsigned place, int wait_ms, char *err, size_t errsize)
{
	char path[BOOT_PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s-0.sock", run_directory, proc_name(peer));
	fd = channel_dial(path, PROC_WEIR, place, peer, wait_ms);
	if (fd != -1)
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		(void)snprintf(err, errsize,
			       "no Weir runs with %s: start it with `weir run`, or name its run_directory",
			       run_directory);
	else if (errno == ECONNRESET)
		(void)snprintf(err, errsize, "%s refuses to talk: run this as root (sudo)", path);
	else if (errno == ETIMEDOUT)
		(void)snprintf(err, errsize, "%s does not answer: `weir run` says why in its log", path);
	else
		(void)snprintf(err, errsize, "%s: %s", path, strerror(errno));
	return -1;
}

struct asker *
ask_open(const char *run_directory, int wait_ms, char *err, size_t errsize)
{
	struct asker *a = mem_calloc(1, sizeof(*a));
	unsigned place;

	a->wait_ms = wait_ms;
	a->store = -1;
	/* One place for authd and store, so that the grant of the one is good at the other. */
	place = place_take(run_directory, &a->place);
	a->authd = dial(run_directory, PROC_AUTHD, place, wait_ms, err, errsize);
	if (a->authd != -1)
		a->store = dial(run_directory, PROC_STORE, place, wait_ms, err, errsize);
	if (a->store == -1)
		ask_close(&a);
	return a;
}

void
ask_close(struct asker **a)
{
	if (*a == NULL)
		return;
	fd_drop(&(*a)->authd);
	fd_drop(&(*a)->store);
	fd_drop(&(*a)->place);
	free(*a);
	*a = NULL;
}

bool
ask_may_try_again(const struct asker *a)
{
	return a->passing;
}

static int64_t
now_ms(void)
{
	return clock_boot_ns() / NS_PER_MS;
}

static bool
get_grant(struct asker *a, char *err, size_t errsize)
{
	struct wire_cli_request r = { .request = ++a->request };
	struct wire_cli_answer answer;
	enum msg_id id;

	if (a->grant_len > 0 && now_ms() - a->granted_ms < GRANT_USE_MS)
		return true;
	a->granted_ms = now_ms();
	if (!channel_write(a->authd, PROC_WEIR, PROC_AUTHD, MSG_CLI_GRANT, &r, sizeof(r)) ||
	    channel_read(a->authd, PROC_WEIR, PROC_AUTHD, &id, a->buf, a->wait_ms) == -1 ||
	    id != MSG_CLI_ANSWER) {
		(void)snprintf(err, errsize, "authd does not give a grant: %s", strerror(errno));
		return false;
	}
	memcpy(&answer, a->buf, sizeof(answer));
	if (answer.request == r.request && answer.status == AUTH_OK && answer.grant_len > 0 &&
	    answer.grant_len <= GRANT_MAX) {
		a->grant_len = answer.grant_len;
		memcpy(a->grant, answer.grant, answer.grant_len);
		return true;
	}
	a->passing = answer.status == AUTH_BUSY || answer.status == AUTH_UNAVAILABLE;
	(void)snprintf(err, errsize, "authd refuses a grant (status %u)", answer.status);
	return false;
}

static const char *
status_words(struct asker *a, uint32_t status)
{
	a->passing = status == ANSWER_UNAVAILABLE || status == ANSWER_NOT_GRANTED || status == ANSWER_BUSY;
	switch (status) {
	case ANSWER_NOT_FOUND:
		return "store knows no such thing";
	case ANSWER_NOT_GRANTED:
		a->grant_len = 0; /* another one is asked for next time */
		return "store does not accept the grant";
	case ANSWER_UNAVAILABLE:
		return "store has no word from authd yet";
	case ANSWER_BAD_QUESTION:
		return "store does not understand the question";
	case ANSWER_HISTORY_DOWN:
		return "the database cannot be read or written (is the disk full?)";
	case ANSWER_NARROWED:
		return "it is kept of the tenant as a whole only, or not at this resolution of a part";
	case ANSWER_BUSY:
		return "too many questions wait for an answer: ask again in a second";
	case ANSWER_TIMEOUT:
		return "this takes longer than one question may (store.query_time): ask for a shorter time";
	case ANSWER_TOO_COSTLY:
		return "this looks through more flows than one question may (store.query_rows): ask for a "
		       "shorter time";
	default:
		return "store answers with an unknown status";
	}
}

static bool
send_question(struct asker *a, struct wire_question *q)
{
	uint8_t body[WIRE_QUESTION_MAX];

	q->request = ++a->request;
	q->grant_len = a->grant_len;
	memcpy(body, q, sizeof(*q));
	memcpy(body + sizeof(*q), a->grant, a->grant_len);
	return channel_write(a->store, PROC_WEIR, PROC_STORE, MSG_CLI_QUESTION, body,
			     sizeof(*q) + a->grant_len);
}

/* Reads every message of one answer. */
static bool
read_answer(struct asker *a, const struct wire_question *q, ask_row row, void *ctx, struct wire_answer *head,
	    char *err, size_t errsize)
{
	enum msg_id id;
	struct answer parts;
	struct row r;
	int got;

	do {
		ssize_t n = channel_read(a->store, PROC_WEIR, PROC_STORE, &id, a->buf, a->wait_ms);

		if (n == -1) {
			(void)snprintf(err, errsize, "store does not answer: %s", strerror(errno));
			return false;
		}
		if (id != MSG_CLI_ANSWER_ROWS || !answer_open(&parts, a->buf, (size_t)n) ||
		    parts.head.request != q->request) {
			(void)snprintf(err, errsize, "store answers with something else");
			return false;
		}
		*head = parts.head;
		if (head->status != ANSWER_OK) {
			(void)snprintf(err, errsize, "%s", status_words(a, head->status));
			return false;
		}
		while ((got = answer_next(&parts, &r)) == 1)
			row(ctx, &r);
		if (got == -1) {
			(void)snprintf(err, errsize, "store answers with rows that cannot be");
			return false;
		}
	} while (head->more);
	return true;
}

bool
ask(struct asker *a, const struct wire_question *question, ask_row row, void *ctx, int64_t *now, char *err,
    size_t errsize)
{
	struct wire_question q = *question;
	struct wire_answer head = { 0 };

	a->passing = false;
	for (unsigned page = 0; page < PAGES_MAX; page++) {
		if (!get_grant(a, err, errsize))
			return false;
		if (!send_question(a, &q)) {
			(void)snprintf(err, errsize, "store cannot be asked: %s", strerror(errno));
			return false;
		}
		if (!read_answer(a, &q, row, ctx, &head, err, errsize))
			return false;
		if (now != NULL)
			*now = head.now_ns;
		if (!head.has_cursor || head.cursor_len == 0)
			return true;
		q.cursor_len = head.cursor_len;
		memcpy(q.cursor, head.cursor, head.cursor_len);
	}
	(void)snprintf(err, errsize, "store's answer does not end");
	return false;
}
