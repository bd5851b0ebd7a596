/* The engine's tables in fixed memory: flows by key, deadlines, texts, hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/hash.h"
#include "device.h"
#include "flow.h"
#include "host.h"
#include "learned.h"
#include "text.h"
#include "wheel.h"

#define FLOWS 1024

static struct flow_key
key_of(unsigned n)
{
	struct flow_key k = { .protocol = 17 };

	memcpy(k.ip[0].b, &n, sizeof(n));
	return k;
}

/* Hashes collide on purpose: the last third shares few homes. */
static uint32_t
hash_of(unsigned n)
{
	return n % 3 == 0 ? (n % 7) << 20 : (uint32_t)hash_mix(n, UINT64_C(0x9e3779b97f4a7c15));
}

static void
test_flows_against_a_model(void **state)
{
	uint32_t number[2 * FLOWS];
	struct flow_table t = { 0 };
	unsigned used = 0;

	(void)state;
	flow_table_init(&t, FLOWS);
	for (unsigned n = 0; n < 2 * FLOWS; n++)
		number[n] = FLOW_NONE;
	for (uint64_t step = 1; step < 200000; step++) {
		unsigned n = (unsigned)(hash_mix(step, UINT64_C(0xd6e8feb86659fd93)) % (2 * FLOWS));
		struct flow_key k = key_of(n);

		assert_int_equal(flow_find(&t, &k, hash_of(n)), number[n]);
		if (number[n] != FLOW_NONE) {
			flow_remove(&t, number[n]);
			number[n] = FLOW_NONE;
			used--;
		} else {
			number[n] = flow_insert(&t, &k, hash_of(n));
			assert_int_equal(number[n] == FLOW_NONE, used == FLOWS);
			used += number[n] != FLOW_NONE;
		}
		assert_int_equal(t.used, used);
	}
	for (unsigned n = 0; n < 2 * FLOWS; n++) {
		struct flow_key k = key_of(n);

		assert_int_equal(flow_find(&t, &k, hash_of(n)), number[n]);
	}
	flow_table_free(&t);
}

static void
test_generation_changes_with_each_use(void **state)
{
	struct flow_table t = { 0 };
	struct flow_key k = key_of(1);
	uint32_t a, first;

	(void)state;
	flow_table_init(&t, 16);
	a = flow_insert(&t, &k, 5);
	first = t.flow[a].generation;
	flow_remove(&t, a);
	assert_int_equal(flow_insert(&t, &k, 5), a);
	assert_int_not_equal(t.flow[a].generation, first);
	flow_table_free(&t);
}

static void
test_wheel_gives_back_what_is_due(void **state)
{
	static struct wheel w;
	struct flow_table t = { 0 };
	uint32_t n[3], got;
	unsigned due = 0;

	(void)state;
	memset(&w, 0, sizeof(w));
	flow_table_init(&t, 16);
	wheel_init(&w, 60 * NS_PER_S);
	wheel_start(&w, 1000 * NS_PER_S);
	for (unsigned i = 0; i < 3; i++) {
		struct flow_key k = key_of(i);

		n[i] = flow_insert(&t, &k, i);
		wheel_put(&w, &t, n[i], (1010 + 10 * (int64_t)i) * NS_PER_S);
	}
	assert_int_equal(wheel_earliest(&w), n[0]);
	assert_int_equal(wheel_due(&w, &t, 3, 1009 * NS_PER_S), FLOW_NONE);
	assert_int_equal(wheel_due(&w, &t, 3, 1011 * NS_PER_S), n[0]);
	assert_int_equal(wheel_due(&w, &t, 3, 1011 * NS_PER_S), FLOW_NONE);
	wheel_remove(&w, &t, n[1]);
	wheel_remove(&w, &t, n[1]); /* twice is harmless */
	/* a jump far past the whole wheel still finds the last */
	while ((got = wheel_due(&w, &t, 1, 4000000 * NS_PER_S)) != FLOW_NONE) {
		assert_int_equal(got, n[2]);
		due++;
	}
	assert_int_equal(due, 1);
	assert_int_equal(wheel_earliest(&w), FLOW_NONE);
	flow_table_free(&t);
}

