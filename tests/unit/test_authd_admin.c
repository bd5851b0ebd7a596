/* The operations of administration: who may, what is judged, and what they leave behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "authd_desk.h"
#include "base/log.h"
#include "base/mem.h"
#include "totp.h"

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
ask(const char *user, const char *json)
{
	desk_ask(&desk, user, json, strlen(json), true, &v);
}

#define IS(user, json, wanted)                                                                               \
	do {                                                                                                 \
		ask(user, json);                                                                             \
		if (v.status != (wanted))                                                                    \
			fail_msg("%s: status %u (%s: %s)", json, v.status, v.fault.field, v.fault.detail);   \
	} while (0)

static void
says(const char *text)
{
	if (strstr(v.body, text) == NULL)
		fail_msg("no %s in %s", text, v.body);
}

/* --- every member of every operation, given what cannot be --- */

/* One whole request of each operation; each member of it is spoilt in turn. */
static const char *const requests[] = {
	"{\"op\":\"tenant.list\",\"limit\":5,\"cursor\":\"a\"}",
	"{\"op\":\"tenant.get\",\"name\":\"acme\"}",
	"{\"op\":\"tenant.add\",\"name\":\"fresh\",\"title\":\"t\",\"selectors\":[{\"interface\":\"eth1\","
	"\"vlan\":7,\"exporter\":"
	"\"192.0.2.1\",\"exporter_interface\":3,\"network\":\"10.0.0.0/"
	"8\"}],\"address_spaces\":[0,1],\"quotas\":{\"flows_per_s\":1,"
	"\"stored_bytes\":2,\"retention\":3,\"series\":4,\"keep_minutes\":5,\"keep_five_minutes\":6,"
	"\"keep_hours\":7,\"keep_days\":8}}",
	"{\"op\":\"tenant.set\",\"name\":\"acme\",\"title\":\"t\",\"selectors\":[{\"interface\":\"eth1\"}],"
	"\"address_spaces\":[2],"
	"\"quotas\":{\"flows_per_s\":1}}",
	"{\"op\":\"tenant.remove\",\"name\":\"default\"}",
	"{\"op\":\"user.list\",\"limit\":5,\"cursor\":\"a\"}",
	"{\"op\":\"user.get\",\"name\":\"vic\"}",
	"{\"op\":\"user.add\",\"name\":\"wanda\",\"kind\":\"person\",\"title\":\"W\",\"password\":\"a weir "
	"in the river\",\"access\":"
	"[{\"tenant\":\"acme\",\"role\":\"viewer\",\"interfaces\":[\"eth1\"],\"exporters\":[\"192.0.2.1/"
	"7\"],\"networks\":"
	"[\"10.0.0.0/8\"],\"masked\":true}],\"disabled\":false}",
	"{\"op\":\"user.set\",\"name\":\"vic\",\"title\":\"V\",\"access\":[{\"tenant\":\"acme\",\"role\":"
	"\"operator\"}],\"disabled\":"
	"true}",
	"{\"op\":\"user.remove\",\"name\":\"vic\"}",
	"{\"op\":\"user.password\",\"name\":\"vic\",\"password\":\"a weir in the river\"}",
	"{\"op\":\"group.list\",\"limit\":5,\"cursor\":\"a\"}",
	"{\"op\":\"group.get\",\"name\":\"noc\"}",
	"{\"op\":\"group.add\",\"name\":\"night\",\"title\":\"t\",\"members\":[\"vic\"],\"access\":[{"
	"\"tenant\":\"acme\",\"role\":"
	"\"viewer\"}]}",
	"{\"op\":\"group.set\",\"name\":\"noc\",\"title\":\"t\",\"members\":[\"vic\"],\"access\":[{"
	"\"tenant\":\"acme\",\"role\":"
	"\"viewer\"}]}",
	"{\"op\":\"group.remove\",\"name\":\"noc\"}",
	"{\"op\":\"session.list\",\"user\":\"vic\",\"limit\":5,\"cursor\":\"a\"}",
	"{\"op\":\"session.list\",\"all\":true}",
	"{\"op\":\"session.end\",\"user\":\"vic\"}",
	"{\"op\":\"session.end\",\"others\":true}",
	"{\"op\":\"token.list\",\"owner\":\"vic\",\"limit\":5,\"cursor\":\"aa\"}",
	"{\"op\":\"token.list\",\"all\":true}",
	"{\"op\":\"token.add\",\"owner\":\"vic\",\"label\":\"l\",\"tenant\":\"acme\",\"role\":\"viewer\","
	"\"scopes\":[\"traffic:read\"],"
	"\"interfaces\":[\"eth1\"],\"exporters\":[\"192.0.2.1\"],\"networks\":[\"10.0.0.0/"
	"8\"],\"masked\":true,\"expires\":4000000000,"
	"\"sources\":[\"192.0.2.0/24\"]}",
	"{\"op\":\"second_factor.begin\"}",
	"{\"op\":\"second_factor.remove\",\"user\":\"tess\"}",
	"{\"op\":\"me.get\"}",
	"{\"op\":\"me.password\",\"old\":\"something old\",\"new\":\"a weir in the river\"}",
	"{\"op\":\"audit.list\",\"from\":1,\"to\":2,\"actor\":\"user:vic\",\"kind\":\"login\",\"limit\":5}",
	"{\"op\":\"audit.anchor\"}",
	"{\"op\":\"key.rotate\",\"which\":\"grants\"}",
	"{\"op\":\"key.list\"}",
	"{\"op\":\"setting.list\"}",
	"{\"op\":\"label.list\",\"tenant\":\"acme\"}",
	"{\"op\":\"label.set\",\"tenant\":\"acme\",\"kind\":\"host\",\"key\":\"10.0.0.1\",\"vlan\":3,"
	"\"address_space\":1,\"label\":\"mail\"}",
	"{\"op\":\"label.remove\",\"tenant\":\"acme\",\"kind\":\"network\",\"key\":\"10.0.0.0/8\"}",
	"{\"op\":\"watched.list\",\"tenant\":\"acme\"}",
	"{\"op\":\"watched.set\",\"tenant\":\"acme\",\"kind\":\"host\",\"key\":\"10.0.0.1\",\"vlan\":3,"
	"\"address_space\":1,\"watched\":true}",
	"{\"op\":\"watched.remove\",\"tenant\":\"acme\",\"kind\":\"host\",\"key\":\"10.0.0.1\",\"vlan\":3,"
	"\"address_space\":1}",
	"{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"fresh\",\"title\":\"t\",\"labels\":[{"
	"\"kind\":\"host\",\"key\":\"10.0.0.1\",\"label\":\"mail\"}],\"watched\":[{"
	"\"kind\":\"host\",\"key\":\"10.0.0.1\"}]}],\"users\":[{"
	"\"name\":\"wanda\",\"kind\":"
	"\"person\",\"access\":[{\"tenant\":\"fresh\",\"role\":\"viewer\"}]}],\"groups\":[{\"name\":"
	"\"night\",\"members\":[\"wanda\"]}]},"
	"\"dry_run\":true,\"prune\":false}",
};

