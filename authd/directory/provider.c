#include "provider.h"

#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "ipc/wire.h"

static bool
take(const struct json_doc *d, const char *key, const char *otherwise, const char **out, char *err,
     size_t errsize)
{
	const struct json_node *n = json_node_member(json_root(d), key);

	*out = n == NULL ? otherwise : json_node_text(n);
	if (*out != NULL)
		return true;
	(void)snprintf(err, errsize, "%s: must be a text", key);
	return false;
}

static bool
read_nested(struct provider *p, const char *text, char *err, size_t errsize)
{
	static const char *const words[] = { "none", "walk", "chain" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			p->nested = (enum nested_groups)i;
			return true;
		}
	}
	(void)snprintf(err, errsize, "nested: must be none, walk or chain");
	return false;
}

static bool
read_groups(struct provider *p, char *err, size_t errsize)
{
	const struct json_node *list = json_node_member(json_root(p->doc), "groups");
	size_t n = json_node_count(list);

	if (list != NULL && (json_node_kind(list) != JSON_KIND_ARRAY || n > PROVIDER_GROUPS_MAX)) {
		(void)snprintf(err, errsize, "groups: must be a list of at most %d texts",
			       PROVIDER_GROUPS_MAX);
		return false;
	}
	for (; p->ngroups < n; p->ngroups++) {
		p->group[p->ngroups] = json_node_text(json_node_at(list, p->ngroups));
		if (p->group[p->ngroups] == NULL) {
			(void)snprintf(err, errsize, "groups: must be a list of texts");
			return false;
		}
	}
	return true;
}

static bool
read_all(struct provider *p, char *err, size_t errsize)
{
	const struct json_node *tls = json_node_member(json_root(p->doc), "tls");
	const char *nested;

	p->tls = true;
	if (tls != NULL && !json_node_bool(tls, &p->tls)) {
		(void)snprintf(err, errsize, "tls: must be true or false");
		return false;
	}
	return take(p->doc, "authorities", "", &p->authorities, err, errsize) &&
	       take(p->doc, "bind_dn", "", &p->bind_dn, err, errsize) &&
	       take(p->doc, "direct", "", &p->direct, err, errsize) &&
	       take(p->doc, "base", "", &p->base, err, errsize) &&
	       take(p->doc, "user_filter", "(uid=%username%)", &p->user_filter, err, errsize) &&
	       take(p->doc, "title", "cn", &p->title, err, errsize) &&
	       take(p->doc, "group_base", p->base, &p->group_base, err, errsize) &&
	       take(p->doc, "group_filter", "", &p->group_filter, err, errsize) &&
	       take(p->doc, "nested", "none", &nested, err, errsize) &&
	       read_nested(p, nested, err, errsize) && read_groups(p, err, errsize);
}

bool
provider_read(const char *text, size_t len, struct provider *p, char *err, size_t errsize)
{
	static const char *const known[] = { "tls",          "authorities", "bind_dn", "direct",
					     "base",         "user_filter", "title",   "group_base",
					     "group_filter", "nested",      "groups" };
	const char *stranger;

	memset(p, 0, sizeof(*p));
	p->doc = json_parse(text, len, DIRECTORY_ASK_MAX, err, errsize);
	if (p->doc == NULL)
		return false;
	stranger = json_node_stranger(json_root(p->doc), known, ARRAY_LEN(known));
	if (stranger != NULL)
		(void)snprintf(err, errsize, "%.40s: is no setting of a directory", stranger);
	if (stranger == NULL && read_all(p, err, errsize))
		return true;
	provider_free(p);
	return false;
}

void
provider_free(struct provider *p)
{
	json_doc_free(&p->doc);
}
