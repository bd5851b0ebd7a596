#include "audit/chain.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static_assert(AUDIT_KEY_BYTES == crypto_sign_PUBLICKEYBYTES &&
		  AUDIT_SECRET_BYTES == crypto_sign_SECRETKEYBYTES &&
		  AUDIT_SIGNATURE_BYTES == crypto_sign_BYTES,
	      "the headers agree with libsodium");

void
audit_digest(enum audit_purpose purpose, const void *bytes, size_t len, uint8_t out[static AUDIT_HASH_BYTES])
{
	static const char *const names[] = {
		[AUDIT_FOR_ENTRY] = "weir audit entry 1",
		[AUDIT_FOR_LINK] = "weir audit link 1",
		[AUDIT_FOR_ANCHOR] = "weir audit anchor 1",
		[AUDIT_FOR_TAIL] = "weir audit tail 1",
	};

	(void)crypto_generichash(out, AUDIT_HASH_BYTES, bytes, len, (const uint8_t *)names[purpose],
				 strlen(names[purpose]));
}

/* The head behind a record. */
static void
advance(struct audit_head *h, const struct audit_entry *e, const struct audit_seal *s, const uint8_t *record,
	size_t len)
{
	h->sequence = e->sequence;
	h->epoch = e->kind == AUDIT_EPOCH ? e->epoch + 1 : e->epoch;
	if (s->has_key)
		memcpy(h->key, s->key, sizeof(h->key));
	audit_digest(AUDIT_FOR_LINK, record, len, h->hash);
}

size_t
audit_chain_append(struct audit_head *h, struct audit_entry *e, const uint8_t *next_key,
		   const uint8_t secret[static AUDIT_SECRET_BYTES], uint8_t out[static AUDIT_RECORD_MAX])
{
	struct audit_seal s = { .has_key = next_key != NULL };
	uint8_t digest[AUDIT_HASH_BYTES];
	size_t n;

	e->sequence = h->sequence + 1;
	e->epoch = e->kind == AUDIT_BEGUN ? h->epoch + 1 : h->epoch;
	memcpy(s.previous, h->hash, sizeof(s.previous));
	if (next_key != NULL)
		memcpy(s.key, next_key, sizeof(s.key));
	n = audit_entry_encode(e, &s, out, AUDIT_RECORD_MAX - AUDIT_SIGNATURE_BYTES);
	if (n == 0)
		return 0;
	audit_digest(AUDIT_FOR_ENTRY, out, n, digest);
	(void)crypto_sign_detached(out + n, NULL, digest, sizeof(digest), secret);
	n += AUDIT_SIGNATURE_BYTES;
	advance(h, e, &s, out, n);
	return n;
}

bool
audit_walk_fault(struct audit_walk *w, enum audit_fault fault, uint64_t sequence, const char *text)
{
	if (w->found.fault == AUDIT_SOUND) {
		w->found.fault = fault;
		w->found.sequence = sequence;
		(void)str_copy(w->found.text, sizeof(w->found.text), text);
	}
	return false;
}

static bool __attribute__((format(printf, 4, 5)))
faultf(struct audit_walk *w, enum audit_fault fault, uint64_t sequence, const char *format, ...)
{
	char text[sizeof(w->found.text)];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return audit_walk_fault(w, fault, sequence, text);
}

static bool
signature_good(const uint8_t *record, size_t len, const struct audit_seal *s, const uint8_t *key)
{
	uint8_t digest[AUDIT_HASH_BYTES];

	audit_digest(AUDIT_FOR_ENTRY, record, len - AUDIT_SIGNATURE_BYTES, digest);
	return crypto_sign_verify_detached(s->signature, digest, sizeof(digest), key) == 0;
}

/* The first entry that is there: number 1, or one at which a log may be trimmed, which nothing here can vouch
 * for but what follows it. */
static bool
first_good(struct audit_walk *w, const struct audit_entry *e, const struct audit_seal *s,
	   const uint8_t *record, size_t len, bool check_signatures)
{
	w->first = e->sequence;
	w->first_ns = e->time_ns;
	if (e->kind == AUDIT_EPOCH && e->sequence > 1)
		return true;
	if (e->kind != AUDIT_BEGUN)
		return faultf(w, AUDIT_NO_START, e->sequence,
			      "the log does not begin with entry %llu: what was before is gone",
			      (unsigned long long)e->sequence);
	if (check_signatures && !signature_good(record, len, s, s->key))
		return faultf(w, AUDIT_EDITED, e->sequence, "entry %llu was edited",
			      (unsigned long long)e->sequence);
	return true;
}

static bool
next_good(struct audit_walk *w, const struct audit_entry *e, const struct audit_seal *s,
	  const uint8_t *record, size_t len, bool check_signatures)
{
	unsigned long long n = e->sequence;
	bool anew = e->kind == AUDIT_BEGUN;

	if (check_signatures && !signature_good(record, len, s, anew ? s->key : w->head.key))
		return faultf(w, AUDIT_EDITED, n, "entry %llu was edited", n);
	if (memcmp(s->previous, w->head.hash, sizeof(s->previous)) != 0)
		return faultf(w, AUDIT_UNCHAINED, n,
			      "entry %llu does not follow the entry before it: one of them was replaced", n);
	if (e->epoch != w->head.epoch + anew)
		return faultf(w, AUDIT_UNCHAINED, n, "entry %llu is of epoch %u, and epoch %u was running", n,
			      e->epoch, w->head.epoch);
	if (anew)
		w->anew = n;
	return true;
}

/* Whether the entry says that everything before the first one was trimmed. */
static bool
says_trimmed(const struct audit_walk *w, const struct audit_entry *e)
{
	char first[32];

	(void)snprintf(first, sizeof(first), "entry:%llu", (unsigned long long)w->first);
	return e->kind == AUDIT_TRIMMED && strcmp(e->subject, first) == 0;
}

bool
audit_walk_step(struct audit_walk *w, uint64_t key, const void *record, size_t len, bool check_signatures,
		struct audit_entry *e)
{
	unsigned long long n = key, expected = w->head.sequence + 1;
	struct audit_seal s;
	bool good;

	if (w->found.fault != AUDIT_SOUND)
		return false;
	if (!audit_entry_decode(record, len, e, &s))
		return faultf(w, AUDIT_UNREADABLE, key, "entry %llu cannot be read", n);
	if (e->sequence != key)
		return faultf(w, AUDIT_MOVED, key, "at the place of entry %llu stands entry %llu", n,
			      (unsigned long long)e->sequence);
	if (w->first != 0 && key != expected)
		return faultf(w, AUDIT_MISSING, expected, "entry %llu is missing: entry %llu comes next",
			      expected, n);
	good = w->first == 0 ? first_good(w, e, &s, record, len, check_signatures)
			     : next_good(w, e, &s, record, len, check_signatures);
	if (!good)
		return false;
	advance(&w->head, e, &s, record, len);
	w->last_ns = e->time_ns;
	w->trimmed |= says_trimmed(w, e);
	return true;
}

bool
audit_walk_end(struct audit_walk *w)
{
	if (w->found.fault != AUDIT_SOUND)
		return false;
	if (w->first > 1 && !w->trimmed)
		return faultf(
		    w, AUDIT_NO_START, w->first,
		    "the log begins with entry %llu, and no entry says that what was before was trimmed",
		    (unsigned long long)w->first);
	if (w->anew > 1 && w->anew != w->first)
		return faultf(w, AUDIT_NEW_KEY, w->anew,
			      "at entry %llu the log was begun anew without the key of the entries before",
			      (unsigned long long)w->anew);
	return true;
}
