/* A bounded list, first come first asked. */
#include "parked.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "ask.h"
#include "base/mem.h"
#include "orders.h"

struct waiter {
	TAILQ_ENTRY(waiter) entry;
	struct asker who;
	uint32_t tenant;
	int64_t deadline_ns;
	size_t len;
	uint8_t body[];
};
TAILQ_HEAD(waiters, waiter);

struct parked {
	struct waiters list;
	unsigned n;
};

struct parked *
parked_new(void)
{
	struct parked *p = mem_calloc(1, sizeof(*p));

	TAILQ_INIT(&p->list);
	return p;
}

static void
forget_all(struct waiters *list)
{
	struct waiter *w;

	while ((w = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, w, entry);
		free(w);
	}
}

void
parked_free(struct parked **p)
{
	if (*p == NULL)
		return;
	forget_all(&(*p)->list);
	free(*p);
	*p = NULL;
}

/* The rest is for others. */
static bool
has_room(const struct parked *p, uint32_t tenant)
{
	const struct waiter *w;
	unsigned n = 0;

	TAILQ_FOREACH(w, &p->list, entry)
	{
		n += w->tenant == tenant;
	}
	return p->n < PARKED_MAX && n < PARKED_TENANT_MAX;
}

bool
parked_add(struct store *s, const struct asker *who, uint32_t tenant, const void *body, size_t len,
	   int64_t deadline_ns)
{
	struct parked *p = s->parked;
	struct waiter *w;

	if (!has_room(p, tenant))
		return false;
	w = mem_calloc(1, sizeof(*w) + len);
	w->who = *who;
	w->tenant = tenant;
	w->deadline_ns = deadline_ns;
	w->len = len;
	memcpy(w->body, body, len);
	TAILQ_INSERT_TAIL(&p->list, w, entry);
	p->n++;
	return true;
}

void
parked_turn(struct store *s)
{
	struct parked *p = s->parked;
	bool news = orders_news(s->orders);
	unsigned n = p->n; /* those that still wait afterwards go behind them */

	for (; n > 0; n--) {
		struct waiter *w = TAILQ_FIRST(&p->list);

		TAILQ_REMOVE(&p->list, w, entry);
		if (!news && s->now_boot_ns < w->deadline_ns) {
			TAILQ_INSERT_TAIL(&p->list, w, entry);
			continue;
		}
		p->n--;
		ask_again(s, &w->who, w->body, w->len, w->deadline_ns);
		free(w);
	}
}

/* Those of an asker; request NULL: all. */
static bool
forget(struct parked *p, const void *ctx, const uint64_t *request)
{
	struct waiter *w = TAILQ_FIRST(&p->list);
	bool any = false;

	while (w != NULL) {
		struct waiter *next = TAILQ_NEXT(w, entry);

		/* A question begins with its number. */
		if (w->who.ctx == ctx &&
		    (request == NULL || memcmp(w->body, request, sizeof(*request)) == 0)) {
			TAILQ_REMOVE(&p->list, w, entry);
			p->n--;
			free(w);
			any = true;
		}
		w = next;
	}
	return any;
}

bool
parked_cancel(struct store *s, const void *ctx, uint64_t request)
{
	return forget(s->parked, ctx, &request);
}

void
parked_forget(struct store *s, const void *ctx)
{
	(void)forget(s->parked, ctx, NULL);
}