#define GARBAGE "\"\\u0007garbage\""

/* Members of which this is a good value. */
static bool
may_be(const char *request, const char *member, const char *spoilt)
{
	static const struct {
		const char *member, *value;
	} good[] = {
		{ "cursor", GARBAGE },    { "password", GARBAGE },   { "old", GARBAGE },
		{ "new", GARBAGE },       { "cursor", "\"\"" },      { "title", "\"\"" },
		{ "actor", "\"\"" },      { "expires", "null" },     { "from", "null" },
		{ "to", "null" },         { "flows_per_s", "null" }, { "stored_bytes", "null" },
		{ "series", "null" },     { "retention", "null" },   { "keep_minutes", "null" },
		{ "keep_hours", "null" }, { "keep_days", "null" },   { "keep_five_minutes", "null" },
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (strcmp(good[i].member, member) == 0 && strcmp(good[i].value, spoilt) == 0)
			return true;
	return strstr(request, "label.set") != NULL && strcmp(member, "label") == 0 &&
	       strcmp(spoilt, "\"\"") == 0;
}

/* The value that begins at text[at] ends before the index that this returns. */
static size_t
value_end(const char *text, size_t at)
{
	size_t depth = 0;
	bool quoted = false;

	for (;; at++) {
		if (text[at] == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		if (text[at] == '[' || text[at] == '{')
			depth++;
		if ((text[at] == ']' || text[at] == '}') && depth-- == 0)
			return at;
		if (text[at] == ',' && depth == 0)
			return at;
		if ((text[at] == ']' || text[at] == '}') && depth == 0)
			return at + 1;
	}
}

/* The fault is about this member, or about one within it. */
static void
names_member(const char *request, const char *member, const char *spoilt)
{
	const char *at = strstr(v.fault.field, member);

	if (v.status != ADMIN_BAD)
		fail_msg("%s with %s as %.40s: status %u", request, member, spoilt, v.status);
	if (at == NULL || v.fault.detail[0] == '\0')
		fail_msg("%s with %s as %.40s: field %s: %s", request, member, spoilt, v.fault.field,
			 v.fault.detail);
}

static void
spoil(const char *request, const char *member, size_t from, size_t to, const char *spoilt)
{
	static char text[ADMIN_BODY_MAX];
	int n = snprintf(text, sizeof(text), "%.*s%s%s", (int)from, request, spoilt, request + to);

	assert_true(n > 0 && n < (int)sizeof(text));
	desk_ask(&desk, "root", text, (size_t)n, false, &v);
	if (!may_be(request, member, spoilt))
		names_member(request, member, spoilt);
}

static void
spoil_members(const char *request)
{
	static char longest[9000];
	static const char *const values[] = { GARBAGE,     "\"\"",  "\"\xff\xfe\"", "\"a\xc3(\"",  "null",
					      "{\"x\":1}", "[[1]]", "-1.5",         "\"\\u0000\"", longest };

	(void)memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = longest[sizeof(longest) - 2] = '"';
	for (size_t at = 1; request[at] != '\0'; at++) {
		char member[64];
		size_t end = at, from;

		/* A name: a text with a colon behind it. */
		if (request[at] != '"')
			continue;
		for (end = at + 1; request[end] != '"'; end++)
			;
		if (request[end + 1] != ':') {
			at = end;
			continue;
		}
		(void)snprintf(member, sizeof(member), "%.*s", (int)(end - at - 1), request + at + 1);
		from = end + 2;
		for (size_t i = 0; i < ARRAY_LEN(values); i++)
			spoil(request, member, from, value_end(request, from), values[i]);
		at = end;
	}
}

static void
every_member_is_judged_and_named(void **state)
{
	(void)state;
	IS("root",
	   "{\"op\":\"group.add\",\"name\":\"noc\",\"access\":[{\"tenant\":\"acme\",\"role\":\"viewer\"}]}",
	   ADMIN_OK);
	IS("tess", "{\"op\":\"second_factor.begin\"}", ADMIN_OK);
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		desk_ask(&desk, "root", requests[i], strlen(requests[i]), false, &v);
		if (v.status != ADMIN_OK)
			fail_msg("%s: status %u (%s: %s)", requests[i], v.status, v.fault.field,
				 v.fault.detail);
		spoil_members(requests[i]);
	}
}

/* Each operation has a request above, or is one that needs more than a request. */
static void
every_operation_is_among_them(void **state)
{
	static const char *const others[] = { "token.remove", "second_factor.confirm",
					      "second_factor.recovery", "directory.explain" };

	(void)state;
	for (size_t i = 0; admin_op_at(i) != NULL; i++) {
		const char *name = admin_op_at(i)->name;
		bool found = false;
		char op[64];

		(void)snprintf(op, sizeof(op), "\"op\":\"%s\"", name);
		for (size_t k = 0; k < ARRAY_LEN(requests); k++)
			found = found || strstr(requests[k], op) != NULL;
		for (size_t k = 0; k < ARRAY_LEN(others); k++)
			found = found || strcmp(others[k], name) == 0;
		if (!found)
			fail_msg("no request of %s is tried", name);
	}
}

static void
strangers_and_nonsense_are_named(void **state)
{
	(void)state;
	IS("root", "{\"op\":\"tenant.get\",\"name\":\"acme\",\"colour\":1}", ADMIN_BAD);
	assert_string_equal(v.fault.field, "colour");
	IS("root",
	   "{\"op\":\"user.add\",\"name\":\"w\",\"kind\":\"service\",\"access\":[{\"tenant\":\"acme\","
	   "\"role\":\"viewer\"},{"
	   "\"tenant\":\"acme\",\"role\":\"king\"}]}",
	   ADMIN_BAD);
	assert_string_equal(v.fault.field, "access[1].role");
	IS("root",
	   "{\"op\":\"user.add\",\"name\":\"w\",\"kind\":\"service\",\"access\":[{\"tenant\":\"acme\","
	   "\"role\":\"viewer\","
	   "\"networks\":[\"10.0.0.0/8\",\"10.0.0.0/99\"]}]}",
	   ADMIN_BAD);
	assert_string_equal(v.fault.field, "access[0].networks[1]");
	IS("root", "{\"op\":\"directory.explain\",\"colour\":1}", ADMIN_BAD);
	IS("root", "{\"op\":\"directory.explain\",\"name\":\"alice\"}", ADMIN_CONFLICT);
	IS("tess", "{\"op\":\"directory.explain\",\"name\":\"alice\"}", ADMIN_DENIED);
	IS("root", "{\"op\":\"nothing\"}", ADMIN_BAD);
	assert_string_equal(v.fault.field, "op");
	IS("root", "{}", ADMIN_BAD);
	IS("root", "[]", ADMIN_BAD);
	IS("root", "{\"op\":\"user.add\",\"name\":\"w\",\"kind\":\"person\",\"password\":\"\"}", ADMIN_BAD);
	assert_string_equal(v.fault.field, "password");
	IS("root", "{\"op\":\"user.password\",\"name\":\"root\",\"password\":\"a weir in the river\"}",
	   ADMIN_BAD);
	assert_string_equal(v.fault.field, "name");
	IS("root", "{\"op\":\"token.remove\",\"id\":\"zz\"}", ADMIN_BAD);
	assert_string_equal(v.fault.field, "id");
	IS("root", "{\"op\":\"token.remove\",\"id\":\"0123456789abcdef\"}", ADMIN_NOT_FOUND);
	IS("root", "{\"op\":\"session.end\",\"id\":\"0123456789abcdef\"}", ADMIN_NOT_FOUND);
}

/* --- who may --- */

static void
administrators_of_a_tenant_stay_within_it(void **state)
{
	(void)state;
	IS("tess",
	   "{\"op\":\"user.add\",\"name\":\"amy\",\"kind\":\"person\",\"access\":[{\"tenant\":\"acme\","
	   "\"role\":\"operator\"}]}",
	   ADMIN_OK);
	says("\"password\":\"");
	IS("tess",
	   "{\"op\":\"user.set\",\"name\":\"amy\",\"access\":[{\"tenant\":\"acme\",\"role\":\"viewer\"}]}",
	   ADMIN_OK);
	says("\"role\":\"viewer\"");
	/* Another tenant is as good as none, by name and by user. */
	IS("tess",
	   "{\"op\":\"user.set\",\"name\":\"amy\",\"access\":[{\"tenant\":\"default\",\"role\":\"viewer\"}]}",
	   ADMIN_BAD);
	assert_string_equal(v.fault.field, "access[0].tenant");
	IS("tess",
	   "{\"op\":\"user.set\",\"name\":\"amy\",\"access\":[{\"tenant\":\"nowhere\",\"role\":\"viewer\"}]}",
	   ADMIN_BAD);
	assert_string_equal(v.fault.detail, "There is no such tenant.");
	IS("tess", "{\"op\":\"user.get\",\"name\":\"root\"}", ADMIN_NOT_FOUND);
	IS("tess", "{\"op\":\"user.get\",\"name\":\"nobody\"}", ADMIN_NOT_FOUND);
	IS("tess", "{\"op\":\"tenant.get\",\"name\":\"default\"}", ADMIN_NOT_FOUND);
	/* Nobody gives what he has not. */
	IS("tess",
	   "{\"op\":\"user.set\",\"name\":\"amy\",\"access\":[{\"tenant\":\"*\",\"role\":\"viewer\"}]}",
	   ADMIN_DENIED);
	IS("tess",
	   "{\"op\":\"user.set\",\"name\":\"amy\",\"access\":[{\"tenant\":\"acme\",\"role\":\"platform-"
	   "administrator\"}]}",
	   ADMIN_DENIED);
	IS("tess", "{\"op\":\"tenant.add\",\"name\":\"mine\"}", ADMIN_DENIED);
	IS("tess", "{\"op\":\"user.list\"}", ADMIN_OK);
	assert_null(strstr(v.body, "\"root\""));
	says("\"amy\"");
	IS("tess", "{\"op\":\"tenant.list\"}", ADMIN_OK);
	assert_null(strstr(v.body, "\"default\""));
	IS("tess", "{\"op\":\"group.add\",\"name\":\"noc\",\"members\":[\"amy\",\"root\"],\"access\":[]}",
	   ADMIN_BAD);
	assert_string_equal(v.fault.field, "members[1]");
	IS("vic", "{\"op\":\"user.list\"}", ADMIN_DENIED);
	IS("vic", "{\"op\":\"session.list\",\"user\":\"tess\"}", ADMIN_NOT_FOUND);
	IS("vic", "{\"op\":\"session.list\"}", ADMIN_OK);
	IS("vic", "{\"op\":\"me.get\"}", ADMIN_OK);
	says("\"tenants\":[\"acme\"]");
	IS("", "{\"op\":\"me.get\"}", ADMIN_DENIED);
}

static void
somebody_stays_administrator(void **state)
{
	(void)state;
	/* The desk does not look at that; it is admin.c's, which the process's tests ask. */
	IS("root", "{\"op\":\"user.set\",\"name\":\"root\",\"title\":\"the first\"}", ADMIN_OK);
	assert_true(accounts_db_has_administrator(desk.a.db));
	IS("", "{\"op\":\"user.set\",\"name\":\"root\",\"disabled\":true}", ADMIN_OK);
	assert_false(accounts_db_has_administrator(desk.a.db));
	IS("",
	   "{\"op\":\"group.add\",\"name\":\"admins\",\"members\":[\"vic\"],\"access\":[{\"tenant\":\"*\","
	   "\"role\":"
	   "\"platform-administrator\"}]}",
	   ADMIN_OK);
	assert_true(accounts_db_has_administrator(desk.a.db));
	IS("", "{\"op\":\"user.remove\",\"name\":\"vic\"}", ADMIN_OK);
	assert_false(accounts_db_has_administrator(desk.a.db));
}

/* --- what they do --- */

static void
tenants_come_change_and_go(void **state)
{
	uint64_t before = accounts_db_snapshot_number(desk.a.db);

	(void)state;
	IS("root",
	   "{\"op\":\"tenant.add\",\"name\":\"beta\",\"title\":\"B\",\"selectors\":[{\"interface\":\"eth1\"},"
	   "{\"exporter\":"
	   "\"192.0.2.1\",\"exporter_interface\":3}],\"quotas\":{\"retention\":86400,\"series\":null}}",
	   ADMIN_OK);
	says(
	    "\"selectors\":[{\"interface\":\"eth1\"},{\"exporter\":\"192.0.2.1\",\"exporter_interface\":3}]");
	says("\"retention\":86400");
	says("\"series\":null");
	assert_true(accounts_db_snapshot_number(desk.a.db) > before);
	IS("root", "{\"op\":\"tenant.add\",\"name\":\"beta\"}", ADMIN_CONFLICT);
	assert_string_equal(v.fault.field, "name");
	IS("root", "{\"op\":\"tenant.set\",\"name\":\"beta\",\"selectors\":[]}", ADMIN_OK);
	says("\"selectors\":[]");
	says("\"title\":\"B\"");
	IS("root", "{\"op\":\"tenant.remove\",\"name\":\"acme\"}", ADMIN_CONFLICT);
	IS("root", "{\"op\":\"tenant.remove\",\"name\":\"beta\"}", ADMIN_OK);
	IS("root", "{\"op\":\"tenant.get\",\"name\":\"beta\"}", ADMIN_NOT_FOUND);
	IS("root", "{\"op\":\"tenant.add\",\"name\":\"*\"}", ADMIN_BAD);
	IS("root", "{\"op\":\"tenant.add\",\"name\":\"-x\"}", ADMIN_BAD);
}

static void
lists_go_page_by_page(void **state)
{
	char json[128], cursor[64] = "";
	unsigned seen = 0, pages = 0;

	(void)state;
	for (int i = 0; i < 25; i++) {
		(void)snprintf(json, sizeof(json), "{\"op\":\"tenant.add\",\"name\":\"t%02d\"}", i);
		IS("root", json, ADMIN_OK);
	}
	do {
		const char *more;

		(void)snprintf(json, sizeof(json), "{\"op\":\"tenant.list\",\"limit\":10%s%s%s}",
			       cursor[0] == '\0' ? "" : ",\"cursor\":\"", cursor,
			       cursor[0] == '\0' ? "" : "\"");
		IS("root", json, ADMIN_OK);
		for (const char *p = v.body; (p = strstr(p, "\"name\"")) != NULL; p++)
			seen++;
		more = strstr(v.body, "\"cursor\":\"");
		cursor[0] = '\0';
		if (more != NULL)
			(void)sscanf(more, "\"cursor\":\"%60[^\"]", cursor);
		pages++;
	} while (cursor[0] != '\0' && pages < 10);
	assert_int_equal(seen, 27);
	assert_int_equal(pages, 3);
}

/* Who has rights in several tenants does not exist for the administrator of one: the log does not tell of him
 * there either. */
static void
the_log_of_a_tenant_tells_of_no_other(void **state)
{
	(void)state;
	IS("root",
	   "{\"op\":\"user.add\",\"name\":\"mia\",\"kind\":\"service\",\"access\":[{\"tenant\":\"acme\","
	   "\"role\":\"viewer\"},{\"tenant\":\"default\",\"role\":\"viewer\"}]}",
	   ADMIN_OK);
	IS("root",
	   "{\"op\":\"user.add\",\"name\":\"max\",\"kind\":\"service\",\"access\":[{\"tenant\":\"acme\","
	   "\"role\":\"viewer\"}]}",
	   ADMIN_OK);
	IS("root",
	   "{\"op\":\"group.add\",\"name\":\"mixed\",\"access\":[{\"tenant\":\"acme\",\"role\":\"viewer\"},{"
	   "\"tenant\":\"default\",\"role\":\"viewer\"}]}",
	   ADMIN_OK);
	IS("root", "{\"op\":\"group.remove\",\"name\":\"mixed\"}", ADMIN_OK);
	IS("root", "{\"op\":\"user.set\",\"name\":\"mia\",\"title\":\"Mia\"}", ADMIN_OK);
	IS("tess", "{\"op\":\"audit.list\"}", ADMIN_OK);
	says("user:max");
	assert_null(strstr(v.body, "default"));
	assert_null(strstr(v.body, "user:mia"));
	assert_null(strstr(v.body, "group:mixed"));
	/* Nor does it where he goes to another. */
	IS("root",
	   "{\"op\":\"user.set\",\"name\":\"max\",\"access\":[{\"tenant\":\"default\",\"role\":\"viewer\"}]}",
	   ADMIN_OK);
	IS("tess", "{\"op\":\"audit.list\"}", ADMIN_OK);
	assert_null(strstr(v.body, "default"));
	IS("root", "{\"op\":\"audit.list\"}", ADMIN_OK);
	says("viewer in acme, viewer in default");
	says("group:mixed");
}

/* Others' names before, between and behind one's own make no page longer, shorter or more. */
static void
lists_end_where_ones_own_does(void **state)
{
	static const char *const names[] = { "aa", "tf", "uu", "zz" };
	char json[192];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(json, sizeof(json),
			       "{\"op\":\"user.add\",\"name\":\"%s\",\"kind\":\"service\",\"access\":[{"
			       "\"tenant\":\"default\",\"role\":\"viewer\"}]}",
			       names[i]);
		IS("root", json, ADMIN_OK);
		(void)snprintf(json, sizeof(json),
			       "{\"op\":\"group.add\",\"name\":\"%s\",\"access\":[{\"tenant\":\"default\","
			       "\"role\":\"viewer\"}]}",
			       names[i]);
		IS("root", json, ADMIN_OK);
		(void)snprintf(json, sizeof(json), "{\"op\":\"token.add\",\"owner\":\"%s\",\"label\":\"x\"}",
			       names[i]);
		IS("root", json, ADMIN_OK);
		(void)snprintf(json, sizeof(json), "{\"op\":\"tenant.add\",\"name\":\"%s\"}", names[i]);
		IS("root", json, ADMIN_OK);
	}
	IS("tess",
	   "{\"op\":\"group.add\",\"name\":\"noc\",\"access\":[{\"tenant\":\"acme\",\"role\":\"viewer\"}]}",
	   ADMIN_OK);
	IS("vic", "{\"op\":\"token.add\",\"label\":\"mine\"}", ADMIN_OK);
	IS("tess", "{\"op\":\"user.list\",\"limit\":1}", ADMIN_OK);
	says("\"cursor\":\"tess\"");
	IS("tess", "{\"op\":\"user.list\",\"limit\":1,\"cursor\":\"tess\"}", ADMIN_OK);
	says("\"name\":\"vic\"");
	assert_null(strstr(v.body, "cursor"));
	IS("tess", "{\"op\":\"group.list\",\"limit\":1}", ADMIN_OK);
	says("\"name\":\"noc\"");
	assert_null(strstr(v.body, "cursor"));
	IS("tess", "{\"op\":\"tenant.list\",\"limit\":1}", ADMIN_OK);
	says("\"name\":\"acme\"");
	assert_null(strstr(v.body, "cursor"));
	IS("tess", "{\"op\":\"token.list\",\"all\":true,\"limit\":1}", ADMIN_OK);
	says("\"owner\":\"vic\"");
	assert_null(strstr(v.body, "cursor"));
}

