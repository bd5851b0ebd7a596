/* The small parts of store: ids, rows, the first k, cursors, the dictionary, host rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "answer.h"
#include "base/mem.h"
#include "flow_id.h"
#include "flow_row.h"
#include "hosts.h"
#include "known.h"
#include "lru.h"
#include "names.h"
#include "page.h"
#include "part_memory.h"
#include "row_order.h"
#include "slots.h"
#include "subjects.h"
#include "sum.h"
#include "texts.h"
#include "topk.h"
#include "vendors.h"

static void
ids_are_veiled_for_each_tenant(void **state)
{
	uint8_t secret[FLOW_ID_SECRET] = { 1 };
	struct flow_id_key a, b;
	struct flow_id id, va, vb, before = { { 0 } };

	(void)state;
	flow_id_key(secret, 1, &a);
	flow_id_key(secret, 2, &b);
	for (unsigned i = 0; i < 1000; i++) {
		randombytes_buf(id.b, sizeof(id.b));
		if (i % 2 == 0) { /* neighbours in sequence */
			memset(id.b, 0, sizeof(id.b));
			id.b[15] = (uint8_t)i;
			id.b[14] = (uint8_t)(i >> 8);
		}
		va = flow_id_veil(&a, &id);
		vb = flow_id_veil(&b, &id);
		assert_memory_not_equal(va.b, vb.b, 16);
		assert_memory_not_equal(va.b, id.b, 16);
		assert_memory_not_equal(va.b, before.b, 8);
		assert_memory_not_equal(va.b + 8, before.b + 8, 8);
		before = va;
		va = flow_id_unveil(&a, &va);
		vb = flow_id_unveil(&b, &vb);
		assert_memory_equal(va.b, id.b, 16);
		assert_memory_equal(vb.b, id.b, 16);
	}
}

static void
rows_survive_any_bytes(void **state)
{
	struct rec_flow f = { .last_ns = 50,
			      .first_ns = 10,
			      .slice_ns = 20,
			      .server_name_len = 3,
			      .info_len = 2,
			      .breed = BREED_FUN,
			      .latency_us = 1500,
			      .attributes_len = 9 };
	const struct flow_texts texts = flow_texts_of(&f, "abcde\1\7TLSv1.3");
	uint8_t row[FLOW_ROW_MAX];
	struct kept_flow k;

	(void)state;
	memset(&f.ip, 0x20, sizeof(f.ip));
	memset(&f.exporter, 0x20, sizeof(f.exporter));

	size_t len = flow_row_encode(&f, &texts, row);

	for (size_t cut = 0; cut < len; cut++) {
		memset(&k, 0, sizeof(k));
		k.f.last_ns = 50;
		assert_false(flow_row_decode(row, cut, &k));
	}
	memset(&k, 0, sizeof(k));
	k.f.last_ns = 50;
	assert_true(flow_row_decode(row, len, &k));
	assert_int_equal(k.f.first_ns, 10);
	assert_int_equal(k.f.slice_ns, 20);
	assert_memory_equal(k.texts.info, "de", 2);
	assert_int_equal(k.f.breed, BREED_FUN);
	assert_int_equal(k.f.latency_us, 1500);
	assert_int_equal(k.f.attributes_len, 9);
	assert_memory_equal(k.texts.attributes, "\1\7TLSv1.3", 9);
	row[len - 9]++; /* its number: 2 is a cipher, and so is fine */
	assert_true(flow_row_decode(row, len, &k));
	row[len - 9] = 200; /* no such attribute */
	assert_false(flow_row_decode(row, len, &k));
	row[len - 9] = 1;
	row[0]++;
	assert_false(flow_row_decode(row, len, &k));
}

