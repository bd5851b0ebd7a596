/* Grants: what was signed comes back, and nothing else is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "policy/grant.h"
#include "policy/snapshot.h"

#define NOW (INT64_C(1800000000) * NS_PER_S)

static uint8_t public_key[2][GRANT_SIGN_PUBLIC], secret_key[2][GRANT_SIGN_SECRET];

static struct grant
example(void)
{
	struct grant g = {
		.audience_proc = 6,
		.audience_instance = 3,
		.tenant = 1,
		.role = ROLE_VIEWER,
		.snapshot = 42,
		.scopes = UINT64_MAX,
		.issued_ns = NOW,
		.expires_ns = NOW + GRANT_LIFE_S * NS_PER_S,
		.nnarrowings = 2,
		.narrowing = { 3, 9 },
		.masked = true,
		.subject = "user:alice",
	};

	randombytes_buf(g.id, sizeof(g.id));
	return g;
}

static enum grant_verdict
check(const uint8_t *bytes, size_t len, int64_t now, struct grant *g)
{
	return grant_verify(bytes, len, (const uint8_t(*)[GRANT_SIGN_PUBLIC])public_key, 1, now, g);
}

static void
round_trip(void **state)
{
	struct grant g = example(), back;
	uint8_t bytes[GRANT_BYTES_MAX];
	size_t len;

	(void)state;
	len = grant_sign(&g, secret_key[0], bytes, sizeof(bytes));
	assert_true(len > 0);
	assert_int_equal(check(bytes, len, NOW, &back), GRANT_GOOD);
	assert_memory_equal(back.id, g.id, sizeof(g.id));
	assert_int_equal(back.audience_proc, 6);
	assert_int_equal(back.audience_instance, 3);
	assert_int_equal(back.tenant, 1);
	assert_int_equal(back.role, ROLE_VIEWER);
	assert_true(back.snapshot == 42 && back.scopes == UINT64_MAX);
	assert_true(back.issued_ns == g.issued_ns && back.expires_ns == g.expires_ns);
	assert_string_equal(back.subject, "user:alice");
	assert_true(back.nnarrowings == 2 && back.narrowing[0] == 3 && back.narrowing[1] == 9);
	assert_true(back.masked && !back.of_token);
}

/* A set: in order, each once, and full is full. */
static void
narrowings_are_a_set(void **state)
{
	struct grant g = { .id = { 0 } };

	(void)state;
	assert_false(grant_narrow(&g, 0));
	assert_true(grant_narrow(&g, 5) && grant_narrow(&g, 9) && grant_narrow(&g, 1) && grant_narrow(&g, 5));
	assert_true(grant_narrow(&g, 6));
	assert_int_equal(g.nnarrowings, 4);
	assert_true(g.narrowing[0] == 1 && g.narrowing[1] == 5 && g.narrowing[2] == 6 && g.narrowing[3] == 9);
	assert_false(grant_narrow(&g, 7));
	assert_true(grant_narrow(&g, 9));
	assert_int_equal(g.nnarrowings, 4);
}

/* Every byte, every bit of it: another grant is no grant. The audience, role and tenant are among these
 * bytes. */
static void
each_flipped_bit_is_refused(void **state)
{
	struct grant g = example(), back = { .role = 77 };
	uint8_t bytes[GRANT_BYTES_MAX];
	size_t len = grant_sign(&g, secret_key[0], bytes, sizeof(bytes));

	(void)state;
	for (size_t i = 0; i < len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1u << bit);
			assert_int_equal(check(bytes, len, NOW, &back), GRANT_FORGED);
			bytes[i] ^= (uint8_t)(1u << bit);
		}
	assert_int_equal(back.role, 77); /* only a good grant sets it */
}

static void
each_length_is_refused(void **state)
{
	struct grant g = example(), back;
	uint8_t bytes[GRANT_BYTES_MAX + 1] = { 0 };
	size_t len = grant_sign(&g, secret_key[0], bytes, GRANT_BYTES_MAX);

	(void)state;
	for (size_t n = 0; n <= sizeof(bytes); n++)
		if (n != len)
			assert_int_not_equal(check(bytes, n, NOW, &back), GRANT_GOOD);
}