static void
groups_give_and_take(void **state)
{
	(void)state;
	IS("root",
	   "{\"op\":\"group.add\",\"name\":\"noc\",\"members\":[\"vic\",\"tess\",\"vic\"],\"access\":[{"
	   "\"tenant\":\"default\","
	   "\"role\":\"operator\",\"networks\":[\"10.1.0.0/16\",\"10.1.0.0/16\"]}]}",
	   ADMIN_OK);
	says("\"members\":[\"tess\",\"vic\"]");
	says("\"networks\":[\"10.1.0.0/16\"]");
	IS("vic", "{\"op\":\"me.get\"}", ADMIN_OK);
	says("\"tenants\":[\"acme\",\"default\"]");
	says("\"groups\":[\"noc\"]");
	/* tess may not touch vic any more: he has rights elsewhere. */
	IS("tess", "{\"op\":\"user.get\",\"name\":\"vic\"}", ADMIN_NOT_FOUND);
	IS("root", "{\"op\":\"group.set\",\"name\":\"noc\",\"members\":[\"tess\"]}", ADMIN_OK);
	IS("tess", "{\"op\":\"user.get\",\"name\":\"vic\"}", ADMIN_OK);
	IS("root", "{\"op\":\"group.remove\",\"name\":\"noc\"}", ADMIN_OK);
	IS("tess", "{\"op\":\"me.get\"}", ADMIN_OK);
	says("\"tenants\":[\"acme\"]");
}

