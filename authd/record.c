#include "record.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/cursor.h"
#include "policy/role.h"

#define RECORD_VERSION 1

static_assert(PASSWORD_HASH_MAX == crypto_pwhash_STRBYTES, "record.h agrees with libsodium");

static size_t
finished(const struct wcur *w)
{
	return w->bad ? 0 : wcur_len(w);
}

static void
put_text(struct wcur *w, const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	if (n == size || n > UINT8_MAX)
		w->bad = true;
	wcur_u8(w, (uint8_t)n);
	wcur_put(w, s, n);
}

/* Everything behind the end of the text is zero, so that records compare as bytes. */
static bool
take_text(struct rcur *c, char *out, size_t size)
{
	size_t n = rcur_u8(c);

	memset(out, 0, size);
	if (n >= size || !rcur_copy(c, out, n) || strlen(out) != n)
		c->bad = true;
	return !c->bad;
}

static bool
version_good(struct rcur *c)
{
	return rcur_u8(c) == RECORD_VERSION;
}

static bool
ended(const struct rcur *c)
{
	return !c->bad && rcur_left(c) == 0;
}

size_t
account_encode(const struct account *a, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, RECORD_VERSION);
	wcur_be64(&w, a->number);
	wcur_be32(&w, a->role);
	wcur_be32(&w, a->tenant);
	wcur_be64(&w, (uint64_t)a->created_ns);
	put_text(&w, a->name, sizeof(a->name));
	put_text(&w, a->hash, sizeof(a->hash));
	return finished(&w);
}

bool
account_decode(const void *bytes, size_t len, struct account *a)
{
	struct rcur c = rcur_of(bytes, len);

	memset(a, 0, sizeof(*a));
	if (!version_good(&c))
		return false;
	a->number = rcur_be64(&c);
	a->role = rcur_be32(&c);
	a->tenant = rcur_be32(&c);
	a->created_ns = (int64_t)rcur_be64(&c);
	take_text(&c, a->name, sizeof(a->name));
	take_text(&c, a->hash, sizeof(a->hash));
	return ended(&c) && a->number > 0 && a->role > ROLE_NONE && a->role < ROLE_COUNT &&
	       a->name[0] != '\0' && a->hash[0] != '\0';
}

size_t
session_encode(const struct session_record *s, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, RECORD_VERSION);
	wcur_put(&w, s->id, sizeof(s->id));
	wcur_be64(&w, s->account);
	wcur_be64(&w, (uint64_t)s->created_ns);
	wcur_be64(&w, (uint64_t)s->last_seen_ns);
	wcur_be64(&w, (uint64_t)s->expires_ns);
	return finished(&w);
}

bool
session_decode(const void *bytes, size_t len, struct session_record *s)
{
	struct rcur c = rcur_of(bytes, len);

	memset(s, 0, sizeof(*s));
	if (!version_good(&c))
		return false;
	rcur_copy(&c, s->id, sizeof(s->id));
	s->account = rcur_be64(&c);
	s->created_ns = (int64_t)rcur_be64(&c);
	s->last_seen_ns = (int64_t)rcur_be64(&c);
	s->expires_ns = (int64_t)rcur_be64(&c);
	return ended(&c) && s->account > 0;
}

size_t
signing_encode(const struct signing_record *s, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, RECORD_VERSION);
	wcur_put(&w, s->secret, sizeof(s->secret));
	wcur_u8(&w, s->has_previous);
	wcur_put(&w, s->previous_public, sizeof(s->previous_public));
	wcur_be64(&w, (uint64_t)s->created_ns);
	return finished(&w);
}

bool
signing_decode(const void *bytes, size_t len, struct signing_record *s)
{
	struct rcur c = rcur_of(bytes, len);

	memset(s, 0, sizeof(*s));
	if (!version_good(&c))
		return false;
	rcur_copy(&c, s->secret, sizeof(s->secret));
	s->has_previous = rcur_u8(&c);
	rcur_copy(&c, s->previous_public, sizeof(s->previous_public));
	s->created_ns = (int64_t)rcur_be64(&c);
	return ended(&c) && s->has_previous <= 1;
}

size_t
tenant_encode(const struct tenant *t, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, RECORD_VERSION);
	wcur_be32(&w, t->number);
	put_text(&w, t->name, sizeof(t->name));
	return finished(&w);
}

bool
tenant_decode(const void *bytes, size_t len, struct tenant *t)
{
	struct rcur c = rcur_of(bytes, len);

	memset(t, 0, sizeof(*t));
	if (!version_good(&c))
		return false;
	t->number = rcur_be32(&c);
	take_text(&c, t->name, sizeof(t->name));
	return ended(&c) && t->number != TENANT_PLATFORM && t->number != TENANT_UNASSIGNED &&
	       t->name[0] != '\0';
}

size_t
selector_encode(const struct tenant_selector *s, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, RECORD_VERSION);
	wcur_be32(&w, s->tenant);
	put_text(&w, s->point, sizeof(s->point));
	wcur_be32(&w, s->vlan);
	wcur_u8(&w, s->has_network);
	wcur_put(&w, s->network.addr.b, sizeof(s->network.addr.b));
	wcur_u8(&w, s->network.bits);
	return finished(&w);
}

/* Whether it is a good selector is the snapshot's to say. */
bool
selector_decode(const void *bytes, size_t len, struct tenant_selector *s)
{
	struct rcur c = rcur_of(bytes, len);

	memset(s, 0, sizeof(*s));
	if (!version_good(&c))
		return false;
	s->tenant = rcur_be32(&c);
	take_text(&c, s->point, sizeof(s->point));
	s->vlan = rcur_be32(&c);
	s->has_network = rcur_u8(&c);
	rcur_copy(&c, s->network.addr.b, sizeof(s->network.addr.b));
	s->network.bits = rcur_u8(&c);
	return ended(&c) && s->has_network <= 1;
}
