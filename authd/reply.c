#include "reply.h"

#include <sodium.h>
#include <string.h>

#include "authd.h"
#include "base/mem.h"

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