/* A tenant's administrator who names the members that he sees takes nobody out whom he does not. */
static void
members_that_are_not_seen_stay(void **state)
{
	(void)state;
	IS("root",
	   "{\"op\":\"user.add\",\"name\":\"olga\",\"kind\":\"service\",\"access\":[{\"tenant\":\"default\","
	   "\"role\":\"viewer\"}]}",
	   ADMIN_OK);
	IS("root",
	   "{\"op\":\"group.add\",\"name\":\"crew\",\"members\":[\"olga\",\"tess\",\"vic\"],\"access\":[{"
	   "\"tenant\":\"acme\",\"role\":\"viewer\"}]}",
	   ADMIN_OK);
	IS("tess", "{\"op\":\"group.get\",\"name\":\"crew\"}", ADMIN_OK);
	says("\"members\":[\"tess\",\"vic\"]");
	IS("tess", "{\"op\":\"group.set\",\"name\":\"crew\",\"members\":[\"tess\"]}", ADMIN_OK);
	says("\"members\":[\"tess\"]");
	IS("root", "{\"op\":\"group.get\",\"name\":\"crew\"}", ADMIN_OK);
	says("\"olga\"");
	says("\"tess\"");
	assert_null(strstr(v.body, "\"vic\""));
	IS("root", "{\"op\":\"group.remove\",\"name\":\"crew\"}", ADMIN_OK);
}

