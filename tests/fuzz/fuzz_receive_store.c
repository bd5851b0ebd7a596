/* What engines, authd, httpd, dial, the launcher and command lines send to store, one after another and
 * beside each other: rings, authority, questions, counters. */
#include <assert.h>
#include <event2/event.h>
#include <string.h>

#include "ipc/wire.h"
#include "receiver.h"
#include "serve.h"
#include "store_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A question carries a grant that is good, and an engine is who it is, whatever else they say: mostly. */
static void
make_good(const struct channel *from, enum msg_id id, uint8_t *body, size_t len, size_t memory)
{
	uint8_t grant[GRANT_BYTES_MAX];
	struct wire_question q;
	size_t n;

	(void)memory;
	if (id == MSG_RECORD_RING && body[0] % 4 != 3) {
		struct wire_ring_offer o = { .worker = channel_instance(from) };

		memcpy(body, &o, sizeof(o));
	}
	if ((id != MSG_QUESTION && id != MSG_CLI_QUESTION) || len < sizeof(q) || body[0] % 4 == 3)
		return;
	memcpy(&q, body, sizeof(q));
	n = fuzz_grant(q.request % 2 == 0 ? TENANT_PLATFORM : FUZZ_TENANT, 0, grant);
	if (sizeof(q) + n > len)
		return;
	q.grant_len = (uint32_t)n;
	q.filter_len = q.filter_len % 2 == 0 ? (uint32_t)(len - sizeof(q) - n) : q.filter_len;
	memcpy(body, &q, sizeof(q));
	memcpy(body + sizeof(q), grant, n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct receiver_hooks hooks = { .before = make_good };
	static struct serve *serve;

	if (serve == NULL)
		serve = serve_new(fuzz_store(), -1);
	receiver_run(&hooks, data, size);
	return 0;
}