/* Where the earliest was found is remembered; what is put before it later comes first all the same. */
static void
test_wheel_earliest(void **state)
{
	static struct wheel w;
	struct flow_table t = { 0 };
	uint32_t n[4];

	(void)state;
	memset(&w, 0, sizeof(w));
	flow_table_init(&t, 16);
	wheel_init(&w, 3600 * NS_PER_S);
	wheel_start(&w, 1000 * NS_PER_S);
	for (unsigned i = 0; i < 4; i++) {
		struct flow_key k = key_of(i);

		n[i] = flow_insert(&t, &k, i);
	}
	wheel_put(&w, &t, n[0], 3000 * NS_PER_S);
	assert_int_equal(wheel_earliest(&w), n[0]);
	wheel_put(&w, &t, n[1], 2000 * NS_PER_S);
	assert_int_equal(wheel_earliest(&w), n[1]);
	wheel_put(&w, &t, n[2], 500 * NS_PER_S); /* over already: the next slot's */
	assert_int_equal(wheel_earliest(&w), n[2]);
	wheel_remove(&w, &t, n[2]);
	wheel_remove(&w, &t, n[1]);
	assert_int_equal(wheel_earliest(&w), n[0]);
	assert_int_equal(wheel_due(&w, &t, 1, 3100 * NS_PER_S), n[0]);
	assert_int_equal(wheel_earliest(&w), FLOW_NONE);
	/* Time is set back. */
	wheel_start(&w, 10 * NS_PER_S);
	wheel_put(&w, &t, n[3], 40 * NS_PER_S);
	assert_int_equal(wheel_earliest(&w), n[3]);
	flow_table_free(&t);
}

static void
test_wheel_first_in_first_out(void **state)
{
	static struct wheel w;
	struct flow_table t = { 0 };

	(void)state;
	memset(&w, 0, sizeof(w));
	flow_table_init(&t, 16);
	wheel_init(&w, 3600 * NS_PER_S);
	wheel_start(&w, NS_PER_S);
	for (unsigned i = 0; i < 5; i++) {
		struct flow_key k = key_of(i);

		wheel_put(&w, &t, flow_insert(&t, &k, i), 2 * NS_PER_S);
	}
	for (unsigned i = 0; i < 5; i++) {
		uint32_t n = wheel_due(&w, &t, 5, 3600 * NS_PER_S);

		assert_memory_equal(&t.flow[n].key.ip[0], &i, sizeof(i));
	}
	flow_table_free(&t);
}

static void
test_texts_are_kept_once_and_given_back(void **state)
{
	char text[TEXT_MAX], out[TEXT_MAX];
	struct texts s;
	uint32_t a, b;

	(void)state;
	texts_init(&s, 16, 16, 42);
	for (size_t len = 1; len <= TEXT_MAX; len++) {
		memset(text, (int)('a' + len % 26), len);
		a = text_hold(&s, text, len);
		assert_int_not_equal(a, 0);
		b = text_hold(&s, text, len);
		assert_int_equal(a, b);
		assert_int_equal(text_copy(&s, a, out), len);
		assert_memory_equal(out, text, len);
		text_drop(&s, a);
		assert_int_equal(text_copy(&s, b, out), len);
		text_drop(&s, b);
	}
	assert_int_equal(s.refused, 0); /* 255 texts went through room for a few */
	assert_int_equal(text_hold(&s, "", 0), 0);
	text_drop(&s, 0);
	texts_free(&s);
}

static void
test_bytes_of_any_length(void **state)
{
	uint8_t bytes[TEXT_LONGEST + 1], out[TEXT_LONGEST];
	struct texts s;
	uint32_t a, b;

	(void)state;
	texts_init(&s, 64, 64, 42);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	a = text_hold_bytes(&s, bytes, sizeof(bytes));
	assert_int_not_equal(a, 0);
	assert_int_equal(text_read(&s, a, out, sizeof(out)), TEXT_LONGEST);
	assert_memory_equal(out, bytes, TEXT_LONGEST);
	assert_int_equal(text_read(&s, a, out, 100), 100); /* no more than there is room for */
	assert_int_equal(text_copy(&s, a, (char *)out), TEXT_MAX);
	bytes[TEXT_LONGEST - 1]++;
	b = text_hold_bytes(&s, bytes, TEXT_LONGEST); /* only the last byte differs */
	assert_int_not_equal(a, b);
	text_drop(&s, a);
	assert_int_equal(text_hold_bytes(&s, bytes, TEXT_LONGEST), b);
	text_drop(&s, b);
	text_drop(&s, b);
	for (unsigned i = 0; i < 100; i++) { /* room for two, so that all of it has to come back */
		bytes[0]++;
		a = text_hold_bytes(&s, bytes, TEXT_LONGEST);
		b = text_hold_bytes(&s, bytes, TEXT_LONGEST - 1);
		assert_true(a != 0 && b != 0 && a != b);
		text_drop(&s, a);
		text_drop(&s, b);
	}
	texts_free(&s);
}

