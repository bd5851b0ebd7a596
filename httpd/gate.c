#include "gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "rate.h"
#include "request.h"
#include "tally.h"

enum { ADDRESS, HOLDER, TENANT, RATES };

struct passing {
	struct request *request;
	gate_fn *fn;
	struct rate rate[RATES];
};

/* Whose it is does not matter where there is no quota. */
static struct rate
rate_of(const struct request *r, const char *name, const void *whose, size_t len, int64_t quota)
{
	return (struct rate){ .name = name,
			      .hash = quota == 0 ? 0 : rate_hash(r->httpd->tally, name, whose, len),
			      .quota = (uint32_t)quota };
}

/* Of one address, or one IPv6 /64: whoever has one has all of it. */
static struct rate
rate_of_address(const struct request *r)
{
	size_t len = ip_is_v4(&r->from.ip) ? sizeof(r->from.ip.b) : 8;

	return rate_of(r, "address", r->from.ip.b, len, r->httpd->boot->settings.rate_address);
}

/* Whatever address and tenant it is used from and for. */
static const void *
holder_of(const struct request *r, const char **name, size_t *len)
{
	const struct credential *c = &r->who;
	const void *whose = c->kind == CREDENTIAL_COOKIE  ? (const void *)c->cookie
			    : c->kind == CREDENTIAL_TOKEN ? c->token
							  : c->name;

	*name = c->kind == CREDENTIAL_COOKIE ? "session" : c->kind == CREDENTIAL_TOKEN ? "token" : "user";
	*len = c->kind == CREDENTIAL_COOKIE ? sizeof(c->cookie) : strlen(whose);
	return whose;
}

static struct rate
rate_of_holder(const struct request *r)
{
	const char *name;
	size_t len;
	const void *whose = holder_of(r, &name, &len);

	return rate_of(r, name, whose, len, r->httpd->boot->settings.rate_session);
}

uint64_t
gate_holder(const struct request *r)
{
	const char *name;
	size_t len;
	const void *whose = holder_of(r, &name, &len);

	return rate_hash(r->httpd->tally, name, whose, len);
}

static struct rate
rate_of_tenant(const struct request *r, const char *tenant)
{
	return rate_of(r, "tenant", tenant, strlen(tenant), r->httpd->boot->settings.rate_tenant);
}

static void
put_headers(const struct passing *p, size_t n)
{
	char policy[RATE_HEADER_MAX], limit[RATE_HEADER_MAX];

	rate_headers(p->rate, n, policy, limit);
	if (policy[0] == '\0')
		return;
	reply_header(p->request, "RateLimit-Policy", policy);
	reply_header(p->request, "RateLimit", limit);
}

/* n rates are known; frees p. */
static void
end(struct passing *p, size_t n, enum inquiry_end how)
{
	struct request *r = p->request;
	gate_fn *fn = p->fn;

	put_headers(p, n);
	free(p);
	fn(r, how);
}

static void
refuse(struct passing *p, size_t n, const struct rate *over)
{
	p->request->retry_after_s = over->retry_after_s;
	tally_refuse(p->request->httpd->tally);
	end(p, n, INQUIRY_RATED);
}

static void
on_session(void *ctx, enum session_end how, const struct session *s)
{
	struct passing *p = ctx;
	struct request *r = p->request;
	struct tally *t = r->httpd->tally;
	const int64_t now = clock_boot_ns();

	if (how != SESSION_OK) {
		r->retry_after_s = s == NULL ? 0 : s->retry_after_s;
		end(p, HOLDER, inquiry_end_of(how));
		return;
	}
	(void)str_copy(r->tenant, sizeof(r->tenant), s->me.tenant);
	p->rate[HOLDER] = rate_of_holder(r);
	p->rate[TENANT] = rate_of_tenant(r, s->me.tenant);
	for (unsigned i = HOLDER; i < RATES; i++)
		if (!rate_look(t, &p->rate[i], now)) {
			refuse(p, i + 1, &p->rate[i]);
			return;
		}
	for (unsigned i = HOLDER; i < RATES; i++)
		rate_count(t, &p->rate[i], now);
	end(p, RATES, INQUIRY_OK);
}

/* False where the address has no request left. */
static bool
address_passes(struct passing *p)
{
	struct tally *t = p->request->httpd->tally;
	const int64_t now = clock_boot_ns();

	p->rate[ADDRESS] = rate_of_address(p->request);
	if (!rate_look(t, &p->rate[ADDRESS], now))
		return false;
	rate_count(t, &p->rate[ADDRESS], now);
	return true;
}

/* What is nobody's counts for its address alone: nobody can use up another's quota by guessing at names. */
void
gate_pass(struct request *r, gate_fn *fn)
{
	struct passing *p = mem_calloc(1, sizeof(*p));

	p->request = r;
	p->fn = fn;
	if (address_passes(p))
		session_get(r->httpd->sessions, &r->who, &r->from, SESSION_ANY_AGE, on_session, p);
	else
		refuse(p, HOLDER, &p->rate[ADDRESS]);
}

bool
gate_pass_address(struct request *r)
{
	struct passing p = { .request = r };
	bool passes = address_passes(&p);

	put_headers(&p, HOLDER);
	if (!passes) {
		r->retry_after_s = p.rate[ADDRESS].retry_after_s;
		tally_refuse(r->httpd->tally);
	}
	return passes;
}
