#include "look.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "template.h"

#define TEXT_MAX      2048
#define GROUP_ASKS    512u                      /* questions of one walk through nested groups */
#define CHAIN         "1.2.840.113556.1.4.1941" /* LDAP_MATCHING_RULE_IN_CHAIN */
#define DISABLED_FLAG 2                         /* ADS_UF_ACCOUNTDISABLE of userAccountControl */

struct looking {
	const struct look *k;
	struct link *link;
	struct findings *f;
	/* Of the user, once he was found. */
	size_t met;
	bool disabled;
};

/* --- binding --- */

/* As Weir itself. False where the findings have ended. */
static bool
bind_self(struct looking *l)
{
	const struct provider *p = l->k->provider;
	struct link_result r;

	link_bind(l->link, p->bind_dn, p->bind_dn[0] == '\0' ? "" : l->k->secret, &r);
	if (r.code == LINK_OK && r.policy == POLICY_NOTHING) {
		findings_step(l->f, "bound as %.300s",
			      p->bind_dn[0] == '\0' ? "nobody (no bind_dn is set)" : p->bind_dn);
		return true;
	}
	findings_step(l->f, "bind as %.300s: %s", p->bind_dn, r.words);
	findings_end(l->f, r.code < 0 ? DIRECTORY_UNAVAILABLE : DIRECTORY_REFUSED, r.words);
	return false;
}

/* Whether the password is his. */
static bool
bind_user(struct looking *l, const char *as)
{
	struct link_result r;
	enum directory_verdict v;

	link_bind(l->link, as, l->k->password, &r);
	v = refusal_of(r.code, r.words, r.policy);
	if (v == DIRECTORY_RIGHT) {
		findings_step(l->f, "bound as %.300s with the password that was given", as);
		return true;
	}
	findings_step(l->f, "bind as %.300s with the password that was given: %s", as, r.words);
	findings_end(l->f, v, r.words);
	return false;
}

/* So that who is not there takes as long as who is. */
static void
bind_nobody(struct looking *l)
{
	char name[24], dn[TEXT_MAX];
	struct link_result r;
	uint8_t b[8];

	randombytes_buf(b, sizeof(b));
	(void)sodium_bin2hex(name, sizeof(name), b, sizeof(b));
	(void)snprintf(dn, sizeof(dn), "cn=%s,%.1900s", name, l->k->provider->base);
	link_bind(l->link, dn, l->k->password, &r);
}

/* --- the user --- */

static bool
add_member_of(void *ctx, const char *value)
{
	(void)findings_group(ctx, value);
	return true;
}

static bool
take_title(void *ctx, const char *value)
{
	struct findings *f = ctx;

	if (f->title == NULL)
		f->title = mem_strdup(value);
	return false;
}

static bool
take_flags(void *ctx, const char *value)
{
	struct looking *l = ctx;

	l->disabled = (strtoul(value, NULL, 10) & DISABLED_FLAG) != 0;
	return false;
}

static bool
take_user(void *ctx, const struct link_entry *e)
{
	struct looking *l = ctx;
	char *dn = link_entry_dn(e);

	if (dn == NULL)
		return true;
	if (l->met++ == 0) {
		l->f->dn = mem_strdup(dn);
		link_entry_values(e, l->k->provider->title, take_title, l->f);
		link_entry_values(e, "memberOf", add_member_of, l->f);
		link_entry_values(e, "userAccountControl", take_flags, l);
	}
	link_free(dn);
	return l->met < 2;
}

/* False where the findings have ended. */
static bool
find_user(struct looking *l)
{
	const struct provider *p = l->k->provider;
	const char *const attributes[] = { p->title, "memberOf", "userAccountControl", NULL };
	char filter[TEXT_MAX];
	struct link_result r;

	if (!template_expand(p->user_filter, TEMPLATE_FILTER, l->k->name, NULL, filter, sizeof(filter))) {
		findings_end(l->f, DIRECTORY_UNKNOWN, "the name cannot stand in user_filter");
		return false;
	}
	link_search(l->link, p->base, false, filter, attributes, take_user, l, &r);
	findings_step(l->f, "search for %.300s below %.200s: %zu found", filter, p->base, l->met);
	if (l->met == 1 && r.code == LINK_OK)
		return true;
	if (r.code != LINK_OK && r.code != LINK_NO_OBJECT)
		findings_end(l->f, r.code < 0 ? DIRECTORY_UNAVAILABLE : DIRECTORY_REFUSED, r.words);
	else
		findings_end(l->f, DIRECTORY_UNKNOWN, l->met > 1 ? "several match user_filter" : NULL);
	if (l->f->verdict == DIRECTORY_UNKNOWN && l->k->what == DIRECTORY_LOGIN && p->direct[0] == '\0')
		bind_nobody(l);
	return false;
}

/* --- groups --- */

static bool
take_group(void *ctx, const struct link_entry *e)
{
	struct looking *l = ctx;
	char *dn = link_entry_dn(e);

	if (dn != NULL)
		(void)findings_group(l->f, dn);
	link_free(dn);
	return l->f->ngroups < FINDINGS_GROUPS;
}