static void
times_are_exact(void **state)
{
	struct grant g = example(), back;
	uint8_t bytes[GRANT_BYTES_MAX];
	size_t len = grant_sign(&g, secret_key[0], bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(check(bytes, len, g.issued_ns - 1, &back), GRANT_NOT_YET);
	assert_int_equal(check(bytes, len, g.issued_ns, &back), GRANT_GOOD);
	assert_int_equal(check(bytes, len, g.expires_ns - 1, &back), GRANT_GOOD);
	assert_int_equal(check(bytes, len, g.expires_ns, &back), GRANT_EXPIRED);
	assert_int_equal(check(bytes, len, INT64_MAX, &back), GRANT_EXPIRED);
}

static void
keys_decide(void **state)
{
	struct grant g = example(), back;
	uint8_t bytes[GRANT_BYTES_MAX];
	size_t len = grant_sign(&g, secret_key[1], bytes, sizeof(bytes));
	const uint8_t(*keys)[GRANT_SIGN_PUBLIC] = (const uint8_t(*)[GRANT_SIGN_PUBLIC])public_key;

	(void)state;
	assert_int_equal(grant_verify(bytes, len, keys, 0, NOW, &back), GRANT_FORGED);
	assert_int_equal(grant_verify(bytes, len, keys, 1, NOW, &back), GRANT_FORGED);
	assert_int_equal(grant_verify(bytes, len, keys, 2, NOW, &back), GRANT_GOOD);
}

/* What is out of bounds is not signed, and not taken even where a key of ours signed it. */
static void
bounds_hold(void **state)
{
	uint8_t bytes[GRANT_BYTES_MAX];
	struct grant g;

	(void)state;
#define REFUSED(change)                                                                                      \
	do {                                                                                                 \
		g = example();                                                                               \
		change;                                                                                      \
		assert_int_equal(grant_sign(&g, secret_key[0], bytes, sizeof(bytes)), 0);                    \
	} while (0)
	REFUSED(g.audience_proc = 0);
	REFUSED(g.role = ROLE_NONE);
	REFUSED(g.role = ROLE_COUNT);
	REFUSED(g.tenant = TENANT_UNASSIGNED);
	REFUSED(g.expires_ns = g.issued_ns);
	REFUSED(g.expires_ns = g.issued_ns - 1);
	REFUSED(g.expires_ns = g.issued_ns + GRANT_LIFE_S * NS_PER_S + 1);
	REFUSED(g.issued_ns = -1);
	REFUSED(g.narrowing[1] = 3);
	REFUSED(g.narrowing[1] = 2);
	REFUSED(g.narrowing[0] = 0);
	REFUSED(g.nnarrowings = GRANT_NARROWINGS_MAX + 1);
	REFUSED(g.subject[0] = '\0');
	REFUSED(g.subject[2] = '\n');
	REFUSED(memset(g.subject, 'a', sizeof(g.subject)));
	g = example();
	for (size_t room = 0; room < 80 + 64; room++)
		assert_int_equal(grant_sign(&g, secret_key[0], bytes, room), 0);
}

/* A document of another kind that the same key signed is no grant, nor is a grant with a tail. */
static void
other_documents_are_refused(void **state)
{
	struct snapshot_builder *b = snapshot_builder_new(1);
	struct grant g = example(), back;
	uint8_t bytes[GRANT_BYTES_MAX], *doc;
	size_t len;

	(void)state;
	assert_true(snapshot_add_tenant(b, &(struct tenant){ .number = 1, .name = "default" }));
	doc = snapshot_finish(&b, secret_key[0], &len);
	assert_non_null(doc);
	assert_int_equal(check(doc, len, NOW, &back), GRANT_MALFORMED);
	free(doc);

	len = grant_sign(&g, secret_key[0], bytes, sizeof(bytes)) - crypto_sign_BYTES;
	bytes[len++] = 0;
	crypto_sign_detached(bytes + len, NULL, bytes, len, secret_key[0]);
	assert_int_equal(check(bytes, len + crypto_sign_BYTES, NOW, &back), GRANT_MALFORMED);
	assert_null(snapshot_open(bytes, len + crypto_sign_BYTES, (const uint8_t(*)[32])public_key, 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(narrowings_are_a_set),
		cmocka_unit_test(each_flipped_bit_is_refused),
		cmocka_unit_test(each_length_is_refused),
		cmocka_unit_test(times_are_exact),
		cmocka_unit_test(keys_decide),
		cmocka_unit_test(bounds_hold),
		cmocka_unit_test(other_documents_are_refused),
	};

	if (sodium_init() < 0)
		return 1;
	for (int i = 0; i < 2; i++)
		crypto_sign_keypair(public_key[i], secret_key[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
