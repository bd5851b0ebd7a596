/* Rows of batches, as history will have them. */
#include "waiting.h"

#define AHEAD 8

typedef void visitor(void *ctx, uint32_t whose, const struct rec_flow *f, const struct flow_texts *texts);

static void
look(const struct batch *b, uint32_t tenant, visitor *visit, void *ctx)
{
	for (size_t i = 0; i < b->nflows; i++) {
		const struct batch_flow *f = &b->flow[i];
		const char *text = b->text.p == NULL ? NULL : (const char *)b->text.p + f->text;

		if (i + AHEAD < b->nflows)
			__builtin_prefetch(&b->flow[i + AHEAD]);
		if (tenant != TENANT_PLATFORM && f->tenant[0] != tenant && f->tenant[1] != tenant)
			continue;

		const struct flow_texts texts = flow_texts_of(&f->f, text);

		visit(ctx, tenant == TENANT_PLATFORM ? f->tenant[0] : tenant, &f->f, &texts);
	}
}

void
waiting_each(const struct store *s, uint32_t tenant, visitor *visit, void *ctx)
{
	if (s->flight != NULL)
		look(s->flight, tenant, visit, ctx);
	look(s->open, tenant, visit, ctx);
}
