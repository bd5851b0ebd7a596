/* What is watched: what may be, who may see and change it, how much of it there may be, and that store is
 * told of it with the policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "authd_desk.h"
#include "base/log.h"
#include "base/mem.h"
#include "tenants.h"
#include "watched.h"

static struct desk desk;
static struct verdict v;

static int
open_desk(void **state)
{
	(void)state;
	desk_open(&desk);
	return 0;
}

static int
close_desk(void **state)
{
	(void)state;
	desk_close(&desk);
	return 0;
}

static void
ask(const char *user, enum admin_status wanted, const char *json)
{
	desk_ask(&desk, user, json, strlen(json), true, &v);
	if (v.status != wanted)
		fail_msg("%s: status %u (%s: %s)", json, v.status, v.fault.field, v.fault.detail);
}

static void
set(const char *user, enum admin_status wanted, const char *kind, const char *key, const char *more)
{
	char json[512];

	assert_true(snprintf(json, sizeof(json), "{\"op\":\"watched.set\",\"kind\":\"%s\",\"key\":\"%s\"%s}",
			     kind, key, more) < (int)sizeof(json));
	ask(user, wanted, json);
}

static void
sees(const char *user, const char *list)
{
	char json[1024];

	ask(user, ADMIN_OK, "{\"op\":\"watched.list\"}");
	assert_true(snprintf(json, sizeof(json), "{\"watched\":[%s]}", list) < (int)sizeof(json));
	assert_string_equal(v.body, json);
}

static uint64_t
policy_number(void)
{
	assert_int_equal(accounts_db_refresh(desk.a.db), DB_OK);
	return accounts_db_snapshot_number(desk.a.db);
}

#define MAIL   "{\"kind\":\"host\",\"key\":\"10.0.0.5\",\"vlan\":7,\"address_space\":2}"
#define OFFICE "{\"kind\":\"network\",\"key\":\"10.0.0.0/8\",\"vlan\":0,\"address_space\":0}"

/* What store is told. */
static struct snapshot *
published(void)
{
	struct wire_grant_keys keys;
	struct snapshot *s;
	uint8_t *doc;
	size_t len;

	assert_int_equal(accounts_db_refresh(desk.a.db), DB_OK);
	assert_true(signing_load(&desk.a.signing, desk.a.db, 1));
	signing_public(&desk.a.signing, &keys);
	doc = signing_snapshot(&desk.a.signing, desk.a.db, &len);
	assert_non_null(doc);
	s = snapshot_open(doc, len, (const uint8_t(*)[32])keys.key, keys.n);
	assert_non_null(s);
	free(doc);
	return s;
}

static void
set_list_remove(void **state)
{
	const struct watched_item *list;
	struct ip_addr mail;
	struct snapshot *s;
	uint64_t policy;
	size_t n;

	(void)state;
	sees("tess", "");
	policy = policy_number();
	set("tess", ADMIN_OK, "host", "10.0.0.5", ",\"vlan\":7,\"address_space\":2");
	assert_true(policy_number() > policy);
	set("tess", ADMIN_OK, "network", "10.0.0.0/8", ",\"watched\":true");
	sees("vic", MAIL "," OFFICE);
	policy = policy_number();
	set("tess", ADMIN_OK, "network", "10.1.2.3/8", "");
	assert_int_equal(policy_number(), policy);
	/* The platform's are others. */
	sees("root", "");
	set("root", ADMIN_OK, "host", "10.0.0.5", "");

	s = published();
	list = snapshot_watched(s, &n);
	assert_int_equal(n, 3);
	assert_true(ip_parse("10.0.0.5", &mail));
	assert_int_equal(list[0].tenant, TENANT_PLATFORM);
	assert_int_equal(list[1].kind, WATCHED_HOST);
	assert_int_equal(list[1].vlan, 7);
	assert_int_equal(list[1].space, 2);
	assert_int_equal(list[1].what.bits, 128);
	assert_true(ip_equal(&list[1].what.addr, &mail));
	assert_int_equal(list[2].kind, WATCHED_NETWORK);
	assert_int_equal(list[2].what.bits, 96 + 8);
	assert_string_equal(snapshot_tenant(s, list[2].tenant)->name, "acme");
	snapshot_free(&s);

	policy = policy_number();
	set("tess", ADMIN_OK, "host", "10.0.0.5", ",\"watched\":false");
	assert_int_equal(policy_number(), policy);
	set("tess", ADMIN_OK, "host", "10.0.0.5", ",\"vlan\":7,\"address_space\":2,\"watched\":false");
	assert_true(policy_number() > policy);
	sees("vic", OFFICE);
	ask("tess", ADMIN_OK, "{\"op\":\"watched.remove\",\"kind\":\"network\",\"key\":\"10.0.0.0/8\"}");
	sees("vic", "");
}