/* Rows that were kept before attributes were: as they are on disk. */
static void
rows_of_version_1_are_read(void **state)
{
	static const uint8_t kept[] = {
		1,   0,   2,   0,   40,   30, /* version, parts, point, space, times */
		17,  0,   1,   1,   3,    1,   64,  255, 64, 0, 0, 0, /* protocol, ..., dscp */
		10,  0,   0,   1,   0x80, 8,                          /* the client's address and port */
		10,  0,   0,   2,   53,                               /* the server's */
		100, 1,   60,  0,   0,    0,                          /* counters */
		7,   2,   0,   0,                   /* application, category, score, risks */
		3,   'a', 'b', 'c', 2,    'd', 'e', /* server name, info */
	};
	struct kept_flow k = { .f.last_ns = 50 };

	(void)state;
	assert_true(flow_row_decode(kept, sizeof(kept), &k));
	assert_int_equal(k.f.point, 2);
	assert_int_equal(k.f.first_ns, 10);
	assert_int_equal(k.f.port[CLIENT], 1024);
	assert_int_equal(k.f.port[SERVER], 53);
	assert_int_equal(k.f.count.bytes[CLIENT], 100);
	assert_int_equal(k.f.application, 7);
	assert_memory_equal(k.texts.server_name, "abc", 3);
	assert_memory_equal(k.texts.info, "de", 2);
	assert_int_equal(k.f.attributes_len, 0);
	assert_int_equal(k.f.breed, BREED_UNKNOWN);
}

static int
by_value(const void *a, const void *b)
{
	const struct topk_entry *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return memcmp(x->tie, y->tie, sizeof(x->tie));
}

static void
the_first_k_are_those_of_a_sort(void **state)
{
	enum { N = 2000 };
	struct topk_entry *all = mem_calloc(N, sizeof(*all));
	struct topk *t = mem_calloc(1, sizeof(*t));

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		all[i].value = randombytes_uniform(50);
		all[i].ref[0] = i;
		memcpy(all[i].tie, &i, sizeof(i));
	}
	for (int ascending = 0; ascending < 2; ascending++) {
		struct topk_entry *sorted = mem_calloc(N, sizeof(*sorted)), last;
		unsigned got = 0;

		memcpy(sorted, all, N * sizeof(*all));
		qsort(sorted, N, sizeof(*sorted), by_value);
		for (size_t k = 1; got < N; k = k * 3 % 97 + 1) {
			topk_begin(t, k, ascending == 1, got == 0 ? NULL : &last);
			for (unsigned i = 0; i < N; i++)
				if (topk_wants(t, all[i].value))
					topk_offer(t, &all[i]);
			topk_finish(t);
			assert_int_equal(t->n, k < N - got ? k : N - got);
			assert_int_equal(t->matched, N - got);
			for (size_t i = 0; i < t->n; i++, got++)
				assert_int_equal(t->heap[i].ref[0],
						 sorted[ascending ? got : N - 1 - got].ref[0]);
			assert_int_equal(topk_more(t), got < N);
			last = t->heap[t->n - 1];
		}
		free(sorted);
	}
	free(all);
	free(t);
}

static void
cursors_cannot_be_made_outside(void **state)
{
	const uint8_t key[32] = { 7 };
	struct page p = { .kind = 5,
			  .sort = 3,
			  .ascending = 1,
			  .at = { .value = 99, .tenant = 4, .tie = { 1, 2, 3 } } },
		    back;
	uint8_t bytes[PAGE_LEN];

	(void)state;
	page_seal(key, 1, &p, bytes);
	assert_true(page_open(key, 1, bytes, sizeof(bytes), &back));
	assert_memory_equal(&back, &p, sizeof(p));
	assert_false(page_open(key, 2, bytes, sizeof(bytes), &back));
	assert_false(page_open(key, 1, bytes, sizeof(bytes) - 1, &back));
	bytes[20] ^= 1;
	assert_false(page_open(key, 1, bytes, sizeof(bytes), &back));
}