/* The groups that have dn as a member. False where the server would not say. */
static bool
groups_with(struct looking *l, const char *dn)
{
	static const char *const attributes[] = { "1.1", NULL }; /* none: RFC 4511 section 4.5.1.8 */
	const struct provider *p = l->k->provider;
	const char *of = p->nested == NESTED_CHAIN ? "(member:" CHAIN ":=%userdn%)" : p->group_filter;
	char filter[2 * TEXT_MAX];
	struct link_result r;

	if (!template_expand(of, TEMPLATE_FILTER, l->k->name, dn, filter, sizeof(filter))) {
		findings_step(l->f, "group_filter cannot be asked for %.200s", dn);
		return false;
	}
	link_search(l->link, p->group_base, false, filter, attributes, take_group, l, &r);
	/* The server tells no more of them than it wants to: those count that it told. */
	l->f->cut = l->f->cut || r.code == LINK_SIZE_LIMIT;
	if (r.code == LINK_OK || r.code == LINK_NO_OBJECT || r.code == LINK_SIZE_LIMIT)
		return true;
	findings_step(l->f, "search for %.200s below %.200s: %s", filter, p->group_base, r.words);
	return false;
}

/* Each group once, so a circle of them ends. */
static bool
walk_groups(struct looking *l)
{
	unsigned asks = 0;

	for (size_t i = 0; i < l->f->ngroups; i++) {
		if (asks++ == GROUP_ASKS) {
			l->f->cut = true;
			break;
		}
		if (!groups_with(l, l->f->group[i]))
			return false;
	}
	return true;
}

static bool
find_groups(struct looking *l)
{
	const struct provider *p = l->k->provider;
	bool good = true;

	if (p->group_filter[0] != '\0' || p->nested == NESTED_CHAIN)
		good = groups_with(l, l->f->dn);
	if (good && p->nested == NESTED_WALK && p->group_filter[0] != '\0')
		good = walk_groups(l);
	findings_step(l->f, "%zu groups%s", l->f->ngroups, l->f->cut ? ", and more that are left out" : "");
	if (!good)
		findings_end(l->f, DIRECTORY_REFUSED, "it does not tell the groups");
	return good;
}

/* --- the order of things --- */

static void
look_directly(struct looking *l)
{
	const char *direct = l->k->provider->direct;
	char as[TEXT_MAX];

	if (!template_expand(direct, strchr(direct, '=') == NULL ? TEMPLATE_PLAIN : TEMPLATE_DN, l->k->name,
			     NULL, as, sizeof(as))) {
		findings_end(l->f, DIRECTORY_UNKNOWN, "the name cannot stand in direct");
		return;
	}
	if (bind_user(l, as) && find_user(l) && find_groups(l))
		findings_end(l->f, DIRECTORY_RIGHT, NULL);
}

static void
look_as_self(struct looking *l)
{
	const struct provider *p = l->k->provider;
	bool login = l->k->what == DIRECTORY_LOGIN;

	/* What nobody may see is not what is not there. */
	if (p->direct[0] != '\0' && p->bind_dn[0] == '\0') {
		findings_end(l->f, DIRECTORY_REFUSED,
			     "without bind_dn nobody can be looked up but by his own password");
		return;
	}
	if (!bind_self(l) || !find_user(l))
		return;
	if (login && (!bind_user(l, l->f->dn) || !bind_self(l)))
		return;
	if (l->disabled)
		findings_end(l->f, DIRECTORY_DISABLED, NULL);
	else if (find_groups(l))
		findings_end(l->f, DIRECTORY_RIGHT, NULL);
}

static bool
ignore_entry(void *ctx, const struct link_entry *e)
{
	(void)ctx;
	(void)e;
	return false;
}

static void
test_server(struct looking *l)
{
	static const char *const attributes[] = { "1.1", NULL };
	const struct provider *p = l->k->provider;
	struct link_result r;

	if (p->direct[0] != '\0') {
		findings_step(l->f, "users bind by themselves: nothing more can be tested without one");
		findings_end(l->f, DIRECTORY_RIGHT, NULL);
		return;
	}
	if (!bind_self(l))
		return;
	link_search(l->link, p->base, true, "(objectClass=*)", attributes, ignore_entry, NULL, &r);
	findings_step(l->f, "looked at %.300s: %s", p->base, r.code == LINK_OK ? "it is there" : r.words);
	findings_end(l->f,
		     r.code == LINK_OK ? DIRECTORY_RIGHT
		     : r.code < 0      ? DIRECTORY_UNAVAILABLE
				       : DIRECTORY_REFUSED,
		     r.code == LINK_OK ? NULL : r.words);
}

void
look_at(const struct look *k, int fd, const struct server_url *url, const char *authorities, size_t len,
	struct findings *f)
{
	const struct provider *p = k->provider;
	const struct link_way way = { url, !url->ldaps && p->tls,
				      p->authorities[0] == '\0' ? authorities : p->authorities,
				      p->authorities[0] == '\0' ? len : strlen(p->authorities) };
	struct looking l = { .k = k, .f = f };
	char why[200] = "";

	if (!url->ldaps && !p->tls) {
		/* Passwords in the clear: only where it was switched off by name. */
		findings_step(f, "without TLS, as the provider's settings say");
	}
	l.link = link_open(fd, &way, why, sizeof(why));
	if (l.link == NULL) {
		findings_step(f, "%s", why);
		findings_end(f, DIRECTORY_UNAVAILABLE, why);
		return;
	}
	if (way.url->ldaps || way.start_tls)
		findings_step(f, "TLS: the certificate is good and of %s", url->host);
	if (k->what == DIRECTORY_TEST)
		test_server(&l);
	else if (p->direct[0] != '\0' && k->what == DIRECTORY_LOGIN)
		look_directly(&l);
	else
		look_as_self(&l);
	link_close(&l.link);
}
