#include "reply.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "authd.h"
#include "base/json_write.h"
#include "base/mem.h"

#define ANSWERS_QUEUE_MAX (CHANNEL_QUEUE_MAX / 4 * 3) /* bytes that wait for one peer */

void
return_address_assign(struct authd *a, struct channel *ch)
{
	channel_set_data(ch, (void *)(uintptr_t)++a->connections);
}

struct return_address
return_address_of(const struct channel *ch)
{
	return (struct return_address){ channel_proc(ch), channel_instance(ch), (uintptr_t)channel_data(ch) };
}

struct channel *
return_address_find(const struct authd *a, const struct return_address *to)
{
	struct channel *ch = peers_find(a->peers, to->proc, to->instance);

	return ch == NULL || (uintptr_t)channel_data(ch) != to->serial ? NULL : ch;
}

void
reply_auth(struct authd *a, const struct return_address *to, struct wire_auth_answer *answer)
{
	struct channel *ch = return_address_find(a, to);

	answer->setup_open = accounts_db_has_administrator(a->db) ? 0 : 1;
	if (ch != NULL)
		(void)channel_send(ch, MSG_AUTH_ANSWER, answer, sizeof(*answer));
	sodium_memzero(answer, sizeof(*answer));
}

void
reply_cli(struct authd *a, const struct return_address *to, struct wire_cli_answer *answer)
{
	struct channel *ch = return_address_find(a, to);

	if (ch != NULL)
		(void)channel_send(ch, MSG_CLI_ANSWER, answer, sizeof(*answer));
	sodium_memzero(answer, sizeof(*answer));
}

static void
drop_body(struct admin_answer *answer)
{
	if (answer->body != NULL)
		sodium_memzero(answer->body, answer->len);
	free(answer->body);
	answer->body = NULL;
	answer->len = 0;
}

/* A channel that holds too much ends, and everybody's logins with it: long answers leave room for short ones.
 */
static bool
is_room_for(const struct channel *ch, size_t len)
{
	size_t queued = channel_queued(ch);

	return queued == 0 || (queued < ANSWERS_QUEUE_MAX && len <= ANSWERS_QUEUE_MAX - queued);
}

void
reply_admin(struct authd *a, const struct return_address *to, enum msg_id id, struct admin_answer *answer)
{
	struct {
		struct wire_admin_answer head;
		char text[ADMIN_BODY_MAX];
	} part = { .head = { .request = answer->request,
			     .status = answer->status,
			     .more = 1,
			     .unconfirmed = answer->unconfirmed } };
	struct channel *ch = return_address_find(a, to);
	size_t at = 0;

	if (ch != NULL && !is_room_for(ch, answer->len))
		admin_answer_refuse(answer, ADMIN_BUSY, "Too many long answers are under way: try again.");
	while (ch != NULL && part.head.more) {
		size_t n = answer->len - at < sizeof(part.text) ? answer->len - at : sizeof(part.text);

		if (n > 0)
			memcpy(part.text, answer->body + at, n);
		at += n;
		part.head.body_len = (uint32_t)n;
		part.head.more = at < answer->len;
		if (!channel_send(ch, id, &part, sizeof(part.head) + n))
			break;
	}
	sodium_memzero(&part, sizeof(part));
	drop_body(answer);
}

void
admin_answer_refuse(struct admin_answer *answer, enum admin_status status, const char *detail)
{
	struct json_writer *w = json_new(1024);
	const char *text;

	drop_body(answer);
	json_object(w, NULL);
	json_string(w, "detail", detail);
	json_object_end(w);
	text = json_text(w, &answer->len);
	answer->body = mem_strdup(text);
	answer->status = status;
	json_free(&w);
}

void
reply_status(struct authd *a, const struct return_address *to, uint64_t request, enum auth_status status,
	     uint32_t retry_after_s, const char *detail)
{
	struct wire_auth_answer answer;

	memset(&answer, 0, sizeof(answer));
	answer.request = request;
	answer.status = status;
	answer.retry_after_s = retry_after_s;
	if (detail != NULL)
		(void)str_copy(answer.detail, sizeof(answer.detail), detail);
	reply_auth(a, to, &answer);
}