static void
the_dictionary_is_bounded(void **state)
{
	struct names *n = names_new();
	char text[16];

	(void)state;
	for (unsigned i = 0; i < 2 * NAMES_RISKS_MAX; i++) {
		snprintf(text, sizeof(text), "risk %u", i);
		assert_int_equal(names_intern(n, NAME_RISK, text, strlen(text)),
				 i < NAMES_RISKS_MAX ? i + 1 : 0);
	}
	assert_int_equal(names_intern(n, NAME_RISK, "risk 3", 6), 4);
	assert_string_equal(names_text(n, NAME_RISK, 4), "risk 3");
	assert_string_equal(names_text(n, NAME_RISK, 999), "");
	assert_int_equal(names_find(n, NAME_APPLICATION, "risk 3", 6), 0);
	assert_int_equal(names_intern(n, NAME_APPLICATION, "a\0b", 3), 0);
	assert_int_equal(names_intern(n, NAME_APPLICATION, text, 0), 0);
	assert_false(names_restore(n, NAME_APPLICATION, 2, "x", 1));
	assert_true(names_restore(n, NAME_APPLICATION, 1, "x", 1));
	assert_false(names_restore(n, NAME_APPLICATION, 2, "x", 1));
	names_free(&n);
}

static struct host_key
host_number(uint32_t i)
{
	struct host_key k = { .tenant = 1 };

	memcpy(k.ip.b, &i, sizeof(i));
	return k;
}

static uint32_t
host_get(struct hosts *h, const struct host_key *k, bool *fresh)
{
	struct host_place place;

	hosts_expect(h, k->tenant, k->space, &k->ip, k->vlan, &place);
	return hosts_get(h, &place, fresh);
}

/* The one host of a table. */
static struct host *
only_host(struct hosts *h)
{
	struct host_key k = host_number(1);
	bool fresh;

	return hosts_at(h, host_get(h, &k, &fresh));
}

static void
hosts_make_room_oldest_first(void **state)
{
	struct hosts *h = hosts_new(64);
	struct host_key k;
	bool fresh;

	(void)state;
	for (uint32_t i = 0; i < 64; i++) {
		k = host_number(i);

		uint32_t row = host_get(h, &k, &fresh);

		assert_true(fresh);
		hosts_at(h, row)->last_ns = i;
		assert_true(hosts_flow_begins(h, row, SHARE_PRIMARY, CLIENT));
	}
	k = host_number(100);
	assert_int_equal(host_get(h, &k, &fresh), HOST_NONE); /* all have flows */

	/* 7 goes idle, then 3: 7 leaves first. */
	k = host_number(7);
	assert_true(hosts_flow_ends(h, host_get(h, &k, &fresh), SHARE_PRIMARY, CLIENT));
	k = host_number(3);
	assert_true(hosts_flow_ends(h, host_get(h, &k, &fresh), SHARE_PRIMARY, CLIENT));
	k = host_number(100);
	assert_int_not_equal(host_get(h, &k, &fresh), HOST_NONE);
	k = host_number(7);
	assert_null(hosts_find(h, &k));
	k = host_number(3);
	assert_non_null(hosts_find(h, &k));
	hosts_forget(h, 4, 10);
	assert_null(hosts_find(h, &k));
	k = host_number(60);
	assert_non_null(hosts_find(h, &k));
	hosts_free(&h);
}

static void
peers_are_counted(void **state)
{
	struct hosts *table = hosts_new(1);
	struct host *h = only_host(table);
	struct ip_addr ip = { { 0 } };

	(void)state;
	for (uint32_t n = 1; n <= 100000; n++) {
		memcpy(ip.b, &n, sizeof(n));
		host_add_peer(table, h, &ip);
		host_add_peer(table, h, &ip);
		if (n <= HOST_PEERS / 4)
			assert_int_equal(host_peers(table, h), n);
		if (n == 100 || n == 1000 || n == 100000)
			assert_in_range(host_peers(table, h), n * 65 / 100, n * 135 / 100);
	}
	/* Who comes after a forgotten host counts its own. */
	hosts_forget(table, INT64_MAX, 1);
	h = only_host(table);
	for (uint32_t n = 1; n <= HOST_PEERS / 4; n++) {
		memcpy(ip.b, &n, sizeof(n));
		host_add_peer(table, h, &ip);
		assert_int_equal(host_peers(table, h), n);
	}
	hosts_free(&table);
}

