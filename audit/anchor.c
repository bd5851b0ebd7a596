#include "audit/anchor.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"

#define WORD "weir-audit-anchor 1 "

/* What is signed. */
static void
digest_of(const struct audit_anchor *a, uint8_t out[static AUDIT_HASH_BYTES])
{
	uint8_t bytes[8 + 4 + 8 + AUDIT_HASH_BYTES + AUDIT_KEY_BYTES] = { 0 };
	struct wcur w = wcur_of(bytes, sizeof(bytes));

	wcur_be64(&w, a->sequence);
	wcur_be32(&w, a->epoch);
	wcur_be64(&w, (uint64_t)a->time_ns);
	wcur_put(&w, a->hash, sizeof(a->hash));
	wcur_put(&w, a->key, sizeof(a->key));
	audit_digest(AUDIT_FOR_ANCHOR, bytes, sizeof(bytes), out);
}

struct audit_anchor
audit_anchor_make(const struct audit_head *h, int64_t time_ns,
		  const uint8_t secret[static AUDIT_SECRET_BYTES])
{
	struct audit_anchor a = { .sequence = h->sequence, .epoch = h->epoch, .time_ns = time_ns };
	uint8_t digest[AUDIT_HASH_BYTES];

	memcpy(a.hash, h->hash, sizeof(a.hash));
	memcpy(a.key, h->key, sizeof(a.key));
	digest_of(&a, digest);
	(void)crypto_sign_detached(a.signature, NULL, digest, sizeof(digest), secret);
	return a;
}

const char *
audit_anchor_format(const struct audit_anchor *a, char out[static AUDIT_ANCHOR_TEXT_MAX])
{
	char hash[2 * AUDIT_HASH_BYTES + 1], key[2 * AUDIT_KEY_BYTES + 1],
	    signature[2 * AUDIT_SIGNATURE_BYTES + 1];

	(void)snprintf(out, AUDIT_ANCHOR_TEXT_MAX,
		       WORD "sequence=%" PRIu64 " epoch=%" PRIu32 " time=%" PRId64 ".%09" PRId64
			    " hash=%s key=%s signature=%s",
		       a->sequence, a->epoch, a->time_ns / NS_PER_S, a->time_ns % NS_PER_S,
		       sodium_bin2hex(hash, sizeof(hash), a->hash, sizeof(a->hash)),
		       sodium_bin2hex(key, sizeof(key), a->key, sizeof(a->key)),
		       sodium_bin2hex(signature, sizeof(signature), a->signature, sizeof(a->signature)));
	return out;
}

/* Takes the word, such as "hash=". */
static void
take_word(struct rcur *c, const char *word)
{
	const uint8_t *b = rcur_take(c, strlen(word));

	if (b != NULL && memcmp(b, word, strlen(word)) != 0)
		c->bad = true;
}

/* A number of 1 to most digits. */
static uint64_t
take_number(struct rcur *c, unsigned most)
{
	uint64_t v = 0;
	unsigned n = 0;

	for (; n <= most && rcur_left(c) > 0 && *c->p >= '0' && *c->p <= '9'; n++)
		v = v * 10 + (uint64_t)(rcur_u8(c) - '0');
	if (n == 0 || n > most)
		c->bad = true;
	return v;
}

static void
take_hex(struct rcur *c, uint8_t *out, size_t n)
{
	const uint8_t *b = rcur_take(c, 2 * n);
	size_t got = 0;

	if (b != NULL && (sodium_hex2bin(out, n, (const char *)b, 2 * n, NULL, &got, NULL) != 0 || got != n))
		c->bad = true;
}

bool
audit_anchor_parse(const char *line, size_t len, struct audit_anchor *a)
{
	const char *at = memmem(line, len, WORD, strlen(WORD));
	struct rcur c = rcur_of(at, at == NULL ? 0 : len - (size_t)(at - line));
	uint64_t epoch, seconds;

	memset(a, 0, sizeof(*a));
	take_word(&c, WORD);
	take_word(&c, "sequence=");
	a->sequence = take_number(&c, 18);
	take_word(&c, " epoch=");
	epoch = take_number(&c, 10);
	a->epoch = (uint32_t)epoch;
	take_word(&c, " time=");
	seconds = take_number(&c, 9 + 1);
	if (seconds >= (uint64_t)(INT64_MAX / NS_PER_S)) /* no time that authd could have written */
		c.bad = true;
	a->time_ns = c.bad ? 0 : (int64_t)seconds * NS_PER_S;
	take_word(&c, ".");
	a->time_ns += (int64_t)take_number(&c, 9);
	take_word(&c, " hash=");
	take_hex(&c, a->hash, sizeof(a->hash));
	take_word(&c, " key=");
	take_hex(&c, a->key, sizeof(a->key));
	take_word(&c, " signature=");
	take_hex(&c, a->signature, sizeof(a->signature));
	return !c.bad && rcur_left(&c) == 0 && a->sequence > 0 && epoch > 0 && epoch <= UINT32_MAX;
}

static bool
signed_by(const struct audit_anchor *a, const uint8_t *key)
{
	uint8_t digest[AUDIT_HASH_BYTES];

	digest_of(a, digest);
	return crypto_sign_verify_detached(a->signature, digest, sizeof(digest), key) == 0;
}

bool
audit_anchor_holds(struct audit_walk *w, const struct audit_anchor *a)
{
	char text[sizeof(w->found.text)];
	const struct audit_head *h = &w->head;

	if (w->found.fault != AUDIT_SOUND)
		return false;
	if (memcmp(h->hash, a->hash, sizeof(h->hash)) == 0 && memcmp(h->key, a->key, sizeof(h->key)) == 0 &&
	    h->epoch == a->epoch && signed_by(a, h->key))
		return true;
	/* Who signed the anchor, if its own key did: the log was another one then. */
	if (!signed_by(a, a->key)) {
		(void)snprintf(text, sizeof(text), "the anchor of entry %" PRIu64 " was not signed by authd",
			       a->sequence);
		return audit_walk_fault(w, AUDIT_ANCHOR_BAD, a->sequence, text);
	}
	(void)snprintf(text, sizeof(text),
		       "entry %" PRIu64 " or one before is not what it was when it was anchored",
		       a->sequence);
	return audit_walk_fault(w, AUDIT_ANCHOR_DIFFERS, a->sequence, text);
}

bool
audit_anchor_reached(struct audit_walk *w, const struct audit_anchor *a)
{
	char text[sizeof(w->found.text)];

	if (a->sequence <= w->head.sequence)
		return true;
	if (a->sequence == w->head.sequence + 1)
		(void)snprintf(text, sizeof(text), "entry %" PRIu64 " is cut off: an anchor tells of it",
			       a->sequence);
	else
		(void)snprintf(text, sizeof(text),
			       "the entries %" PRIu64 " to %" PRIu64 " are cut off: an anchor tells of them",
			       w->head.sequence + 1, a->sequence);
	return audit_walk_fault(w, AUDIT_CUT_OFF, w->head.sequence + 1, text);
}
