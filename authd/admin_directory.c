#include "admin_directory.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "authd.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "mapping.h"
#include "people.h"
#include "rows.h"

#define TOLD_MAX (256u << 10) /* of an answer: longer lists of groups are cut */

static const char *const verdicts[DIRECTORY_VERDICT_COUNT] = {
	[DIRECTORY_RIGHT] = "right",
	[DIRECTORY_WRONG] = "wrong",
	[DIRECTORY_UNKNOWN] = "unknown",
	[DIRECTORY_DISABLED] = "disabled",
	[DIRECTORY_LOCKED] = "locked",
	[DIRECTORY_EXPIRED] = "expired",
	[DIRECTORY_MUST_CHANGE] = "must_change",
	[DIRECTORY_REFUSED] = "refused",
	[DIRECTORY_UNAVAILABLE] = "unavailable",
};

struct waiting {
	struct admin_call *c;
	void (*go_on)(struct admin_call *c);
};

/* --- before the operation --- */

static void
write_texts(struct json_writer *w, const char *key, const struct json_node *list)
{
	json_array(w, key);
	for (size_t i = 0, n = json_node_count(list); i < n && json_size(w) < TOLD_MAX; i++)
		if (json_node_text(json_node_at(list, i)) != NULL)
			json_string(w, NULL, json_node_text(json_node_at(list, i)));
	json_array_end(w);
}

/* What it would be here. */
static void
write_mapping(struct json_writer *w, const struct settings *s, const struct person_told *t)
{
	char from[128], to[128];

	json_array(w, "weir_groups");
	for (uint32_t i = 0; i < s->ldap_groups.n; i++) {
		bool means = false;

		if (!mapping_read(s->ldap_groups.item[i], from, sizeof(from), to, sizeof(to)))
			continue;
		for (size_t k = 0; k < t->ngroups && !means; k++)
			means = mapping_means(from, t->group[k]);
		if (means)
			json_string(w, NULL, to);
	}
	json_array_end(w);
	json_bool(w, "admitted", t->verdict == DIRECTORY_RIGHT && mapping_admits(s, t));
}

static void
on_told(void *ctx, const struct person_told *t)
{
	struct waiting *waiting = ctx;
	struct admin_call *c = waiting->c;
	void (*go_on)(struct admin_call * c) = waiting->go_on;
	const struct json_node *root = t->doc == NULL ? NULL : json_root(t->doc);
	struct json_writer *w = json_new(2 * TOLD_MAX);
	const char *text;
	size_t len;

	free(waiting);
	json_object(w, NULL);
	json_string(w, "verdict", verdicts[t->verdict]);
	json_string(w, "why", t->why);
	json_string(w, "dn", json_node_text(json_node_member(root, "dn")));
	json_string(w, "title", t->title[0] == '\0' ? NULL : t->title);
	write_texts(w, "steps", json_node_member(root, "steps"));
	write_texts(w, "groups", json_node_member(root, "groups"));
	write_mapping(w, &c->a->boot->settings, t);
	json_object_end(w);
	text = json_text(w, &len);
	c->told = text == NULL ? NULL : mem_strdup(text);
	c->told_len = text == NULL ? 0 : len;
	json_free(&w);
	go_on(c);
}

static void
wait_for_directory(struct admin_call *c, void (*go_on)(struct admin_call *c))
{
	struct waiting *w = mem_calloc(1, sizeof(*w));
	char name[DIRECTORY_NAME_MAX] = "";

	*w = (struct waiting){ c, go_on };
	(void)field_text(&c->body, "name", OPTIONAL, any_text, name, sizeof(name));
	if (people_ask(c->a->people, name[0] == '\0' ? DIRECTORY_TEST : DIRECTORY_LOOK, name, "", on_told, w))
		return;
	free(w);
	call_end(c, ADMIN_BUSY);
	go_on(c);
}

void
directory_op_explain_prepare(struct admin_call *c)
{
	static const char *const known[] = { "op", "name" };
	char name[DIRECTORY_NAME_MAX] = "";

	fields_only(&c->body, known, ARRAY_LEN(known));
	(void)field_text(&c->body, "name", OPTIONAL, any_text, name, sizeof(name));
	if (!c->fault.set && !people_are_there(c->a->people))
		call_conflict(c, "", "There is no directory: set ldap.servers.");
	c->wait = wait_for_directory;
}

/* --- the operation --- */

void
directory_op_explain(struct admin_call *c)
{
	char name[DIRECTORY_NAME_MAX] = "";
	struct account who;

	(void)field_text(&c->body, "name", OPTIONAL, any_text, name, sizeof(name));
	if (c->told == NULL) {
		call_end(c, ADMIN_BUSY);
		return;
	}
	json_raw(c->w, "directory", c->told, c->told_len);
	/* One of Weir's own of that name comes in by its own password, whatever the directory says. */
	json_bool(c->w, "local",
		  name[0] != '\0' && account_look(&c->x, name, &who) && !account_is_directorys(&who));
	sodium_memzero(&who, sizeof(who));
	c->reads_others = true;
}