static void
top_applications_of_a_host(void **state)
{
	struct hosts *table = hosts_new(1);
	struct host *h = only_host(table);
	const struct host_app *app;
	const uint16_t *number;
	uint64_t most = 0;

	(void)state;
	for (uint16_t i = 1; i <= 50; i++)
		host_add_application(table, h, i, i == 20 ? 100000 : 10, 1);
	assert_int_equal(host_applications(h, &number, &app), HOST_APPS);
	for (unsigned i = 0; i < HOST_APPS; i++)
		most = number[i] == 20 ? app[i].bytes : most;
	assert_in_range(most, 100000, 100100);
	host_less_application(h, 20, 200000, 1);
	hosts_free(&table);
}

static void
know(struct lru *l, const struct host_key *key, uint8_t kind, const char *text, unsigned *evicted)
{
	struct rec_learned r = { .kind = kind, .len = (uint8_t)strlen(text) };

	*evicted += known_learn(l, key, &r, text);
}

static void
surer_names_stand_first(void **state)
{
	static const char *const expected[] = { "dhcp", "mdns", "netbios", "new", "dns" };
	struct lru *l = known_new(4);
	struct host_key key = { 1, 0, { { 0 } }, 0 }, other = { 2, 0, { { 0 } }, 0 };
	const struct known *k;
	unsigned evicted = 0;

	(void)state;
	know(l, &key, HOST_NAME_TLS, "tls", &evicted);
	know(l, &key, HOST_NAME_DNS, "dns", &evicted);
	know(l, &key, HOST_NAME_DHCP, "dhcp", &evicted);
	know(l, &key, HOST_NAME_NETBIOS, "netbios", &evicted);
	know(l, &key, HOST_NAME_MDNS, "mdns", &evicted);
	know(l, &key, HOST_NAME_TLS, "mdns", &evicted); /* it was surer before */
	know(l, &key, HOST_NAME_DNS, "new", &evicted);  /* the least sure makes room */
	know(l, &key, HOST_NAME_TLS, "too late", &evicted);
	know(l, &key, LEARNED_OS, "Plan 9", &evicted);
	k = known_find(l, &key);
	assert_int_equal(k->nnames, HOST_NAMES);
	for (unsigned i = 0; i < HOST_NAMES; i++) {
		assert_int_equal(k->name[i].len, strlen(expected[i]));
		assert_memory_equal(k->name[i].text, expected[i], k->name[i].len);
	}
	assert_int_equal(k->os_len, 6);
	assert_null(known_find(l, &other));
	for (uint8_t i = 1; i < 20; i++) {
		other.ip.b[0] = i;
		know(l, &other, HOST_NAME_DNS, "xyz", &evicted);
	}
	assert_int_equal(evicted, 16);
	assert_non_null(known_find(l, &other));
	assert_null(known_find(l, &key));
	lru_free(&l);
}

/* Put, read and dropped at random, in memory that is often too small. */
static void
texts_come_back_whole(void **state)
{
	enum { KEPT = 20, LONGEST = 400 };
	struct texts *t = texts_new(64);
	uint8_t text[KEPT][LONGEST], got[LONGEST];
	uint32_t number[KEPT] = { 0 }, refused = 0;
	size_t len[KEPT] = { 0 };

	(void)state;
	assert_int_equal(texts_put(t, "", 0), TEXT_NONE);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned n = randombytes_uniform(KEPT);

		if (number[n] != TEXT_NONE) {
			assert_int_equal(texts_get(t, number[n], got, sizeof(got)), len[n]);
			assert_memory_equal(got, text[n], len[n]);
			assert_int_equal(texts_get(t, number[n], got, 7), len[n] < 7 ? len[n] : 7);
			texts_drop(t, number[n]);
		}
		len[n] = 1 + randombytes_uniform(LONGEST);
		randombytes_buf(text[n], len[n]);
		number[n] = texts_put(t, text[n], len[n]);
		refused += number[n] == TEXT_NONE;
	}
	assert_in_range(refused, 1, 19000);
	for (unsigned n = 0; n < KEPT; n++)
		texts_drop(t, number[n]);
	number[0] = texts_put(t, text[0], LONGEST); /* nothing of it has leaked */
	for (unsigned i = 1; i < 64 * TEXT_CHUNK / (LONGEST + TEXT_CHUNK); i++)
		assert_int_not_equal(texts_put(t, text[0], LONGEST), TEXT_NONE);
	texts_free(&t);
}