static void
test_texts_full(void **state)
{
	char text[TEXT_MAX], out[TEXT_MAX];
	uint32_t kept[16];
	struct texts s;
	unsigned n = 0;

	(void)state;
	texts_init(&s, 16, 16, 42);
	memset(text, 'x', sizeof(text));
	for (; n < 16; n++) {
		text[0] = (char)('a' + n);
		kept[n] = text_hold(&s, text, 100); /* two chunks each */
		if (kept[n] == 0)
			break;
	}
	assert_int_equal(n, 8);
	assert_int_equal(s.refused, 1);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(text_copy(&s, kept[i], out), 100);
		assert_int_equal(out[0], 'a' + (int)i);
	}
	text_drop(&s, kept[3]);
	assert_int_not_equal(text_hold(&s, "short", 5), 0);
	texts_free(&s);
	texts_init(&s, 16, 2, 42); /* there are chunks left, but no room in the index */
	kept[0] = text_hold(&s, "a", 1);
	assert_int_not_equal(text_hold(&s, "b", 1), 0);
	assert_int_equal(text_hold(&s, "c", 1), 0);
	assert_int_equal(text_hold(&s, "a", 1), kept[0]);
	assert_int_equal(s.refused, 1);
	text_drop(&s, kept[0]);
	assert_int_equal(text_hold(&s, "c", 1), 0);
	text_drop(&s, kept[0]);
	assert_int_not_equal(text_hold(&s, "c", 1), 0);
	texts_free(&s);
}

static void
forget(void *ctx, uint32_t number)
{
	*(uint32_t *)ctx = number;
}

static struct host_key
host_at(unsigned n, uint32_t space, uint16_t vlan)
{
	uint8_t v4[4] = { 10, 0, (uint8_t)(n >> 8), (uint8_t)n };

	return (struct host_key){ ip_from_v4(v4), space, vlan, 0 };
}

static void
test_hosts_are_kept_apart_and_the_unused_go_first(void **state)
{
	const uint64_t seed[2] = { 1, 2 };
	struct host_key a = host_at(1, 0, 0), b = host_at(1, 1, 0), c = host_at(1, 0, 9),
			d = host_at(2, 0, 0);
	uint32_t gone = HOST_NONE, na, nb, nc, nd;
	struct host_table t;
	struct texts s;

	(void)state;
	texts_init(&s, 16, 16, 42);
	host_table_init(&t, 3, &s, seed);
	na = host_get(&t, &a, 0, forget, &gone);
	nb = host_get(&t, &b, 0, forget, &gone);
	nc = host_get(&t, &c, 0, forget, &gone);
	assert_int_not_equal(na, nb);
	assert_int_not_equal(na, nc);
	assert_int_equal(host_get(&t, &a, 0, forget, &gone), na);
	assert_int_equal(gone, HOST_NONE);
	t.host[nb].as_name = text_hold(&s, "b.example", 9);
	t.host[na].flags |= HOST_WARM;
	t.host[nc].flows = 1;
	nd = host_get(&t, &d, 0, forget, &gone);
	assert_int_equal(gone, nb); /* a was used meanwhile */
	assert_int_equal(t.evicted, 1);
	assert_false(host_is(&t, nb, &b));
	assert_true(host_is(&t, nd, &d));
	assert_int_equal(host_find(&t, &b), HOST_NONE);
	assert_int_equal(t.host[nd].as_name, 0);
	(void)host_get(&t, &b, 0, forget, &gone);
	assert_int_equal(gone, na); /* c has a flow, a was not used since, and d is younger */
	t.host[nd].flows = 1;
	t.host[host_find(&t, &b)].flows = 1;
	(void)host_get(&t, &a, 0, forget, &gone);
	assert_int_equal(gone, nd);                 /* all are in use: the one that was looked at first */
	assert_int_equal(text_hold(&s, "c", 1), 1); /* the room of the text was given back */
	host_table_free(&t);
	texts_free(&s);
}

static const struct learned *
untold(struct learned_table *t, char name[static TEXT_MAX + 1])
{
	const struct learned *l = learned_untold(t);

	if (l != NULL) {
		name[text_copy(t->texts, l->key.text, name)] = '\0';
		learned_was_told(t);
	}
	return l;
}

static void
learn(struct learned_table *t, uint8_t point, unsigned teller, const char *name, int64_t now_ns)
{
	struct learned_key k = { .kind = HOST_NAME_DNS, .point = point };

	k.end[0].b[15] = (uint8_t)teller;
	learned_add(t, &k, name, strlen(name), now_ns);
}

/* Told once each, in order, again after a while; whose packet it was makes a difference, and so does the
 * point. */
