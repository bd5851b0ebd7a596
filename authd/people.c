#include "people.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "authd.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "handed_secret.h"
#include "ipc/sealed.h"
#include "locked.h"
#include "mapping.h"
#include "reach.h"

#define GROUPS_TOLD_MAX 16384

struct people {
	struct authd *a;
	char *secret; /* PASSWORD_MAX bytes, locked */
	char *provider;
	size_t provider_len;
	struct asked *asked;
	struct reachability reach;
};

/* --- settings --- */

/* Those that count: what a directory calls them is compared where names of others are read. */
static void
write_groups(struct json_writer *w, const struct settings *s)
{
	const struct mapping m = mapping_of_directory(s);
	char from[MAPPING_ITEM_MAX], to[MAPPING_ITEM_MAX];

	json_array(w, "groups");
	for (uint32_t i = 0; i < m.n; i++)
		if (mapping_read(m.item[i], from, sizeof(from), to, sizeof(to)))
			json_string(w, NULL, from);
	json_array_end(w);
}

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
	write_groups(w, s);
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
	p->asked = asked_new(DIRECTORY_ASKS);
	p->reach.interval_ns = a->boot->settings.ldap_interval_ms * NS_PER_MS;
	if (p->reach.interval_ns > REACH_TRY_NS)
		p->reach.interval_ns = REACH_TRY_NS;
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
	asked_free(&p->asked);
	free(p->provider);
	free(p);
	*pp = NULL;
}

bool
people_are_there(const struct people *p)
{
	return p->a->boot->settings.ldap_servers.n > 0;
}

/* --- whether it can be reached --- */

static struct channel *
channel_of(const struct people *p)
{
	return peers_find(p->a->peers, PROC_DIRECTORY, 0);
}

bool
people_are_away(const struct people *p)
{
	return people_are_there(p) && (p->reach.state == REACH_AWAY || channel_of(p) == NULL);
}

const char *
people_away_why(const struct people *p)
{
	return channel_of(p) == NULL ? "weir-directory is not there" : p->reach.why;
}

static void
learn(struct people *p, enum directory_what what, const struct person_told *t)
{
	if (!reach_told(&p->reach, what, t->verdict, t->why, clock_boot_ns()))
		return;
	if (p->reach.state == REACH_AWAY)
		log_warn("the directory (ldap) cannot be asked, and is tried again each %lld s: %s",
			 (long long)(p->reach.interval_ns / NS_PER_S), t->why);
	else
		log_info("the directory (ldap) can be asked again");
}

static void
on_tried(void *ctx, const struct person_told *t)
{
	struct people *p = ctx;

	(void)t; /* learn has it */
	p->reach.trying = false;
}

static void
try_it(struct people *p)
{
	if (people_are_there(p) && channel_of(p) != NULL && reach_is_due(&p->reach, clock_boot_ns()))
		p->reach.trying = people_ask(p, DIRECTORY_TEST, "", "", on_tried, p);
}

/* --- asking --- */

/* Who waits for an answer from which everybody learns. */
struct asking {
	struct people *p;
	enum directory_what what;
	people_told *told;
	void *ctx;
};

static void
on_told(void *ctx, const struct person_told *t)
{
	const struct asking was = *(struct asking *)ctx;

	free(ctx);
	learn(was.p, was.what, t);
	was.told(was.ctx, t);
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
	struct channel *ch = channel_of(p);
	const struct settings *s = &p->a->boot->settings;
	struct wire_directory_ask w = { .what = (uint32_t)what };
	struct asking *k = mem_calloc(1, sizeof(*k));
	bool good =
		 str_copy(w.name, sizeof(w.name), name) && str_copy(w.password, sizeof(w.password), password),
	     sent;

	*k = (struct asking){ p, what, told, ctx };
	if (ch != NULL && good)
		w.request = asked_add(p->asked, s->ldap_timeout_ms * NS_PER_MS, on_told, k);
	if (w.request == 0 && good)
		p->a->counters.n[COUNTED_AUTHD_PEOPLE_FULL]++;
	sent = w.request != 0 && send_ask(p, ch, &w);
	if (!sent && w.request != 0)
		asked_drop(p->asked, w.request);
	if (!sent)
		free(k);
	sodium_memzero(&w, sizeof(w));
	return sent;
}

/* --- answers --- */

bool
people_answer(struct people *p, const struct wire_directory_told *w, int fd)
{
	static const struct asked_form form = { "id", DIRECTORY_TOLD_MAX, GROUPS_TOLD_MAX };

	bool good = w->verdict > 0 && w->verdict < DIRECTORY_VERDICT_COUNT &&
		    asked_answer(p->asked, w->request, (enum directory_verdict)w->verdict, fd, w->len, &form);

	try_it(p); /* who waits next is not to wait for as long */
	return good;
}

void
people_turn(struct people *p)
{
	asked_turn(p->asked);
	try_it(p);
}

void
people_gone(struct people *p)
{
	asked_gone(p->asked);
	p->reach.next_ns = 0; /* at once when it is back */
}
