#include "look.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "entry.h"
#include "membership.h"
#include "named.h"
#include "template.h"

#define TEXT_MAX 2048

struct looking {
	const struct look *k;
	struct link *link;
	struct findings *f;
	/* Of the user, once he was found. */
	size_t met;
	enum directory_verdict standing;
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
take_user(void *ctx, const struct link_entry *e)
{
	struct looking *l = ctx;

	if (l->met++ == 0)
		l->standing = entry_read(e, l->k->provider, l->f);
	return l->met < 2;
}

static bool
may_be_asked(const struct look *k, const struct server_url *url, uint32_t *n)
{
	for (*n = 0; *n < k->nreferrals; ++*n)
		if (server_url_same(&k->referral[*n], url))
			return true;
	return false;
}

/* Whether the server refers to another one, which may be asked: the first of them. */
static bool
is_referred(struct looking *l, const struct link_result *r)
{
	for (size_t i = 0; i < r->nreferrals && l->f->referred == 0; i++) {
		const struct link_referral *to = &r->referral[i];
		bool may = may_be_asked(l->k, &to->url, &l->f->referred);

		findings_step(l->f, "it refers to %s://%.200s:%u%s", to->url.ldaps ? "ldaps" : "ldap",
			      to->url.host, to->url.port,
			      may ? "" : ", which ldap.referrals does not name, or which is one too many");
		l->f->referred = may ? l->f->referred + 1 : 0;
		if (may)
			(void)str_copy(l->f->base, sizeof(l->f->base), to->base);
	}
	return l->f->referred != 0;
}

/* False where the findings have ended. */
static bool
find_user(struct looking *l)
{
	const struct provider *p = l->k->provider;
	const char *attributes[ENTRY_ATTRIBUTES], *base = l->k->base == NULL ? p->base : l->k->base;
	char filter[TEXT_MAX], name[64];
	struct link_result r;

	if (!template_expand(p->user_filter, TEMPLATE_FILTER, l->k->name, NULL, filter, sizeof(filter))) {
		findings_end(l->f, DIRECTORY_UNKNOWN, "the name cannot stand in user_filter");
		return false;
	}
	entry_attributes(p, name, attributes);
	link_search(l->link, base, false, filter, attributes, take_user, l, &r);
	findings_step(l->f, "search for %.300s below %.200s: %zu found", filter, base, l->met);
	if (l->met == 1 && r.code == LINK_OK && l->f->dn[0] != '\0')
		return true;
	if (l->met == 0 && (r.code == LINK_OK || r.code == LINK_REFERRAL) && is_referred(l, &r)) {
		findings_end(l->f, DIRECTORY_UNKNOWN, "another server is asked");
		return false;
	}
	/* Also where there is no base: that says nothing about anybody. */
	if (r.code != LINK_OK)
		findings_end(l->f, r.code < 0 ? DIRECTORY_UNAVAILABLE : DIRECTORY_REFUSED, r.words);
	else
		findings_end(l->f, DIRECTORY_UNKNOWN, l->met > 1 ? "several match user_filter" : NULL);
	if (l->f->verdict == DIRECTORY_UNKNOWN && l->k->what == DIRECTORY_LOGIN && p->direct[0] == '\0')
		bind_nobody(l);
	return false;
}

/* What is left where it is he. */
static void
find_groups(struct looking *l)
{
	if (l->standing != DIRECTORY_RIGHT)
		findings_end(l->f, l->standing, "his entry says so");
	else if (!membership_find(l->link, l->k->provider, l->k->name, l->f))
		findings_end(l->f, DIRECTORY_REFUSED, "it does not tell the groups");
	else {
		named_find(l->k->provider, l->f);
		findings_end(l->f, DIRECTORY_RIGHT, NULL);
	}
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
	if (!bind_user(l, as) || !find_user(l))
		return;
	/* Who bound need not be whom user_filter finds: one's principal name can be another's account name.
	 * The password has to be that one's. */
	if (strcasecmp(as, l->f->dn) == 0 || bind_user(l, l->f->dn))
		find_groups(l);
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
	if (!login || (bind_user(l, l->f->dn) && bind_self(l)))
		find_groups(l);
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
