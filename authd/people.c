#include "people.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "authd.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "handed_secret.h"
#include "ipc/sealed.h"
#include "locked.h"

#define GROUPS_TOLD_MAX 16384

/* Of weir-directory's own time for an answer: after that it has lost the question. */
#define SLACK_NS (10 * NS_PER_S)

struct question {
	uint64_t request; /* 0: free */
	int64_t until_ns; /* clock_boot_ns */
	people_told *told;
	void *ctx;
};

struct people {
	struct authd *a;
	char *secret; /* PASSWORD_MAX bytes, locked */
	char *provider;
	size_t provider_len;
	uint64_t requests;
	struct question question[DIRECTORY_ASKS];
};

/* --- settings --- */

static void
write_provider(struct people *p)
{
	const struct settings *s = &p->a->boot->settings;
	struct json_writer *w = json_new(DIRECTORY_ASK_MAX);
	const char *text;

	json_object(w, NULL);
	json_bool(w, "tls", s->ldap_tls);
	json_string(w, "bind_dn", s->ldap_bind_dn);
	json_string(w, "direct", s->ldap_direct);
	json_string(w, "base", s->ldap_base);
	json_string(w, "user_filter", s->ldap_user_filter);
	json_string(w, "title", s->ldap_title);
	json_string(w, "group_base", s->ldap_group_base[0] == '\0' ? s->ldap_base : s->ldap_group_base);
	json_string(w, "group_filter", s->ldap_group_filter);
	json_string(w, "nested", s->ldap_nested);
	json_object_end(w);
	text = json_text(w, &p->provider_len);
	p->provider = mem_strdup(text == NULL ? "{}" : text);
	json_free(&w);
}

struct people *
people_new(struct authd *a)
{
	struct people *p = mem_calloc(1, sizeof(*p));

	p->a = a;
	p->secret = locked_pages(PASSWORD_MAX);
	if ((a->boot->flags & BOOT_HAS_BIND_PASSWORD) != 0 &&
	    !handed_secret(BOOT_FD_BIND_PASSWORD, p->secret, PASSWORD_MAX))
		log_warn("ldap.bind_password_file: has no password in its first line");
	write_provider(p);
	return p;
}

void
people_free(struct people **pp)
{
	struct people *p = *pp;

	if (p == NULL)
		return;
	sodium_memzero(p->secret, PASSWORD_MAX);
	free(p->provider);
	free(p);
	*pp = NULL;
}

bool
people_are_there(const struct people *p)
{
	return p->a->boot->settings.ldap_servers.n > 0;
}

/* --- asking --- */

static struct question *
place(struct people *p, uint64_t request)
{
	for (size_t i = 0; i < DIRECTORY_ASKS; i++)
		if (p->question[i].request == request)
			return &p->question[i];
	return NULL;
}

static bool
send_ask(struct people *p, struct channel *ch, struct wire_directory_ask *w)
{
	const struct settings *s = &p->a->boot->settings;
	int fd = sealed_write("weir-directory", p->provider, p->provider_len);

	w->timeout_ms = (uint32_t)s->ldap_timeout_ms;
	w->len = (uint32_t)p->provider_len;
	for (; w->nservers < s->ldap_servers.n && w->nservers < DIRECTORY_SERVERS; w->nservers++)
		(void)str_copy(w->server[w->nservers], sizeof(w->server[0]),
			       s->ldap_servers.item[w->nservers]);
	for (; w->nreferrals < s->ldap_referrals.n && w->nreferrals < DIRECTORY_REFERRALS; w->nreferrals++)
		(void)str_copy(w->referral[w->nreferrals], sizeof(w->referral[0]),
			       s->ldap_referrals.item[w->nreferrals]);
	(void)str_copy(w->secret, sizeof(w->secret), p->secret);
	return fd != -1 && channel_send_fd(ch, MSG_DIRECTORY_ASK, w, sizeof(*w), fd);
}

