#include "admin_provider.h"

#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "authd.h"
#include "base/auto.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "oidc_ask.h"
#include "shapes.h"
#include "told.h"

#define TEXT_MAX (64u << 10)

/* --- what it publishes --- */

struct testing {
	struct admin_call *c;
	void (*go_on)(struct admin_call *c);
};

static const char *const verdicts[DIRECTORY_VERDICT_COUNT] = {
	[DIRECTORY_RIGHT] = "right",
	[DIRECTORY_WRONG] = "wrong",
	[DIRECTORY_REFUSED] = "refused",
	[DIRECTORY_UNAVAILABLE] = "unavailable",
};

static void
copy_text(struct json_writer *w, const struct json_node *root, const char *key)
{
	json_string(w, key, json_node_text(json_node_member(root, key)));
}

static void
copy_flag(struct json_writer *w, const struct json_node *root, const char *key)
{
	bool v = false;

	json_bool(w, key, json_node_bool(json_node_member(root, key), &v) && v);
}

static void
on_tested(void *ctx, const struct person_told *t)
{
	const struct testing testing = *(struct testing *)ctx;
	const struct json_node *root = t->doc == NULL ? NULL : json_root(t->doc), *steps;
	struct json_writer *w = json_new(2 * TEXT_MAX);
	const char *text;
	size_t len;

	free(ctx);
	steps = json_node_member(root, "steps");
	json_object(w, NULL);
	json_string(w, "verdict", verdicts[t->verdict]);
	json_string(w, "why", t->why);
	json_array(w, "steps");
	for (size_t i = 0, n = json_node_count(steps); i < n && json_size(w) < TEXT_MAX; i++)
		json_string(w, NULL, json_node_text(json_node_at(steps, i)));
	json_array_end(w);
	copy_text(w, root, "authorization_endpoint");
	copy_text(w, root, "end_session_endpoint");
	copy_flag(w, root, "backchannel_logout");
	copy_flag(w, root, "pkce");
	copy_flag(w, root, "iss_parameter");
	json_object_end(w);
	text = json_text(w, &len);
	testing.c->told = text == NULL ? NULL : mem_strdup(text);
	testing.c->told_len = text == NULL ? 0 : len;
	json_free(&w);
	testing.go_on(testing.c);
}

void
provider_test(struct admin_call *c, const struct provider *p, void (*go_on)(struct admin_call *c))
{
	struct testing *t = mem_calloc(1, sizeof(*t));

	*t = (struct testing){ c, go_on };
	if (oidc_ask(c->a->oidc, OIDC_TEST, p, NULL, on_tested, t))
		return;
	free(t);
	call_end(c, ADMIN_BUSY);
	go_on(c);
}

/* --- whom it knew --- */

static void
write_meaning(struct json_writer *w, const struct mapping *m, const struct person_told *t)
{
	char from[128], to[128];

	json_array(w, "weir_groups");
	for (uint32_t i = 0; m != NULL && i < m->n; i++)
		if (mapping_read(m->item[i], from, sizeof(from), to, sizeof(to)) && mapping_has(m, t, from))
			json_string(w, NULL, to);
	json_array_end(w);
	json_bool(w, "admitted", m != NULL && mapping_admits(m, t));
}

void
provider_write_identity(struct admin_call *c, const struct account *who)
{
	AUTO(mem_drop) struct told *told = mem_calloc(1, sizeof(*told));
	AUTO(mem_drop) const char **group = mem_calloc(TOLD_GROUPS_COUNT, sizeof(*group));
	struct person_told t = { .verdict = DIRECTORY_RIGHT, .why = "", .title = "", .group = group };
	const struct provider *p = providers_find(c->a->providers, who->provider);

	(void)told_look(&c->x, who->number, told);
	t.ngroups = told_groups(told, group);
	json_object(c->w, "identity");
	json_string(c->w, "provider", who->provider);
	json_bool(c->w, "configured", p != NULL);
	json_string(c->w, "sub", who->subject[0] == '\0' ? NULL : who->subject);
	shape_write_time(c->w, "last_login", told->last_ns);
	json_bool(c->w, "lapsed", told->lapsed);
	json_array(c->w, "groups");
	for (size_t k = 0; k < t.ngroups; k++)
		json_string(c->w, NULL, group[k]);
	json_array_end(c->w);
	json_bool(c->w, "cut", told->cut);
	write_meaning(c->w, p == NULL ? NULL : &p->mapping, &t);
	json_object_end(c->w);
}
