#include "oidc_ask.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "authd.h"
#include "base/auto.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/sealed.h"

#define SETTINGS_MAX 8192 /* bytes of a provider's settings as JSON */

struct question {
	uint64_t request; /* 0: free */
	people_told *told;
	void *ctx;
};

struct oidc_asks {
	struct authd *a;
	uint64_t requests;
	struct question question[OIDC_ASKS];
};

struct oidc_asks *
oidc_asks_new(struct authd *a)
{
	struct oidc_asks *o = mem_calloc(1, sizeof(*o));

	o->a = a;
	return o;
}

void
oidc_asks_free(struct oidc_asks **o)
{
	free(*o);
	*o = NULL;
}

/* --- asking --- */

static void
write_words(struct json_writer *w, const char *key, const char *words)
{
	json_array(w, key);
	for (size_t n; *words != '\0'; words += n) {
		words += strspn(words, " ");
		n = strcspn(words, " ");
		if (n > 0)
			json_string_n(w, NULL, words, n);
	}
	json_array_end(w);
}

/* Sealed memory with them, *len bytes; -1 where there is none. */
static int
write_settings(const struct provider_settings *s, const char *redirect_uri, size_t *len)
{
	struct json_writer *w = json_new(SETTINGS_MAX);
	const char *text;
	int fd;

	json_object(w, NULL);
	json_string(w, "client_id", s->client_id);
	json_string(w, "redirect_uri", redirect_uri == NULL ? "" : redirect_uri);
	write_words(w, "algorithms", s->algorithms);
	json_int(w, "clock_skew", s->clock_skew_ms / 1000);
	json_string(w, "userinfo", s->userinfo ? "always" : "missing");
	json_string(w, "name_claim", s->name_claim);
	json_string(w, "title_claim", s->title_claim);
	json_string(w, "groups_claim", s->groups_claim);
	json_bool(w, "insecure_http", s->insecure);
	json_object_end(w);
	text = json_text(w, len);
	fd = text == NULL ? -1 : sealed_write("weir-directory", text, *len);
	json_free(&w);
	return fd;
}

static struct question *
place(struct oidc_asks *o, uint64_t request)
{
	for (size_t i = 0; i < OIDC_ASKS; i++)
		if (o->question[i].request == request)
			return &o->question[i];
	return NULL;
}

static bool
fill(struct wire_oidc_ask *w, const struct provider *p, const struct oidc_question *q)
{
	static const struct oidc_question nothing = { "", "", "", "" };

	if (q == NULL)
		q = &nothing;
	return str_copy(w->issuer, sizeof(w->issuer), p->s->issuer) &&
	       str_copy(w->secret, sizeof(w->secret), w->what == OIDC_CODE ? p->secret : "") &&
	       str_copy(w->verifier, sizeof(w->verifier), q->verifier == NULL ? "" : q->verifier) &&
	       str_copy(w->nonce, sizeof(w->nonce), q->nonce == NULL ? "" : q->nonce) &&
	       str_copy(w->proof, sizeof(w->proof), q->proof == NULL ? "" : q->proof);
}

bool
oidc_ask(struct oidc_asks *o, enum oidc_what what, const struct provider *p, const struct oidc_question *q,
	 people_told *told, void *ctx)
{
	struct channel *ch = peers_find(o->a->peers, PROC_DIRECTORY, 0);
	struct question *free_place = place(o, 0);
	struct wire_oidc_ask w = { .what = (uint32_t)what, .timeout_ms = (uint32_t)p->s->timeout_ms };
	size_t len = 0;
	bool sent = false;
	int fd;

	if (ch == NULL || free_place == NULL)
		o->a->counters.n[COUNTED_AUTHD_OIDC_FULL]++;
	if (ch == NULL || free_place == NULL || !fill(&w, p, q)) {
		sodium_memzero(&w, sizeof(w));
		return false;
	}
	fd = write_settings(p->s, q == NULL ? NULL : q->redirect_uri, &len);
	w.request = ++o->requests;
	w.len = (uint32_t)len;
	*free_place = (struct question){ w.request, told, ctx };
	if (fd != -1)
		sent = channel_send_fd(ch, MSG_OIDC_ASK, &w, sizeof(w), fd);
	sodium_memzero(&w, sizeof(w));
	if (!sent)
		*free_place = (struct question){ .request = 0 };
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

static enum directory_verdict
verdict_of(uint32_t verdict)
{
	switch ((enum oidc_verdict)verdict) {
	case OIDC_RIGHT:
		return DIRECTORY_RIGHT;
	case OIDC_REFUSED:
		return DIRECTORY_REFUSED;
	case OIDC_UNAVAILABLE:
		return DIRECTORY_UNAVAILABLE;
	default:
		return DIRECTORY_WRONG;
	}
}

static const char *
text_of(const struct json_doc *d, const char *key)
{
	const char *s = json_get_string(d, key);

	return s == NULL ? "" : s;
}

bool
oidc_answer(struct oidc_asks *o, const struct wire_oidc_told *w, int fd)
{
	struct question *q = w->request == 0 ? NULL : place(o, w->request);
	struct person_told t = { .verdict = verdict_of(w->verdict) };
	AUTO(mem_drop) const char **group = NULL;
	const struct json_node *groups;
	struct json_doc *doc;
	char err[128], *text;

	if (w->verdict == 0 || w->verdict >= OIDC_VERDICT_COUNT || w->len == 0 || w->len > OIDC_TOLD_MAX)
		return false;
	text = sealed_read(fd, w->len);
	doc = text == NULL ? NULL : json_parse(text, w->len, OIDC_TOLD_MAX, err, sizeof(err));
	if (text != NULL)
		sodium_memzero(text, w->len);
	free(text);
	if (doc == NULL)
		return false;
	groups = json_node_member(json_root(doc), "groups");
	group = mem_calloc(OIDC_GROUPS_MAX, sizeof(*group));
	for (size_t i = 0, n = json_node_count(groups); i < n && t.ngroups < OIDC_GROUPS_MAX; i++)
		if ((group[t.ngroups] = json_node_text(json_node_at(groups, i))) != NULL)
			t.ngroups++;
	t.why = text_of(doc, "why");
	t.title = text_of(doc, "title");
	t.name = text_of(doc, "name");
	t.id = text_of(doc, "sub");
	(void)json_get_bool(doc, "cut", &t.cut);
	t.group = group;
	t.doc = doc;
	if (q != NULL)
		tell(q, &t);
	json_doc_free(&doc);
	return true;
}

void
oidc_gone(struct oidc_asks *o)
{
	const struct person_told t = { .verdict = DIRECTORY_UNAVAILABLE,
				       .why = "weir-directory is gone",
				       .title = "",
				       .name = "",
				       .id = "" };

	for (size_t i = 0; i < OIDC_ASKS; i++)
		if (o->question[i].request != 0)
			tell(&o->question[i], &t);
}
