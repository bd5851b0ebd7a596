/* Labels: what may be one, who sees which, how many there may be, and that they go with their tenant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "authd_desk.h"
#include "base/log.h"
#include "base/mem.h"
#include "labels.h"
#include "tenants.h"

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
set(const char *user, enum admin_status wanted, const char *kind, const char *key, const char *text)
{
	char json[1024];

	assert_true(snprintf(json, sizeof(json),
			     "{\"op\":\"label.set\",\"kind\":\"%s\",\"key\":\"%s\",\"label\":\"%s\"}", kind,
			     key, text) < (int)sizeof(json));
	ask(user, wanted, json);
}

/* Whether the user's list has all of wanted, and nothing else. */
static void
sees(const char *user, const char *const *wanted, size_t n)
{
	size_t found = 0;

	ask(user, ADMIN_OK, "{\"op\":\"label.list\"}");
	for (const char *at = v.body; (at = strstr(at, "\"label\":")) != NULL; at++)
		found++;
	for (size_t i = 0; i < n; i++)
		if (strstr(v.body, wanted[i]) == NULL)
			fail_msg("%s sees no %s in %s", user, wanted[i], v.body);
	if (found != n)
		fail_msg("%s sees %zu labels: %s", user, found, v.body);
}
#define SEES(user, ...)                                                                                      \
	sees(user, (const char *const[]){ __VA_ARGS__ }, ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))
#define SEES_NONE(user) sees(user, NULL, 0)

static void
set_list_remove(void **state)
{
	(void)state;
	SEES_NONE("tess");
	set("tess", ADMIN_OK, "host", "2001:DB8::0001", "Mail \xc3\xa9");
	set("tess", ADMIN_OK, "network", "10.1.2.3/8", "Office");
	set("tess", ADMIN_OK, "interface", "eth1", "Uplink");
	ask("tess", ADMIN_OK,
	    "{\"op\":\"label.set\",\"kind\":\"host\",\"key\":\"10.0.0.1\",\"vlan\":7,\"address_space\":2,"
	    "\"label\":\"Printer\"}");
	ask("vic", ADMIN_OK, "{\"op\":\"label.list\"}");
	assert_string_equal(
	    v.body,
	    "{\"labels\":["
	    "{\"kind\":\"host\",\"key\":\"2001:db8::1\",\"vlan\":0,\"address_space\":0,\"label\":\"Mail "
	    "\xc3\xa9\"},"
	    "{\"kind\":\"host\",\"key\":\"10.0.0.1\",\"vlan\":7,\"address_space\":2,\"label\":\"Printer\"},"
	    "{\"kind\":\"interface\",\"key\":\"eth1\",\"vlan\":0,\"address_space\":0,\"label\":\"Uplink\"},"
	    "{\"kind\":\"network\",\"key\":\"10.0.0.0/"
	    "8\",\"vlan\":0,\"address_space\":0,\"label\":\"Office\"}]}");
	set("tess", ADMIN_OK, "interface", "eth1", "Downlink");
	set("tess", ADMIN_OK, "host", "2001:db8::1", "");
	set("tess", ADMIN_OK, "host", "2001:db8::1", "");
	ask("tess", ADMIN_OK, "{\"op\":\"label.remove\",\"kind\":\"network\",\"key\":\"10.0.0.0/8\"}");
	SEES("vic", "Printer", "Downlink");
	/* The platform's own are others; who sees all tenants may name one. */
	SEES_NONE("root");
	set("root", ADMIN_OK, "interface", "eth9", "Probe");
	SEES("root", "Probe");
	ask("root", ADMIN_OK, "{\"op\":\"label.list\",\"tenant\":\"acme\"}");
	assert_non_null(strstr(v.body, "Printer"));
	ask("", ADMIN_OK,
	    "{\"op\":\"label.set\",\"tenant\":\"acme\",\"kind\":\"host\",\"key\":\"10.0.0.9\",\"label\":"
	    "\"NAS\"}");
	SEES("vic", "Printer", "Downlink", "NAS");
}