static void
refused(void **state)
{
	(void)state;
	set("vic", ADMIN_DENIED, "host", "10.0.0.1", "");
	set("tess", ADMIN_BAD, "interface", "eth1", "");
	assert_string_equal(v.fault.field, "kind");
	set("tess", ADMIN_BAD, "host", "10.0.0.0/8", "");
	set("tess", ADMIN_BAD, "host", "10.0.0.1", ",\"vlan\":4095");
	set("tess", ADMIN_BAD, "host", "10.0.0.1", ",\"watched\":1");
	set("tess", ADMIN_BAD, "host", "10.0.0.1", ",\"label\":\"x\"");
	set("tess", ADMIN_BAD, "network", "10.0.0.0/8", ",\"vlan\":7");
	/* One that has no series. */
	set("tess", ADMIN_BAD, "network", "10.1.0.0/16", "");
	assert_string_equal(v.fault.field, "key");
	set("tess", ADMIN_BAD, "host", "10.0.0.1", ",\"tenant\":\"default\"");
	ask("tess", ADMIN_NOT_FOUND, "{\"op\":\"watched.list\",\"tenant\":\"*\"}");
	sees("tess", "");
}

/* Of whose networks there are series. */
static void
networks_are_the_tenants(void **state)
{
	(void)state;
	ask("root", ADMIN_OK,
	    "{\"op\":\"tenant.set\",\"name\":\"acme\",\"selectors\":[{\"network\":\"10.1.0.0/16\"}]}");
	set("tess", ADMIN_OK, "network", "10.1.0.0/16", "");
	set("tess", ADMIN_BAD, "network", "10.0.0.0/8", "");
	set("root", ADMIN_OK, "network", "10.0.0.0/8", "");
	/* It may go, though it is not the tenant's any more. */
	ask("root", ADMIN_OK, "{\"op\":\"tenant.set\",\"name\":\"acme\",\"selectors\":[]}");
	set("tess", ADMIN_OK, "network", "10.1.0.0/16", ",\"watched\":false");
	sees("tess", "");
}

static void
parts(void **state)
{
	(void)state;
	ask("root", ADMIN_OK,
	    "{\"op\":\"user.add\",\"name\":\"net\",\"kind\":\"service\",\"access\":[{\"tenant\":\"acme\","
	    "\"role\":\"operator\",\"networks\":[\"10.1.0.0/16\"]}]}");
	ask("root", ADMIN_OK,
	    "{\"op\":\"user.add\",\"name\":\"place\",\"kind\":\"service\",\"access\":[{\"tenant\":\"acme\","
	    "\"role\":\"operator\",\"interfaces\":[\"eth1\"]}]}");
	set("tess", ADMIN_OK, "host", "10.1.0.5", "");
	set("tess", ADMIN_OK, "host", "10.2.0.5", "");
	set("tess", ADMIN_OK, "network", "10.0.0.0/8", "");
	sees("net", "{\"kind\":\"host\",\"key\":\"10.1.0.5\",\"vlan\":0,\"address_space\":0}");
	sees("place", "");
	/* What is not seen is not changed, whether it is there or not. */
	set("net", ADMIN_NOT_FOUND, "host", "10.2.0.5", ",\"watched\":false");
	set("net", ADMIN_NOT_FOUND, "host", "10.2.0.6", "");
	set("net", ADMIN_NOT_FOUND, "network", "10.0.0.0/8", ",\"watched\":false");
	set("net", ADMIN_NOT_FOUND, "network", "192.168.0.0/24", "");
	set("place", ADMIN_NOT_FOUND, "host", "10.1.0.5", "");
	set("net", ADMIN_OK, "host", "10.1.0.5", ",\"watched\":false");
	sees("net", "");
}

