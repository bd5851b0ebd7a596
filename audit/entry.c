#include "audit/entry.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"

#define RECORD_VERSION 1

static const char *const kind_names[AUDIT_KIND_LIMIT] = {
#define AUDIT_KIND(name, number, text) [number] = (text),
#include "audit/kind.def"
#undef AUDIT_KIND
};

static const char *const outcome_names[AUDIT_OUTCOME_LIMIT] = {
	[AUDIT_DONE] = "done",
	[AUDIT_REFUSED] = "refused",
	[AUDIT_FAILED] = "failed",
};

const char *
audit_kind_name(enum audit_kind k)
{
	return (unsigned)k < AUDIT_KIND_LIMIT ? kind_names[k] : NULL;
}

enum audit_kind
audit_kind_named(const char *name)
{
	for (unsigned k = 0; k < AUDIT_KIND_LIMIT; k++)
		if (kind_names[k] != NULL && strcmp(kind_names[k], name) == 0)
			return (enum audit_kind)k;
	return AUDIT_NONE;
}

const char *
audit_outcome_name(enum audit_outcome o)
{
	return (unsigned)o < AUDIT_OUTCOME_LIMIT ? outcome_names[o] : NULL;
}

static void
put_text(struct wcur *w, const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	if (n == size)
		w->bad = true;
	wcur_be16(w, (uint16_t)n);
	wcur_put(w, s, n);
}

/* Everything behind the end of the text is zero, so that entries compare as bytes. */
static void
take_text(struct rcur *c, char *out, size_t size)
{
	size_t n = rcur_be16(c);

	memset(out, 0, size);
	if (n >= size || !rcur_copy(c, out, n) || strlen(out) != n)
		c->bad = true;
}

static bool
within_bounds(const struct audit_entry *e)
{
	return e->sequence > 0 && e->epoch > 0 && audit_kind_name(e->kind) != NULL &&
	       audit_outcome_name(e->outcome) != NULL && e->actor[0] != '\0';
}

size_t
audit_entry_encode(const struct audit_entry *e, const struct audit_seal *s, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	if (!within_bounds(e))
		return 0;
	wcur_u8(&w, RECORD_VERSION);
	wcur_put(&w, s->previous, sizeof(s->previous));
	wcur_be64(&w, e->sequence);
	wcur_be32(&w, e->epoch);
	wcur_be64(&w, (uint64_t)e->time_ns);
	wcur_u8(&w, (uint8_t)e->kind);
	wcur_u8(&w, (uint8_t)e->outcome);
	wcur_be32(&w, e->tenant);
	put_text(&w, e->tenant_name, sizeof(e->tenant_name));
	put_text(&w, e->actor, sizeof(e->actor));
	put_text(&w, e->credential, sizeof(e->credential));
	wcur_u8(&w, e->has_address);
	if (e->has_address)
		wcur_put(&w, e->address.b, sizeof(e->address.b));
	put_text(&w, e->subject, sizeof(e->subject));
	put_text(&w, e->detail, sizeof(e->detail));
	wcur_u8(&w, s->has_key);
	if (s->has_key)
		wcur_put(&w, s->key, sizeof(s->key));
	return w.bad ? 0 : wcur_len(&w);
}

/* A flag is 0 or 1, so that a record has one encoding. */
static bool
take_flag(struct rcur *c)
{
	uint8_t flag = rcur_u8(c);

	if (flag > 1)
		c->bad = true;
	return flag == 1;
}

bool
audit_entry_decode(const void *record, size_t len, struct audit_entry *e, struct audit_seal *s)
{
	struct rcur c = rcur_of(record, len);

	memset(e, 0, sizeof(*e));
	memset(s, 0, sizeof(*s));
	if (rcur_u8(&c) != RECORD_VERSION)
		return false;
	rcur_copy(&c, s->previous, sizeof(s->previous));
	e->sequence = rcur_be64(&c);
	e->epoch = rcur_be32(&c);
	e->time_ns = (int64_t)rcur_be64(&c);
	e->kind = rcur_u8(&c);
	e->outcome = rcur_u8(&c);
	e->tenant = rcur_be32(&c);
	take_text(&c, e->tenant_name, sizeof(e->tenant_name));
	take_text(&c, e->actor, sizeof(e->actor));
	take_text(&c, e->credential, sizeof(e->credential));
	e->has_address = take_flag(&c);
	if (e->has_address)
		rcur_copy(&c, e->address.b, sizeof(e->address.b));
	take_text(&c, e->subject, sizeof(e->subject));
	take_text(&c, e->detail, sizeof(e->detail));
	s->has_key = take_flag(&c);
	if (s->has_key)
		rcur_copy(&c, s->key, sizeof(s->key));
	rcur_copy(&c, s->signature, sizeof(s->signature));
	return !c.bad && rcur_left(&c) == 0 && within_bounds(e) &&
	       s->has_key == (e->kind == AUDIT_BEGUN || e->kind == AUDIT_EPOCH);
}