/* Many tenants come and go: lists that are empty make room. */
static void
slots_of_many_tenants(void **state)
{
	enum { SLOTS = 500 };
	struct slots *s = slots_new(SLOTS);
	uint32_t tenant[SLOTS][2] = { { 0 } }, n, total = 0;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t slot = randombytes_uniform(SLOTS);
		int share = (int)randombytes_uniform(2);
		uint32_t *of = &tenant[slot][share];

		if (*of != 0)
			slots_remove(s, *of, share, slot);
		else
			slots_add(s, i / 50 + 1, share, slot);
		*of = *of != 0 ? 0 : i / 50 + 1;
	}
	for (uint32_t t = 1; t <= 100000 / 50; t++) {
		const uint32_t *entry = slots_of(s, t, &n);

		for (uint32_t i = 0; i < n; i++, total++)
			assert_int_equal(tenant[slots_slot(entry[i])][slots_share(entry[i])], t);
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		total -= (tenant[i][0] != 0 ? 1u : 0) + (tenant[i][1] != 0 ? 1u : 0);
	assert_int_equal(total, 0);
	slots_free(&s);
}

static void
vendors_by_the_longest_assignment(void **state)
{
	static const char csv[] =
	    "Registry,Assignment,Organization Name,Organization Address\r\n"
	    "MA-L,70B3D5,IEEE Registration Authority,\"445 Hoes Lane\r\nPiscataway\"\r\n"
	    "MA-L,002272,\"American \"\"Micro\"\", Corp.\",here\n"
	    "MA-S,70B3D5719,2M Technology,there\n"
	    "MA-M,208593B,IOG ,x\n"
	    "MA-L,00zz72,Nobody,x\nMA-L,123,Short,x\nMA-L\n\nMA-L,00D0EF,IGT";
	struct vendors *v = vendors_new();
	size_t len;

	(void)state;
	assert_null(vendors_find(v, (const uint8_t *)"\x00\x22\x72\1\2\3", &len));
	assert_int_equal(vendors_read(v, (const uint8_t *)csv, sizeof(csv) - 1), 5);
	assert_memory_equal(vendors_find(v, (const uint8_t *)"\x00\x22\x72\1\2\3", &len),
			    "American \"Micro\", Corp.", 23);
	assert_int_equal(len, 23);
	assert_memory_equal(vendors_find(v, (const uint8_t *)"\x70\xb3\xd5\x71\x9a\3", &len), "2M Technology",
			    13);
	assert_memory_equal(vendors_find(v, (const uint8_t *)"\x70\xb3\xd5\x71\x8a\3", &len), "IEEE", 4);
	assert_memory_equal(vendors_find(v, (const uint8_t *)"\x20\x85\x93\xbf\0\3", &len), "IOG", 3);
	assert_int_equal(len, 3);
	assert_null(vendors_find(v, (const uint8_t *)"\x20\x85\x93\xcf\0\3", &len));
	assert_memory_equal(vendors_find(v, (const uint8_t *)"\0\xd0\xef\0\0\3", &len), "IGT", 3);
	assert_null(vendors_find(v, (const uint8_t *)"\x02\x22\x72\1\2\3", &len)); /* made up locally */
	vendors_free(&v);
}

static void
top_ports_of_a_host(void **state)
{
	struct hosts *table = hosts_new(1);
	struct host *h = only_host(table);
	const struct host_port *served;
	uint32_t most = 0, least = UINT32_MAX;
	unsigned places;

	(void)state;
	for (unsigned n = 0; n < 1000; n++)
		host_add_port(table, h, PORT_SERVED, 6, 443, 1, 10);
	for (uint16_t port = 1; port <= 200;
	     port++) /* a scan does not push it out, nor is it counted up by it */
		host_add_port(table, h, PORT_SERVED, 6, port, 1, 1);
	host_add_port(table, h, PORT_SERVED, 6, 60000, 0, 5); /* bytes of a port that made room */
	served = host_ports(h, PORT_SERVED, &places);
	assert_int_equal(places, HOST_PORTS);
	for (unsigned i = 0; i < places; i++) {
		uint32_t own = served[i].flows - served[i].before;

		most = served[i].port == 443 ? own : most;
		least = own < least ? own : least;
		assert_int_not_equal(served[i].port, 60000);
	}
	assert_int_equal(most, 1000);
	assert_int_equal(least, 1);
	hosts_free(&table);
}