/* Selectors of more tenants than a policy holds: apply makes none of them. */
static void
apply_keeps_to_what_a_policy_holds(void **state)
{
	static char json[ADMIN_BODY_MAX];
	unsigned tenants = 0;

	(void)state;
	do {
		size_t n =
		    (size_t)snprintf(json, sizeof(json), "{\"op\":\"apply\",\"document\":{\"tenants\":[");

		for (unsigned i = 0; i < 8; i++) {
			n += (size_t)snprintf(json + n, sizeof(json) - n,
					      "%s{\"name\":\"sel%u\",\"selectors\":[{}", i == 0 ? "" : ",",
					      tenants + i);
			for (unsigned k = 1; k < SELECTORS_MAX; k++)
				n += (size_t)snprintf(json + n, sizeof(json) - n, ",{}");
			n += (size_t)snprintf(json + n, sizeof(json) - n, "]}");
		}
		(void)snprintf(json + n, sizeof(json) - n, "]}}");
		ask("root", json);
		tenants += v.status == ADMIN_OK ? 8 : 0;
	} while (v.status == ADMIN_OK && tenants < 64);
	assert_int_equal(v.status, ADMIN_CONFLICT);
	/* The default tenant has a selector, too. */
	assert_int_equal(tenants, SNAPSHOT_SELECTORS_MAX / SELECTORS_MAX - 8);
	IS("root", "{\"op\":\"tenant.get\",\"name\":\"sel23\"}", ADMIN_OK);
	IS("root", "{\"op\":\"tenant.get\",\"name\":\"sel24\"}", ADMIN_NOT_FOUND);
}

