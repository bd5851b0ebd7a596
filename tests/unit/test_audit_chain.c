/* The chain of the audit log: whatever is done to an entry is found, and which one is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "audit/chain.h"
#include "base/mem.h"

#define ENTRIES    40
#define EPOCH_EACH 8 /* entry 8, 16, ... ends an epoch */

struct record {
	uint64_t key;
	size_t len;
	uint8_t bytes[AUDIT_RECORD_MAX];
};

static struct record log_of[ENTRIES], work[ENTRIES];
static uint8_t secrets[ENTRIES / EPOCH_EACH + 2][AUDIT_SECRET_BYTES]; /* by epoch */
static struct audit_head heads[ENTRIES + 1];                          /* before entry i */

static struct audit_entry
sample(unsigned i)
{
	struct audit_entry e = {
		.kind = AUDIT_LOGIN,
		.outcome = AUDIT_DONE,
		.time_ns = (int64_t)i * 1000,
		.tenant = i % 3,
		.tenant_name = "acme",
		.actor = "user:alice",
		.credential = "session:0123456789abcdef",
		.has_address = true,
		.address = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1 } },
		.subject = "user:bob",
	};

	(void)snprintf(e.detail, sizeof(e.detail), "entry %u", i);
	return e;
}

static const uint8_t *
public_of(const uint8_t *secret)
{
	return secret + 32;
}

/* Entry i (from 1) as it is at its place. */
static void
append(struct audit_head *h, unsigned i, struct record *r)
{
	struct audit_entry e = sample(i);
	const uint8_t *next = NULL, *secret = secrets[h->epoch == 0 ? 1 : h->epoch];

	if (i == 1) {
		e.kind = AUDIT_BEGUN;
		next = public_of(secrets[1]);
	} else if (i % EPOCH_EACH == 0) {
		e.kind = AUDIT_EPOCH;
		next = public_of(secrets[h->epoch + 1]);
	}
	r->key = i;
	r->len = audit_chain_append(h, &e, next, secret, r->bytes);
	assert_true(r->len > 0 && e.sequence == i);
}

static int
build(void **state)
{
	struct audit_head h = { 0 };
	uint8_t pk[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		crypto_sign_keypair(pk, secrets[i]);
	for (unsigned i = 1; i <= ENTRIES; i++) {
		heads[i - 1] = h;
		append(&h, i, &log_of[i - 1]);
	}
	heads[ENTRIES] = h;
	memcpy(work, log_of, sizeof(work));
	return 0;
}

static struct audit_finding
walk(const struct record *r, size_t n, bool signatures)
{
	struct audit_walk w = { 0 };
	struct audit_entry e;

	for (size_t i = 0; i < n && audit_walk_step(&w, r[i].key, r[i].bytes, r[i].len, signatures, &e); i++)
		continue;
	(void)audit_walk_end(&w);
	return w.found;
}

static void
expect(const struct audit_finding *f, enum audit_fault fault, uint64_t sequence)
{
	char number[32];

	assert_int_equal(f->fault, fault);
	assert_int_equal(f->sequence, sequence);
	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)sequence);
	assert_non_null(strstr(f->text, number));
}

static void
sound_log_is_sound(void **state)
{
	struct audit_finding f;

	(void)state;
	for (size_t n = 1; n <= ENTRIES; n++) {
		f = walk(work, n, true);
		assert_int_equal(f.fault, AUDIT_SOUND);
		f = walk(work, n, false);
		assert_int_equal(f.fault, AUDIT_SOUND);
	}
}

static void
every_field_comes_back(void **state)
{
	struct audit_entry want = sample(2), e;
	struct audit_seal s;
	uint8_t again[AUDIT_RECORD_MAX];

	(void)state;
	want.sequence = 2;
	want.epoch = 1;
	assert_true(audit_entry_decode(work[1].bytes, work[1].len, &e, &s));
	assert_memory_equal(&e, &want, sizeof(e));
	assert_int_equal(audit_entry_encode(&e, &s, again, sizeof(again)),
			 work[1].len - AUDIT_SIGNATURE_BYTES);
	assert_memory_equal(again, work[1].bytes, work[1].len - AUDIT_SIGNATURE_BYTES);
}