static void
rates_are_of_full_seconds(void **state)
{
	struct rate r = { 0 };

	(void)state;
	rate_add(&r, 100, 5, 1);
	rate_add(&r, 101, 7, 1);
	rate_add(&r, 100, 5, 1);
	assert_int_equal(rate_at(&r, 100, 0), 10);
	assert_int_equal(rate_at(&r, 101, 0), 7);
	assert_int_equal(rate_at(&r, 102, 0), 0);
	rate_add(&r, 99, 1000, 1);
	assert_int_equal(rate_at(&r, 100, 0), 10);
	rate_add(&r, 105, 1, 1);
	assert_int_equal(rate_at(&r, 104, 0), 0);
	assert_int_equal(sum_sat(UINT64_MAX, 5), UINT64_MAX);
}

static void
subjects_are_bounded(void **state)
{
	struct subjects *s = subjects_new(10);

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		struct series_key k = { 1, SERIES_APPLICATION, i };

		assert_int_equal(subjects_get(s, &k), i < 10 ? i : SUBJECT_NONE);
	}
	assert_non_null(subjects_find(s, 1, SERIES_APPLICATION, 9));
	assert_null(subjects_find(s, 2, SERIES_APPLICATION, 9));
	subjects_free(&s);
}

/* --- answers
 * ----------------------------------------------------------------------------------------------------------------
 */

static uint32_t rows_seen, messages_seen;

static void
take_message(void *ctx, const void *body, size_t len)
{
	struct wire_answer a;
	const uint8_t *p = (const uint8_t *)body + sizeof(a);

	(void)ctx;
	assert_true(len <= WIRE_ANSWER_MAX);
	memcpy(&a, body, sizeof(a));
	messages_seen++;
	for (uint32_t i = 0; i < a.nrows; i++) {
		uint32_t n;

		assert_true(p + sizeof(n) <= (const uint8_t *)body + len);
		memcpy(&n, p, sizeof(n));
		p += sizeof(n) + n;
		rows_seen++;
	}
	assert_ptr_equal(p, (const uint8_t *)body + len);
}

static void
rows_never_straddle_messages(void **state)
{
	struct answer_out *a = mem_calloc(1, sizeof(*a));
	uint8_t *bytes = mem_calloc(1, 2 * WIRE_ANSWER_MAX);

	(void)state;
	for (size_t step = 1; step < 9000; step = step * 3 + 1) {
		rows_seen = messages_seen = 0;
		answer_begin(a, take_message, NULL, 1, ROW_FLOW, 0);
		for (unsigned i = 0; i < 500; i++) {
			answer_row(a);
			answer_put(a, bytes, (i * step) % 30000);
			answer_put(a, bytes, step);
			answer_row_end(a);
		}
		answer_row(a); /* longer than any message: left out */
		answer_put(a, bytes, WIRE_ANSWER_MAX);
		answer_row_end(a);
		answer_end(a, ANSWER_OK, NULL, 0);
		assert_int_equal(rows_seen, 500);
	}
	free(a);
	free(bytes);
}