/* Tokens take of the room for narrowings that everybody shares. */
static void
tokens_of_one_take_their_share(void **state)
{
	static char json[ADMIN_BODY_MAX];
	unsigned made = 0;

	(void)state;
	do {
		size_t n = (size_t)snprintf(json, sizeof(json),
					    "{\"op\":\"token.add\",\"label\":\"x\",\"networks\":[");

		for (unsigned i = 0; i < 1024; i++)
			n += (size_t)snprintf(json + n, sizeof(json) - n, "%s\"10.%u.%u.%u\"",
					      i == 0 ? "" : ",", made, i >> 8, i & 255);
		(void)snprintf(json + n, sizeof(json) - n, "]}");
		ask("vic", json);
		made += v.status == ADMIN_OK;
	} while (v.status == ADMIN_OK && made < 20);
	assert_int_equal(v.status, ADMIN_CONFLICT);
	assert_string_equal(v.fault.field, "owner");
	assert_int_equal(made, 4);
	IS("tess", "{\"op\":\"token.add\",\"label\":\"x\",\"networks\":[\"10.9.9.9\"]}", ADMIN_OK);
	IS("vic", "{\"op\":\"token.add\",\"label\":\"x\"}", ADMIN_OK);
}

static void
tokens_are_shown_once_and_narrower(void **state)
{
	char id[17], json[128];

	(void)state;
	IS("vic",
	   "{\"op\":\"token.add\",\"label\":\"mine\",\"scopes\":[\"traffic:read\"],\"networks\":[\"10.0.0.0/"
	   "8\"]}",
	   ADMIN_OK);
	says("\"secret\":\"weir_");
	says("\"tenant\":\"acme\"");
	says("\"role\":\"viewer\"");
	assert_int_equal(sscanf(strstr(v.body, "\"id\":\""), "\"id\":\"%16[0-9a-f]", id), 1);
	IS("vic", "{\"op\":\"token.list\"}", ADMIN_OK);
	assert_null(strstr(v.body, "weir_"));
	says(id);
	IS("vic", "{\"op\":\"token.add\",\"label\":\"x\",\"role\":\"operator\"}", ADMIN_BAD);
	assert_string_equal(v.fault.field, "role");
	IS("vic", "{\"op\":\"token.add\",\"label\":\"x\",\"tenant\":\"default\"}", ADMIN_BAD);
	assert_string_equal(v.fault.field, "tenant");
	IS("vic", "{\"op\":\"token.add\",\"label\":\"x\",\"expires\":1}", ADMIN_BAD);
	assert_string_equal(v.fault.field, "expires");
	IS("vic", "{\"op\":\"token.add\",\"owner\":\"tess\",\"label\":\"x\"}", ADMIN_NOT_FOUND);
	IS("tess", "{\"op\":\"token.list\",\"owner\":\"vic\"}", ADMIN_OK);
	says(id);
	IS("tess", "{\"op\":\"token.list\",\"all\":true}", ADMIN_OK);
	says(id);
	(void)snprintf(json, sizeof(json), "{\"op\":\"token.remove\",\"id\":\"%s\"}", id);
	IS("vic", json, ADMIN_OK);
	IS("vic", json, ADMIN_NOT_FOUND);
	(void)str_copy(desk.boot.settings.tokens_for, sizeof(desk.boot.settings.tokens_for), "operator");
	IS("vic", "{\"op\":\"token.add\",\"label\":\"mine\"}", ADMIN_DENIED);
	IS("tess", "{\"op\":\"token.add\",\"owner\":\"vic\",\"label\":\"for him\"}", ADMIN_OK);
}