static void
refused(void **state)
{
	(void)state;
	set("vic", ADMIN_DENIED, "host", "10.0.0.1", "mine");
	set("tess", ADMIN_BAD, "host", "10.0.0.0/8", "x");
	set("tess", ADMIN_BAD, "host", "eth1", "x");
	set("tess", ADMIN_BAD, "network", "10.0.0.1/33", "x");
	set("tess", ADMIN_BAD, "interface", "", "x");
	set("tess", ADMIN_BAD, "interface", "eth\\u0001", "x");
	set("tess", ADMIN_BAD, "flow", "1", "x");
	set("tess", ADMIN_BAD, "host", "10.0.0.1", "a\\nb");
	set("tess", ADMIN_BAD, "host", "10.0.0.1", "a\\u202eb");
	set("tess", ADMIN_BAD, "host", "10.0.0.1", "\xff");
	ask("tess", ADMIN_BAD,
	    "{\"op\":\"label.set\",\"kind\":\"interface\",\"key\":\"eth1\",\"vlan\":7,\"label\":\"x\"}");
	assert_string_equal(v.fault.field, "vlan");
	ask("tess", ADMIN_BAD,
	    "{\"op\":\"label.set\",\"kind\":\"host\",\"key\":\"10.0.0.1\",\"vlan\":4095,\"label\":\"x\"}");
	/* Another tenant is as one that is not there. */
	ask("tess", ADMIN_BAD, "{\"op\":\"label.list\",\"tenant\":\"default\"}");
	assert_string_equal(v.fault.detail, "There is no such tenant.");
	ask("tess", ADMIN_BAD, "{\"op\":\"label.list\",\"tenant\":\"nothing\"}");
	assert_string_equal(v.fault.detail, "There is no such tenant.");
	ask("tess", ADMIN_NOT_FOUND, "{\"op\":\"label.list\",\"tenant\":\"*\"}");
	SEES_NONE("tess");
}

static void
add_user(const char *name, const char *access)
{
	char json[1024];

	assert_true(snprintf(json, sizeof(json),
			     "{\"op\":\"user.add\",\"name\":\"%s\",\"kind\":\"service\",\"access\":[{"
			     "\"tenant\":\"acme\",%s}]}",
			     name, access) < (int)sizeof(json));
	ask("root", ADMIN_OK, json);
}

static void
parts(void **state)
{
	(void)state;
	ask("root", ADMIN_OK,
	    "{\"op\":\"tenant.set\",\"name\":\"acme\",\"selectors\":[{\"network\":\"10.0.0.0/8\"}]}");
	add_user("net", "\"role\":\"operator\",\"networks\":[\"10.1.0.0/16\"]");
	add_user("place", "\"role\":\"operator\",\"interfaces\":[\"eth1\"]");
	add_user("far", "\"role\":\"viewer\",\"exporters\":[\"192.0.2.1\"]");
	add_user("masked", "\"role\":\"operator\",\"masked\":true");
	add_user("limited", "\"role\":\"limited-viewer\"");
	set("tess", ADMIN_OK, "host", "10.1.0.1", "h-within");
	set("tess", ADMIN_OK, "host", "10.2.0.1", "h-beside");
	set("tess", ADMIN_OK, "host", "192.0.2.7", "h-remote");
	set("tess", ADMIN_OK, "host", "224.0.0.251", "h-group");
	set("tess", ADMIN_OK, "network", "10.1.2.0/24", "n-within");
	set("tess", ADMIN_OK, "network", "10.0.0.0/8", "n-around");
	set("tess", ADMIN_OK, "network", "192.0.2.0/24", "n-remote");
	set("tess", ADMIN_OK, "interface", "eth1", "i-one");
	set("tess", ADMIN_OK, "interface", "eth2", "i-two");
	SEES("net", "h-within", "n-within", "i-one", "i-two");
	SEES("place", "i-one");
	SEES_NONE("far");
	SEES("masked", "h-within", "h-beside", "h-group", "n-within", "n-around", "i-one", "i-two");
	SEES("limited", "h-within", "h-beside", "h-group", "n-within", "n-around", "i-one", "i-two");
	/* What is not seen is not written either, whether it is there or not. */
	set("net", ADMIN_OK, "host", "10.1.0.1", "h-renamed");
	set("net", ADMIN_NOT_FOUND, "host", "10.2.0.1", "x");
	set("net", ADMIN_NOT_FOUND, "host", "10.2.0.2", "x");
	set("net", ADMIN_NOT_FOUND, "network", "10.0.0.0/8", "");
	set("place", ADMIN_NOT_FOUND, "interface", "eth2", "x");
	set("place", ADMIN_NOT_FOUND, "interface", "eth3", "x");
	set("masked", ADMIN_NOT_FOUND, "host", "192.0.2.7", "x");
	set("masked", ADMIN_NOT_FOUND, "host", "192.0.2.8", "x");
	ask("tess", ADMIN_OK, "{\"op\":\"label.list\"}");
	assert_non_null(strstr(v.body, "h-renamed"));
	assert_non_null(strstr(v.body, "h-beside"));
}