static int
by_tenant_end_and_place(const void *a, const void *b)
{
	const struct row_order *x = a, *y = b;

	if (x->tenant != y->tenant)
		return x->tenant < y->tenant ? -1 : 1;
	if (x->last_ns != y->last_ns)
		return x->last_ns < y->last_ns ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Of few and many tenants, of ends close together, far apart, equal and absurd. */
static void
rows_are_ordered_as_by_comparing(void **state)
{
	static const uint64_t spans[] = { 1, 3, 1000, UINT64_C(3000000000), UINT64_MAX };
	static const uint32_t sizes[] = { 0, 1, 2, 17, 5000 };
	static struct row_order row[5000], spare[5000], want[5000];

	(void)state;
	for (unsigned kind = 0; kind < 5 * 5 * 2; kind++) {
		uint32_t n = sizes[kind / 5 % 5];

		for (uint32_t i = 0; i < n; i++) {
			uint64_t r[2];

			randombytes_buf(r, sizeof(r));
			row[i] = (struct row_order){ (int64_t)(r[0] % spans[kind % 5]),
						     kind < 25 ? 7 : (uint32_t)r[1] % (kind * 40000), i };
			if (kind % 5 < 4)
				row[i].last_ns += INT64_C(1700000000) * 1000000000;
		}
		memcpy(want, row, sizeof(row));
		qsort(want, n, sizeof(want[0]), by_tenant_end_and_place);
		row_order_sort(row, spare, n);
		assert_memory_equal(row, want, n * sizeof(row[0]));
	}
}

static void
memory_of_parts_is_bounded(void **state)
{
	struct part_memories *all = part_memories_new(4000);
	struct part_memory *a = part_memory_new(all, 1), *b = part_memory_new(all, 1),
			   *c = part_memory_new(all, 2);
	size_t room[3] = { 0, 0, 0 };
	uint32_t *n[3] = { NULL, NULL, NULL };

	(void)state;
	n[0] = part_memory_grow(a, NULL, &room[0], 200, sizeof(**n));
	assert_int_equal(room[0], 200);
	assert_false(part_memory_is_full(a));
	n[0][199] = 7;
	n[0] = part_memory_grow(a, n[0], &room[0], 201, sizeof(**n));
	assert_int_equal(room[0], 400);
	assert_int_equal(n[0][199], 7);
	for (size_t i = 200; i < room[0]; i++)
		assert_int_equal(n[0][i], 0);
	/* A tenant may have half of it, and another does not notice that it has. */
	n[1] = part_memory_grow(b, NULL, &room[1], 101, sizeof(**n));
	assert_true(part_memory_is_full(b));
	assert_null(n[1]);
	assert_int_equal(room[1], 0);
	n[2] = part_memory_grow(c, NULL, &room[2], 500, sizeof(**n));
	assert_int_equal(room[2], 500);
	/* What a question held is free once it ends; one that is full stays it. */
	part_memory_free(&a);
	free(n[0]);
	n[1] = part_memory_grow(b, NULL, &room[1], 1, sizeof(**n));
	assert_null(n[1]);
	part_memory_free(&b);
	b = part_memory_new(all, 1);
	n[1] = part_memory_grow(b, NULL, &room[1], SIZE_MAX, sizeof(**n));
	assert_null(n[1]);
	part_memory_free(&b);
	b = part_memory_new(all, 1);
	n[1] = part_memory_grow(b, NULL, &room[1], 101, sizeof(**n));
	assert_int_equal(room[1], 101);
	part_memory_free(&b);
	part_memory_free(&c);
	free(n[1]);
	free(n[2]);
	part_memories_free(&all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_veiled_for_each_tenant),
		cmocka_unit_test(rows_survive_any_bytes),
		cmocka_unit_test(rows_of_version_1_are_read),
		cmocka_unit_test(the_first_k_are_those_of_a_sort),
		cmocka_unit_test(cursors_cannot_be_made_outside),
		cmocka_unit_test(the_dictionary_is_bounded),
		cmocka_unit_test(hosts_make_room_oldest_first),
		cmocka_unit_test(peers_are_counted),
		cmocka_unit_test(top_applications_of_a_host),
		cmocka_unit_test(surer_names_stand_first),
		cmocka_unit_test(texts_come_back_whole),
		cmocka_unit_test(slots_of_many_tenants),
		cmocka_unit_test(vendors_by_the_longest_assignment),
		cmocka_unit_test(top_ports_of_a_host),
		cmocka_unit_test(rates_are_of_full_seconds),
		cmocka_unit_test(subjects_are_bounded),
		cmocka_unit_test(rows_never_straddle_messages),
		cmocka_unit_test(rows_are_ordered_as_by_comparing),
		cmocka_unit_test(memory_of_parts_is_bounded),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
