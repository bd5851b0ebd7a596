#include "oidc_go.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authd.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "oidc_ask.h"
#include "oidc_begun.h"
#include "oidc_url.h"
#include "providers.h"
#include "reply.h"

#define ENDS(text)    (memchr((text), 0, sizeof(text)) != NULL)
#define FRESH_NS      (300 * NS_PER_S) /* endpoints hardly ever change */
#define FRESH_FAIL_NS (2 * NS_PER_S)   /* who is down is not asked for each who wants to come in */

struct goer {
	struct return_address to;
	struct wire_oidc_go w;
};

/* Those who wait for one provider. */
struct going {
	struct authd *a;
	struct provider *p;
	size_t n;
	struct goer goer[GOERS_MAX];
};

/* --- the answer --- */

static void
answer(struct authd *a, const struct return_address *to, struct wire_oidc_gone *w)
{
	struct channel *ch = return_address_find(a, to);

	if (ch != NULL)
		(void)channel_send(ch, MSG_OIDC_GONE, w, sizeof(*w));
	sodium_memzero(w, sizeof(*w));
}

static void
refuse(struct authd *a, const struct goer *g, enum auth_status status)
{
	struct wire_oidc_gone w = { .request = g->w.request, .status = status };

	answer(a, &g->to, &w);
}

static void
send_to_login(struct authd *a, const struct provider *p, const struct goer *g)
{
	struct wire_oidc_gone w = { .request = g->w.request, .status = AUTH_OK };
	const struct begun *b =
	    begun_draw(a->begun, p->s->name, g->w.origin, &g->w.client.ip, clock_boot_ns(), w.cookie);

	if (!authorization_url(p->authorization, p->s, b, w.url, sizeof(w.url)))
		w.status = AUTH_UNAVAILABLE;
	answer(a, &g->to, &w);
}

/* Who cannot be sent there goes home: here he is out already. */
static void
send_to_logout(struct authd *a, const struct provider *p, const struct goer *g)
{
	struct wire_oidc_gone w = { .request = g->w.request, .status = AUTH_OK };

	if (!p->s->end_session || !p->known || p->end_session[0] == '\0' ||
	    !end_session_url(p->end_session, p->s, g->w.origin, w.url, sizeof(w.url)))
		(void)str_copy(w.url, sizeof(w.url), "/");
	answer(a, &g->to, &w);
}

static void
send_on(struct authd *a, const struct provider *p, const struct goer *g)
{
	if (g->w.what == OIDC_GO_LOGOUT)
		send_to_logout(a, p, g);
	else if (p->known)
		send_to_login(a, p, g);
	else
		refuse(a, g, AUTH_UNAVAILABLE);
}

/* --- asking what the provider publishes --- */

static void
on_metadata(void *ctx, const struct person_told *t)
{
	struct going *going = ctx;

	provider_learn(going->p, t, clock_boot_ns());
	if (!going->p->known)
		log_warn("provider '%s': %s", going->p->s->name, going->p->why);
	going->p->going = NULL;
	for (size_t i = 0; i < going->n; i++)
		send_on(going->a, going->p, &going->goer[i]);
	free(going);
}

static bool
is_fresh(const struct provider *p)
{
	return p->looked_ns != 0 && clock_boot_ns() - p->looked_ns < (p->known ? FRESH_NS : FRESH_FAIL_NS);
}

static void
ask(struct authd *a, struct provider *p, const struct goer *g)
{
	struct going *going = p->going;

	if (going == NULL) {
		going = mem_calloc(1, sizeof(*going));
		*going = (struct going){ .a = a, .p = p };
		p->going = going;
		if (!oidc_ask(a->oidc, OIDC_METADATA, p, NULL, on_metadata, going)) {
			p->going = NULL;
			free(going);
			log_warn("provider '%s': weir-directory is not there, or has too much to do",
				 p->s->name);
			refuse(a, g, AUTH_BUSY);
			return;
		}
	}
	if (going->n == GOERS_MAX)
		refuse(a, g, AUTH_BUSY);
	else
		going->goer[going->n++] = *g;
}

bool
oidc_go_serve(struct authd *a, struct channel *ch, const struct wire_oidc_go *w)
{
	struct goer g = { .to = return_address_of(ch), .w = *w };
	struct provider *p;

	if (!ENDS(w->client.agent) || !ENDS(w->provider) || !ENDS(w->origin) || w->what == 0 ||
	    w->what >= OIDC_GO_COUNT)
		return false;
	p = providers_find(a->providers, w->provider);
	if (p == NULL)
		refuse(a, &g, AUTH_DENIED);
	else if (is_fresh(p))
		send_on(a, p, &g);
	else
		ask(a, p, &g);
	return true;
}