static void
longest_entry_fits(void **state)
{
	struct audit_head h = { .sequence = 1, .epoch = 1 };
	struct audit_entry e = sample(1);
	struct record r;

	(void)state;
	memset(e.tenant_name, 'x', sizeof(e.tenant_name) - 1);
	memset(e.actor, 'x', sizeof(e.actor) - 1);
	memset(e.credential, 'x', sizeof(e.credential) - 1);
	memset(e.subject, 'x', sizeof(e.subject) - 1);
	memset(e.detail, 'x', sizeof(e.detail) - 1);
	e.kind = AUDIT_EPOCH;
	assert_true(audit_chain_append(&h, &e, public_of(secrets[2]), secrets[1], r.bytes) > 0);
	e.detail[sizeof(e.detail) - 1] = 'x'; /* no end */
	assert_int_equal(audit_chain_append(&h, &e, public_of(secrets[2]), secrets[1], r.bytes), 0);
}

/* Each byte of an entry, signature and hash included, of the first, of one in the middle, of an epoch's last
 * and of the last. */
static void
each_edited_byte_is_found(void **state)
{
	static const unsigned which[] = { 1, 5, 16, 17, ENTRIES };

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(which); k++) {
		struct record *r = &work[which[k] - 1];

		for (size_t at = 0; at < r->len; at++)
			for (unsigned bit = 0; bit < 8; bit += 7) {
				struct audit_finding f;

				r->bytes[at] ^= (uint8_t)(1u << bit);
				f = walk(work, ENTRIES, true);
				assert_true(f.fault == AUDIT_EDITED || f.fault == AUDIT_UNREADABLE ||
					    f.fault == AUDIT_MOVED || f.fault == AUDIT_NO_START);
				assert_int_equal(f.sequence, which[k] == 1 && f.fault == AUDIT_NO_START
								 ? f.sequence
								 : which[k]);
				r->bytes[at] ^= (uint8_t)(1u << bit);
			}
	}
	assert_int_equal(walk(work, ENTRIES, true).fault, AUDIT_SOUND);
}

/* Without signatures, what a disk does is still found; the last entry alone has nothing behind it. */
static void
hashes_alone_find_damage(void **state)
{
	(void)state;
	for (unsigned i = 1; i < ENTRIES; i++) {
		struct audit_finding f;

		work[i - 1].bytes[work[i - 1].len - 1] ^= 1;
		f = walk(work, ENTRIES, false);
		expect(&f, AUDIT_UNCHAINED, i + 1);
		work[i - 1].bytes[work[i - 1].len - 1] ^= 1;
	}
}

static void
each_removed_entry_is_found(void **state)
{
	(void)state;
	for (unsigned i = 2; i < ENTRIES; i++) {
		struct audit_finding f;

		memcpy(work, log_of, sizeof(work));
		memmove(&work[i - 1], &work[i], (ENTRIES - i) * sizeof(work[0]));
		f = walk(work, ENTRIES - 1, true);
		expect(&f, AUDIT_MISSING, i);
		/* And with the gap closed, as far as that goes. */
		for (unsigned k = i; k < ENTRIES; k++)
			work[k - 1].key = k;
		f = walk(work, ENTRIES - 1, true);
		expect(&f, AUDIT_MOVED, i);
	}
}

static void
each_swap_is_found(void **state)
{
	(void)state;
	for (unsigned i = 1; i < ENTRIES; i++) {
		struct record a = work[i - 1], b = work[i];
		struct audit_finding f;

		work[i - 1] = b;
		work[i - 1].key = i;
		work[i] = a;
		work[i].key = i + 1;
		f = walk(work, ENTRIES, true);
		expect(&f, AUDIT_MOVED, i);
		work[i - 1] = a;
		work[i] = b;
	}
}

/* The beginning may go where an entry says so, and only up to where an epoch ends. */
static void
lost_beginning_is_found(void **state)
{
	(void)state;
	for (unsigned i = 2; i <= ENTRIES; i++) {
		struct audit_finding f = walk(&work[i - 1], ENTRIES - i + 1, true);

		expect(&f, AUDIT_NO_START, i);
	}
}