bool
people_ask(struct people *p, enum directory_what what, const char *name, const char *password,
	   people_told *told, void *ctx)
{
	struct channel *ch = peers_find(p->a->peers, PROC_DIRECTORY, 0);
	const struct settings *s = &p->a->boot->settings;
	struct question *q = place(p, 0);
	struct wire_directory_ask w = { .what = (uint32_t)what };
	bool sent;

	if (ch == NULL || q == NULL)
		p->a->counters.n[COUNTED_AUTHD_PEOPLE_FULL]++;
	if (ch == NULL || q == NULL || !str_copy(w.name, sizeof(w.name), name) ||
	    !str_copy(w.password, sizeof(w.password), password))
		return false;
	w.request = ++p->requests;
	*q = (struct question){ w.request, clock_boot_ns() + s->ldap_timeout_ms * NS_PER_MS + SLACK_NS, told,
				ctx };
	sent = send_ask(p, ch, &w);
	sodium_memzero(&w, sizeof(w));
	if (!sent)
		*q = (struct question){ .request = 0 };
	return sent;
}

/* --- answers --- */

static void
tell(struct question *q, const struct person_told *t)
{
	const struct question was = *q;

	*q = (struct question){ .request = 0 };
	was.told(was.ctx, t);
}

static const char *
text_of(const struct json_doc *d, const char *key)
{
	const char *s = json_get_string(d, key);

	return s == NULL ? "" : s;
}

bool
people_answer(struct people *p, const struct wire_directory_told *w, int fd)
{
	struct question *q = w->request == 0 ? NULL : place(p, w->request);
	AUTO(mem_drop) char *text = NULL;
	AUTO(mem_drop) const char **group = NULL;
	struct person_told t = { .verdict = (enum directory_verdict)w->verdict };
	const struct json_node *groups;
	struct json_doc *doc;
	char err[128];

	if (w->verdict == 0 || w->verdict >= DIRECTORY_VERDICT_COUNT || w->len == 0 ||
	    w->len > DIRECTORY_TOLD_MAX)
		return false;
	text = sealed_read(fd, w->len);
	doc = text == NULL ? NULL : json_parse(text, w->len, DIRECTORY_TOLD_MAX, err, sizeof(err));
	if (doc == NULL)
		return false;
	groups = json_node_member(json_root(doc), "groups");
	group = mem_calloc(GROUPS_TOLD_MAX, sizeof(*group));
	for (size_t i = 0, n = json_node_count(groups); i < n && t.ngroups < GROUPS_TOLD_MAX; i++)
		if ((group[t.ngroups] = json_node_text(json_node_at(groups, i))) != NULL)
			t.ngroups++;
	t.why = text_of(doc, "why");
	t.title = text_of(doc, "title");
	t.id = text_of(doc, "id");
	t.name = text_of(doc, "name");
	(void)json_node_bool(json_node_member(json_root(doc), "cut"), &t.cut);
	t.group = group;
	t.doc = doc;
	if (q != NULL)
		tell(q, &t);
	json_doc_free(&doc);
	return true;
}

static struct person_told
nothing_told(const char *why)
{
	return (struct person_told){
		.verdict = DIRECTORY_UNAVAILABLE, .why = why, .title = "", .id = "", .name = ""
	};
}

void
people_turn(struct people *p)
{
	const struct person_told t = nothing_told("weir-directory has lost the question");
	int64_t now = clock_boot_ns();

	for (size_t i = 0; i < DIRECTORY_ASKS; i++)
		if (p->question[i].request != 0 && now > p->question[i].until_ns)
			tell(&p->question[i], &t);
}

void
people_gone(struct people *p)
{
	const struct person_told t = nothing_told("weir-directory is gone");

	for (size_t i = 0; i < DIRECTORY_ASKS; i++)
		if (p->question[i].request != 0)
			tell(&p->question[i], &t);
}