static void
applied(void **state)
{
	static const char two[] =
	    "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"acme\",\"labels\":["
	    "{\"kind\":\"host\",\"key\":\"10.0.0.2\",\"label\":\"b\"},{\"kind\":\"host\",\"key\":\"10.0.0."
	    "1\","
	    "\"label\":\"a\"}]}]}}";

	(void)state;
	set("tess", ADMIN_OK, "host", "10.0.0.1", "old");
	set("tess", ADMIN_OK, "host", "10.0.0.3", "goes");
	ask("root", ADMIN_OK, two);
	assert_non_null(strstr(v.body, "\"changes\":[\"labels\"]"));
	SEES("tess", "\"a\"", "\"b\"");
	ask("root", ADMIN_OK, two);
	assert_non_null(strstr(v.body, "\"plan\":[]"));
	ask("root", ADMIN_BAD,
	    "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"acme\",\"labels\":["
	    "{\"kind\":\"host\",\"key\":\"10.0.0.2\",\"label\":\"b\"},{\"kind\":\"host\",\"key\":\"10.0.0."
	    "2\","
	    "\"label\":\"c\"}]}]}}");
	assert_string_equal(v.fault.field, "document.tenants[0].labels");
	/* A list that is not there leaves them alone; an empty one takes them away. */
	ask("root", ADMIN_OK, "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"acme\"}]}}");
	SEES("tess", "\"a\"", "\"b\"");
	ask("root", ADMIN_OK,
	    "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"acme\",\"labels\":[]}]}}");
	SEES_NONE("tess");
}

static size_t
all_labels(void)
{
	struct txn x = txn_begin(accounts_db_tables(desk.a.db), false);
	size_t n = txn_count(&x, TABLE_LABELS);

	assert_int_equal(txn_end(&x), DB_OK);
	return n;
}

static void
bounded(void **state)
{
	struct label l = { .kind = LABEL_INTERFACE, .text = "x" };
	struct txn x = txn_begin(accounts_db_tables(desk.a.db), true);
	uint32_t acme = tenant_number(&x, "acme");

	(void)state;
	for (unsigned i = 0; i < LABELS_MAX - 1; i++) {
		(void)snprintf(l.key, sizeof(l.key), "if%u", i);
		label_put(&x, acme, &l);
	}
	assert_int_equal(txn_end(&x), DB_OK);
	set("tess", ADMIN_OK, "interface", "last", "x");
	set("tess", ADMIN_OK, "interface", "last", "y");
	set("tess", ADMIN_CONFLICT, "interface", "beyond", "x");
	set("tess", ADMIN_OK, "interface", "if0", "");
	set("tess", ADMIN_OK, "interface", "beyond", "x");
	set("root", ADMIN_OK, "interface", "eth1", "the platform's");
	assert_int_equal(all_labels(), LABELS_MAX + 1);
}

static void
gone_with_the_tenant(void **state)
{
	(void)state;
	ask("root", ADMIN_OK, "{\"op\":\"tenant.add\",\"name\":\"brief\"}");
	ask("root", ADMIN_OK,
	    "{\"op\":\"label.set\",\"tenant\":\"brief\",\"kind\":\"interface\",\"key\":\"eth1\",\"label\":"
	    "\"x\"}");
	set("root", ADMIN_OK, "interface", "eth1", "stays");
	set("tess", ADMIN_OK, "interface", "eth1", "stays");
	assert_int_equal(all_labels(), 3);
	ask("root", ADMIN_OK, "{\"op\":\"tenant.remove\",\"name\":\"brief\"}");
	assert_int_equal(all_labels(), 2);
	SEES("root", "stays");
	SEES("tess", "stays");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(set_list_remove, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(refused, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(parts, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(applied, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(bounded, open_desk, close_desk),
		cmocka_unit_test_setup_teardown(gone_with_the_tenant, open_desk, close_desk),
	};

	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