static void
test_what_is_learned_is_told_once(void **state)
{
	char name[TEXT_MAX + 1];
	struct learned_table t;
	struct texts s;

	(void)state;
	texts_init(&s, 16, 16, 42);
	learned_init(&t, 4, &s, 7);
	learn(&t, 0, 1, "a", 1);
	learn(&t, 0, 1, "b", 2);
	learn(&t, 0, 1, "a", 3);
	assert_non_null(untold(&t, name));
	assert_string_equal(name, "a");
	assert_non_null(untold(&t, name));
	assert_string_equal(name, "b");
	assert_null(untold(&t, name));
	learn(&t, 0, 2, "a", 4);
	learn(&t, 1, 1, "a", 4);
	assert_int_equal(untold(&t, name)->key.end[0].b[15], 2);
	assert_int_equal(untold(&t, name)->key.point, 1);
	assert_null(untold(&t, name));
	learn(&t, 0, 1, "b", 2 + LEARNED_AGAIN_NS);
	assert_non_null(untold(&t, name));
	assert_string_equal(name, "b");
	/* All that is still known, to a store that forgot: "b" moved behind the others, "a" of the first
	 * teller made room. */
	learned_tell_again(&t);
	assert_int_equal(untold(&t, name)->key.end[0].b[15], 2);
	assert_int_equal(untold(&t, name)->key.point, 1);
	assert_non_null(untold(&t, name));
	assert_string_equal(name, "b");
	assert_null(untold(&t, name));
	learned_free(&t);
	texts_free(&s);
}

static void
test_learned_makes_room(void **state)
{
	char name[TEXT_MAX + 1];
	struct learned_table t;
	struct texts s;

	(void)state;
	texts_init(&s, 8, 8, 42);
	learned_init(&t, 4, &s, 7);
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		learn(&t, 0, 1, name, i);
	}
	assert_int_equal(t.lost, 996);
	assert_int_equal(s.refused, 0);
	for (unsigned i = 996; i < 1000; i++) {
		char expected[8];

		(void)snprintf(expected, sizeof(expected), "n%u", i);
		assert_non_null(untold(&t, name));
		assert_string_equal(name, expected);
	}
	assert_null(untold(&t, name));
	learned_free(&t);
	texts_free(&s);
}

static struct device *
see(struct device_table *t, uint8_t mac, uint16_t vlan, int64_t now_ns)
{
	struct device_key k = { .mac = { 2, 0, 0, 0, 0, mac }, .vlan = vlan };

	return device_seen(t, &k, now_ns);
}

static void
test_devices(void **state)
{
	struct device_table t;
	struct device *d, *told;
	unsigned n = 0;

	(void)state;
	device_table_init(&t, 3, 42);
	d = see(&t, 1, 0, 100);
	d->frames += 2;
	assert_ptr_not_equal(d, see(&t, 1, 7, 110));
	assert_ptr_not_equal(d, see(&t, 2, 0, 120));
	assert_ptr_equal(d, see(&t, 1, 0, 130));
	assert_int_equal(d->first_ns, 100);
	assert_int_equal(d->last_ns, 130);
	for (; (told = device_changed(&t)) != NULL; n++)
		device_was_told(&t, told);
	assert_int_equal(n, 3);
	assert_int_equal(d->frames, 0);
	/* Counters are of the time since; the least recently seen makes room. */
	assert_int_equal(see(&t, 1, 0, 200)->first_ns, 200);
	assert_int_equal(see(&t, 9, 0, 210)->key.mac[5], 9);
	assert_int_equal(t.evicted, 1);
	assert_int_equal(t.nchanged, 2);
	device_tell_again(&t);
	assert_int_equal(t.nchanged, 3);
	/* A changed one that makes room is told of no more. */
	for (uint8_t i = 20; i < 200; i++) {
		(void)see(&t, i, 0, i * 10);
		assert_int_equal(t.nchanged, 3);
	}
	for (n = 0; (told = device_changed(&t)) != NULL; n++) {
		assert_true(told->key.mac[5] >= 197);
		device_was_told(&t, told);
	}
	assert_int_equal(n, 3);
	device_table_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows_against_a_model),
		cmocka_unit_test(test_generation_changes_with_each_use),
		cmocka_unit_test(test_wheel_gives_back_what_is_due),
		cmocka_unit_test(test_wheel_earliest),
		cmocka_unit_test(test_wheel_first_in_first_out),
		cmocka_unit_test(test_texts_are_kept_once_and_given_back),
		cmocka_unit_test(test_bytes_of_any_length),
		cmocka_unit_test(test_texts_full),
		cmocka_unit_test(test_hosts_are_kept_apart_and_the_unused_go_first),
		cmocka_unit_test(test_what_is_learned_is_told_once),
		cmocka_unit_test(test_learned_makes_room),
		cmocka_unit_test(test_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