static void
apply_is_idempotent(void **state)
{
	static const char document[] = "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"beta\","
				       "\"title\":\"B\",\"selectors\":[{\"interface\":\"eth2\"}]}],"
				       "\"users\":[{\"name\":\"bea\",\"kind\":\"person\",\"access\":[{"
				       "\"tenant\":\"beta\",\"role\":\"viewer\"}]}],"
				       "\"groups\":[{\"name\":\"betas\",\"members\":[\"bea\"],\"access\":[{"
				       "\"tenant\":\"beta\",\"role\":\"operator\"}]}]}%s}";
	char json[1024];

	(void)state;
	(void)snprintf(json, sizeof(json), document, ",\"dry_run\":true");
	IS("root", json, ADMIN_OK);
	says("{\"action\":\"add\",\"kind\":\"tenant\",\"name\":\"beta\"");
	says("\"applied\":false");
	IS("root", "{\"op\":\"tenant.get\",\"name\":\"beta\"}", ADMIN_NOT_FOUND);
	(void)snprintf(json, sizeof(json), document, "");
	IS("root", json, ADMIN_OK);
	says("{\"action\":\"add\",\"kind\":\"user\",\"name\":\"bea\"");
	says("{\"action\":\"add\",\"kind\":\"group\",\"name\":\"betas\"");
	IS("root", json, ADMIN_OK);
	says("{\"plan\":[],\"applied\":true}");
	/* A fault in the middle: nothing of it is done. */
	IS("root",
	   "{\"op\":\"apply\",\"document\":{\"tenants\":[{\"name\":\"gamma\"}],\"users\":[{\"name\":\"gus\","
	   "\"kind\":\"person\","
	   "\"access\":[{\"tenant\":\"delta\",\"role\":\"viewer\"}]}]}}",
	   ADMIN_BAD);
	assert_string_equal(v.fault.field, "document.users[0].access[0].tenant");
	IS("root", "{\"op\":\"tenant.get\",\"name\":\"gamma\"}", ADMIN_NOT_FOUND);
	/* Pruning takes what is not named, of the kinds that are, but never who asks. */
	IS("root", "{\"op\":\"apply\",\"document\":{\"groups\":[]},\"prune\":true}", ADMIN_OK);
	says("{\"action\":\"remove\",\"kind\":\"group\",\"name\":\"betas\"");
	IS("root", "{\"op\":\"user.get\",\"name\":\"bea\"}", ADMIN_OK);
	IS("root",
	   "{\"op\":\"apply\",\"document\":{\"users\":[{\"name\":\"bea\",\"kind\":\"person\"}]},\"prune\":"
	   "true}",
	   ADMIN_OK);
	says("\"name\":\"vic\"");
	IS("root", "{\"op\":\"user.get\",\"name\":\"root\"}", ADMIN_OK);
	IS("root", "{\"op\":\"user.get\",\"name\":\"vic\"}", ADMIN_NOT_FOUND);
}

