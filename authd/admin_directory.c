#include "admin_directory.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "admin_provider.h"
#include "authd.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "mapping.h"
#include "people.h"
#include "providers.h"
#include "rows.h"

#define PROVIDER_LDAP "ldap"       /* that no provider of OpenID Connect has */
#define TOLD_MAX      (256u << 10) /* of an answer: longer lists of groups are cut */

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

/* --- what the directory said --- */

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
write_mapping(struct json_writer *w, const struct mapping *m, const struct person_told *t)
{
	char from[128], to[128];

	json_array(w, "weir_groups");
	for (uint32_t i = 0; i < m->n; i++)
		if (mapping_read(m->item[i], from, sizeof(from), to, sizeof(to)) && mapping_has(m, t, from))
			json_string(w, NULL, to);
	json_array_end(w);
	json_bool(w, "admitted", t->verdict == DIRECTORY_RIGHT && mapping_admits(m, t));
}

static void
on_told(void *ctx, const struct person_told *t)
{
	struct waiting *waiting = ctx;
	struct admin_call *c = waiting->c;
	const struct mapping m = mapping_of_directory(&c->a->boot->settings);
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
	write_mapping(w, &m, t);
	json_object_end(w);
	text = json_text(w, &len);
	c->told = text == NULL ? NULL : mem_strdup(text);
	c->told_len = text == NULL ? 0 : len;
	json_free(&w);
	go_on(c);
}

/* --- whom it is about --- */

struct about {
	char name[DIRECTORY_NAME_MAX];    /* "": nobody: the provider itself */
	char provider[PROVIDER_NAME_MAX]; /* "": not said */
};

static void
read_about(struct admin_call *c, struct about *about)
{
	*about = (struct about){ .name = "" };
	(void)field_text(&c->body, "name", OPTIONAL, any_text, about->name, sizeof(about->name));
	(void)field_text(&c->body, "provider", OPTIONAL, any_text, about->provider, sizeof(about->provider));
}

/* Whether there is an account of that name that a provider of OpenID Connect judges. */
static bool
look_providers(struct txn *x, const char *name, struct account *who)
{
	return account_look(x, name, who) && who->provider[0] != '\0' && !account_is_directorys(who);
}

/* The provider of OpenID Connect that it is about; NULL: the directory. */
static const struct provider *
provider_of(struct admin_call *c, const struct about *about)
{
	if (strcmp(about->provider, PROVIDER_LDAP) == 0)
		return NULL;
	if (about->provider[0] != '\0')
		return providers_find(c->a->providers, about->provider);
	return people_are_there(c->a->people) ? NULL : providers_at(c->a->providers, 0);
}

static void
wait_for_provider(struct admin_call *c, void (*go_on)(struct admin_call *c))
{
	struct about about;

	read_about(c, &about);
	provider_test(c, provider_of(c, &about), go_on);
}

static void
wait_for_directory(struct admin_call *c, void (*go_on)(struct admin_call *c))
{
	struct waiting *w = mem_calloc(1, sizeof(*w));
	struct about about;

	*w = (struct waiting){ c, go_on };
	read_about(c, &about);
	if (people_ask(c->a->people, about.name[0] == '\0' ? DIRECTORY_TEST : DIRECTORY_LOOK, about.name, "",
		       on_told, w))
		return;
	free(w);
	call_end(c, ADMIN_BUSY);
	go_on(c);
}

/* Whether there is anything to ask the directory: not of somebody whom a provider judges. */
static bool
is_providers(struct admin_call *c, const struct about *about)
{
	struct account who;
	struct txn x;
	bool its;

	if (about->provider[0] != '\0' || about->name[0] == '\0')
		return provider_of(c, about) != NULL;
	x = txn_begin(accounts_db_tables(c->a->db), false);
	its = look_providers(&x, about->name, &who);
	sodium_memzero(&who, sizeof(who));
	return (txn_end(&x) == DB_OK && its) || provider_of(c, about) != NULL;
}

void
directory_op_explain_prepare(struct admin_call *c)
{
	static const char *const known[] = { "op", "name", "provider" };
	struct about about;

	fields_only(&c->body, known, ARRAY_LEN(known));
	read_about(c, &about);
	if (c->fault.set)
		return;
	if (is_providers(c, &about)) {
		/* A provider says nothing of anybody who does not come himself. */
		c->wait = about.name[0] == '\0' ? wait_for_provider : NULL;
	} else if (about.provider[0] != '\0' && strcmp(about.provider, PROVIDER_LDAP) != 0) {
		fields_wrong(&c->body, "provider", "There is no provider of this name.");
	} else {
		if (!people_are_there(c->a->people))
			call_conflict(c, "", "There is no directory: set ldap.servers.");
		c->wait = wait_for_directory;
	}
}

/* --- the operation --- */

static void
explain_by_provider(struct admin_call *c, const struct about *about)
{
	struct account who;

	if (about->name[0] != '\0') {
		if (look_providers(&c->x, about->name, &who))
			provider_write_identity(c, &who);
		else
			json_null(c->w, "identity");
		sodium_memzero(&who, sizeof(who));
		c->reads_others = true;
	} else if (c->told == NULL) {
		call_end(c, ADMIN_BUSY);
	} else {
		json_raw(c->w, "provider", c->told, c->told_len);
	}
}

void
directory_op_explain(struct admin_call *c)
{
	struct about about;
	struct account who;

	read_about(c, &about);
	if (c->wait != wait_for_directory) {
		explain_by_provider(c, &about);
		return;
	}
	if (c->told == NULL) {
		call_end(c, ADMIN_BUSY);
		return;
	}
	json_raw(c->w, "directory", c->told, c->told_len);
	/* One of Weir's own of that name comes in by its own password, whatever the directory says. */
	json_bool(c->w, "local",
		  about.name[0] != '\0' && account_look(&c->x, about.name, &who) &&
		      !account_is_directorys(&who));
	sodium_memzero(&who, sizeof(who));
	c->reads_others = true;
}