static void
applied(void **state)
{
	static const char two[] =
	    "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"acme\",\"watched\":["
	    "{\"kind\":\"network\",\"key\":\"10.0.0.0/"
	    "8\"},{\"kind\":\"host\",\"key\":\"10.0.0.5\",\"vlan\":7,"
	    "\"address_space\":2}]}]}}";

	(void)state;
	set("tess", ADMIN_OK, "host", "10.0.0.1", "");
	set("tess", ADMIN_OK, "network", "10.0.0.0/8", "");
	ask("root", ADMIN_OK, two);
	assert_non_null(strstr(v.body, "\"changes\":[\"watched\"]"));
	sees("tess", MAIL "," OFFICE);
	ask("root", ADMIN_OK, two);
	assert_non_null(strstr(v.body, "\"plan\":[]"));
	ask("root", ADMIN_BAD,
	    "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"acme\",\"watched\":["
	    "{\"kind\":\"host\",\"key\":\"10.0.0.2\"},{\"kind\":\"host\",\"key\":\"10.0.0.2\"}]}]}}");
	assert_string_equal(v.fault.field, "document.tenants[0].watched");
	ask("root", ADMIN_BAD,
	    "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"acme\",\"watched\":["
	    "{\"kind\":\"interface\",\"key\":\"eth1\"}]}]}}");
	assert_string_equal(v.fault.field, "document.tenants[0].watched[0].kind");
	/* A list that is not there leaves them alone; an empty one takes them away. */
	ask("root", ADMIN_OK, "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"acme\"}]}}");
	sees("tess", MAIL "," OFFICE);
	ask("root", ADMIN_OK,
	    "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"acme\",\"watched\":[]}]}}");
	sees("tess", "");
}

static void
fill(struct txn *x, uint32_t tenant, unsigned n)
{
	struct label l = { .kind = LABEL_HOST };

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(l.key, sizeof(l.key), "10.9.%u.%u", i >> 8, i & 255u);
		assert_true(watched_set(x, tenant, &l, true));
	}
}

static size_t
all_watched(void)
{
	struct txn x = txn_begin(accounts_db_tables(desk.a.db), false);
	size_t n = txn_count(&x, TABLE_WATCHED);

	assert_int_equal(txn_end(&x), DB_OK);
	return n;
}

static void
bounded(void **state)
{
	struct txn x = txn_begin(accounts_db_tables(desk.a.db), true);

	(void)state;
	fill(&x, tenant_number(&x, "acme"), WATCHED_MAX - 1);
	assert_int_equal(txn_end(&x), DB_OK);
	set("tess", ADMIN_OK, "host", "10.0.0.1", "");
	set("tess", ADMIN_OK, "host", "10.0.0.1", "");
	set("tess", ADMIN_CONFLICT, "host", "10.0.0.2", "");
	set("tess", ADMIN_OK, "host", "10.0.0.1", ",\"watched\":false");
	set("tess", ADMIN_OK, "host", "10.0.0.2", "");
	set("root", ADMIN_OK, "host", "10.0.0.1", "");
	assert_int_equal(all_watched(), WATCHED_MAX + 1);
	/* They go with their tenant. */
	ask("root", ADMIN_OK, "{\"op\":\"tenant.add\",\"name\":\"brief\"}");
	set("root", ADMIN_OK, "host", "10.0.0.1", ",\"tenant\":\"brief\"");
	ask("root", ADMIN_OK, "{\"op\":\"tenant.remove\",\"name\":\"brief\"}");
	assert_int_equal(all_watched(), WATCHED_MAX + 1);
}

/* Those who watch most leave everybody else a part. */
static void
everybody_has_a_share(void **state)
{
	const unsigned many = SNAPSHOT_WATCHED_MAX / 2 / WATCHED_MAX;
	struct txn x;
	char json[128];
	struct snapshot *s;

	(void)state;
	for (unsigned i = 0; i < many; i++) {
		(void)snprintf(json, sizeof(json), "{\"op\":\"tenant.add\",\"name\":\"greedy%u\"}", i);
		ask("root", ADMIN_OK, json);
	}
	x = txn_begin(accounts_db_tables(desk.a.db), true);
	for (unsigned i = 0; i < many; i++) {
		(void)snprintf(json, sizeof(json), "greedy%u", i);
		fill(&x, tenant_number(&x, json), WATCHED_MAX);
	}
	/* acme, default and the platform beside them. */
	fill(&x, tenant_number(&x, "acme"), SNAPSHOT_WATCHED_MAX / 2 / (many + 3));
	assert_int_equal(txn_end(&x), DB_OK);
	assert_int_equal(v.status, ADMIN_OK);
	set("tess", ADMIN_CONFLICT, "host", "10.8.0.1", "");
	set("root", ADMIN_OK, "host", "10.8.0.1", "");
	set("tess", ADMIN_OK, "host", "10.9.0.1", ",\"watched\":false");
	set("tess", ADMIN_OK, "host", "10.8.0.1", "");
	s = published();
	snapshot_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(set_list_remove, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(refused, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(networks_are_the_tenants, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(parts, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(applied, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(bounded, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(everybody_has_a_share, open_desk, close_desk),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