static void
second_factors_are_confirmed_first(void **state)
{
	(void)state;
	IS("vic", "{\"op\":\"second_factor.confirm\",\"code\":\"123456\"}", ADMIN_CONFLICT);
	IS("vic", "{\"op\":\"second_factor.begin\"}", ADMIN_OK);
	says("\"uri\":\"otpauth://totp/Weir:vic?secret=");
	IS("vic", "{\"op\":\"second_factor.confirm\",\"code\":\"\"}", ADMIN_BAD);
	assert_string_equal(v.fault.field, "code");
	IS("vic", "{\"op\":\"me.get\"}", ADMIN_OK);
	says("\"second_factor\":false");
	IS("vic", "{\"op\":\"second_factor.remove\",\"user\":\"tess\"}", ADMIN_NOT_FOUND);
	IS("tess", "{\"op\":\"second_factor.remove\",\"user\":\"vic\"}", ADMIN_OK);
	IS("tess", "{\"op\":\"second_factor.remove\",\"user\":\"vic\"}", ADMIN_CONFLICT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_desk, close_desk)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_member_is_judged_and_named),
		TEST(every_operation_is_among_them),
		TEST(strangers_and_nonsense_are_named),
		TEST(administrators_of_a_tenant_stay_within_it),
		TEST(somebody_stays_administrator),
		TEST(tenants_come_change_and_go),
		TEST(lists_go_page_by_page),
		TEST(lists_end_where_ones_own_does),
		TEST(members_that_are_not_seen_stay),
		TEST(apply_keeps_to_what_a_policy_holds),
		TEST(tokens_of_one_take_their_share),
		TEST(the_log_of_a_tenant_tells_of_no_other),
		TEST(groups_give_and_take),
		TEST(tokens_are_shown_once_and_narrower),
		TEST(apply_is_idempotent),
		TEST(second_factors_are_confirmed_first),
	};

	if (sodium_init() < 0)
		return 1;
	log_init("test", LOG_LEVEL_ERROR);
	totp_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
