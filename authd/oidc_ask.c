#include "oidc_ask.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "authd.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/sealed.h"

#define SETTINGS_MAX 8192 /* bytes of a provider's settings as JSON */

struct oidc_asks {
	struct authd *a;
	struct asked *asked;
};

struct oidc_asks *
oidc_asks_new(struct authd *a)
{
	struct oidc_asks *o = mem_calloc(1, sizeof(*o));

	o->a = a;
	o->asked = asked_new(OIDC_ASKS);
	return o;
}

void
oidc_asks_free(struct oidc_asks **o)
{
	if (*o == NULL)
		return;
	asked_free(&(*o)->asked);
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
	struct wire_oidc_ask w = { .what = (uint32_t)what, .timeout_ms = (uint32_t)p->s->timeout_ms };
	bool sent = false;
	size_t len = 0;
	int fd;

	if (ch != NULL && fill(&w, p, q))
		w.request = asked_add(o->asked, p->s->timeout_ms * NS_PER_MS, told, ctx);
	if (w.request == 0) {
		o->a->counters.n[COUNTED_AUTHD_OIDC_FULL]++;
		sodium_memzero(&w, sizeof(w));
		return false;
	}
	fd = write_settings(p->s, q == NULL ? NULL : q->redirect_uri, &len);
	w.len = (uint32_t)len;
	if (fd != -1)
		sent = channel_send_fd(ch, MSG_OIDC_ASK, &w, sizeof(w), fd);
	if (!sent)
		asked_drop(o->asked, w.request);
	sodium_memzero(&w, sizeof(w));
	return sent;
}

/* --- answers --- */

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

bool
oidc_answer(struct oidc_asks *o, const struct wire_oidc_told *w, int fd)
{
	static const struct asked_form form = { "sub", OIDC_TOLD_MAX, OIDC_GROUPS_MAX };

	return w->verdict > 0 && w->verdict < OIDC_VERDICT_COUNT &&
	       asked_answer(o->asked, w->request, verdict_of(w->verdict), fd, w->len, &form);
}

void
oidc_turn(struct oidc_asks *o)
{
	asked_turn(o->asked);
}

void
oidc_gone(struct oidc_asks *o)
{
	asked_gone(o->asked);
}