static void
trimmed_beginning_is_good(void **state)
{
	struct audit_head h = heads[ENTRIES - 1];
	struct audit_entry e = {
		.kind = AUDIT_TRIMMED, .outcome = AUDIT_DONE, .actor = "system", .subject = "entry:16"
	};
	struct audit_finding f;

	(void)state;
	work[ENTRIES - 1].len = audit_chain_append(&h, &e, NULL, secrets[h.epoch], work[ENTRIES - 1].bytes);
	f = walk(&work[15], ENTRIES - 15, true);
	assert_int_equal(f.fault, AUDIT_SOUND);
	f = walk(&work[23], ENTRIES - 23, true);
	expect(&f, AUDIT_NO_START, 24);
	/* What stands there must be what the rest follows. */
	work[15].bytes[60] ^= 1;
	f = walk(&work[15], ENTRIES - 15, true);
	assert_int_not_equal(f.fault, AUDIT_SOUND);
}

/* Whoever has the running epoch's key signs a whole new end, from any entry on: he is found in each epoch
 * before. */
static void
stolen_key_opens_no_former_epoch(void **state)
{
	const uint8_t *stolen = secrets[heads[ENTRIES - 1].epoch];
	unsigned last_epoch_begins = ENTRIES - ENTRIES % EPOCH_EACH - EPOCH_EACH + 1;

	(void)state;
	for (unsigned from = 1; from < last_epoch_begins; from++) {
		struct audit_finding f;

		memcpy(work, log_of, sizeof(work));
		for (unsigned i = from; i <= ENTRIES; i++) {
			struct audit_head h = i == from ? heads[i - 1] : heads[0];
			struct audit_entry e = sample(1000 + i), was;
			struct audit_seal s;

			if (i > from) { /* behind his own */
				struct audit_entry before;

				assert_true(
				    audit_entry_decode(work[i - 2].bytes, work[i - 2].len, &before, &s));
				h.sequence = i - 1;
				h.epoch = before.kind == AUDIT_EPOCH ? before.epoch + 1 : before.epoch;
				audit_digest(AUDIT_FOR_LINK, work[i - 2].bytes, work[i - 2].len, h.hash);
			}
			assert_true(audit_entry_decode(log_of[i - 1].bytes, log_of[i - 1].len, &was, &s));
			e.kind = was.kind;
			if (e.kind == AUDIT_BEGUN)
				h.epoch = 0;
			/* Either he keeps the names of the keys, or he names his own. */
			work[i - 1].len = audit_chain_append(
			    &h, &e, s.has_key ? (from % 2 ? s.key : public_of(stolen)) : NULL, stolen,
			    work[i - 1].bytes);
		}
		f = walk(work, ENTRIES, true);
		if (from == 1) /* a log of his own: only an anchor tells (test_audit_anchor) */
			continue;
		expect(&f, AUDIT_EDITED, from);
	}
}

/* Begun anew without the key: good in itself, and told. */
static void
new_key_is_told(void **state)
{
	struct audit_head h = heads[20];
	struct audit_entry e = sample(21);
	struct audit_finding f;

	(void)state;
	e.kind = AUDIT_BEGUN;
	work[20].len = audit_chain_append(&h, &e, public_of(secrets[0]), secrets[0], work[20].bytes);
	e = sample(22);
	work[21].len = audit_chain_append(&h, &e, NULL, secrets[0], work[21].bytes);
	f = walk(work, 22, true);
	expect(&f, AUDIT_NEW_KEY, 21);
	work[21].bytes[50] ^= 1;
	f = walk(work, 22, true);
	assert_int_equal(f.sequence, 22);
}

/* Signed with the right key, but not behind the entry before. */
static void
fork_is_found(void **state)
{
	struct audit_head h = heads[4];
	struct audit_finding f;

	(void)state;
	h.hash[0] ^= 1;
	append(&h, 5, &work[4]);
	f = walk(work, ENTRIES, true);
	expect(&f, AUDIT_UNCHAINED, 5);
}

#define TEST(f) cmocka_unit_test_setup(f, build)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sound_log_is_sound),        TEST(every_field_comes_back),
		TEST(longest_entry_fits),        TEST(each_edited_byte_is_found),
		TEST(hashes_alone_find_damage),  TEST(each_removed_entry_is_found),
		TEST(each_swap_is_found),        TEST(lost_beginning_is_found),
		TEST(trimmed_beginning_is_good), TEST(stolen_key_opens_no_former_epoch),
		TEST(new_key_is_told),           TEST(fork_is_found),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
