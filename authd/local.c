#include "local.h"

#include <stdio.h>
#include <string.h>

#include "authd.h"
#include "base/clock.h"
#include "base/mem.h"
#include "grants.h"
#include "policy/role.h"
#include "store_link.h"

#define NAME "loopback"

/* That the request came from here is httpd's word, which is why this gives away so little. */
static bool
is_allowed(const struct authd *a, const struct wire_token *w)
{
	return a->boot->settings.metrics_loopback && ip_is_loopback(&w->client.ip) &&
	       (w->tenant[0] == '\0' || strcmp(w->tenant, "*") == 0);
}

static struct live_grant *
issue(struct authd *a, const struct return_address *to)
{
	const int64_t now = clock_utc_ns();
	struct grant g = { .audience_proc = to->proc,
			   .audience_instance = to->instance,
			   .tenant = TENANT_PLATFORM,
			   .role = ROLE_PLATFORM_ADMINISTRATOR,
			   .snapshot = accounts_db_snapshot_number(a->db),
			   .scopes = UINT64_C(1) << ACTION_READ_METRICS,
			   .issued_ns = now,
			   .expires_ns = now + GRANT_LIFE_S * NS_PER_S };
	struct grant_words words = { .name = NAME, .tenant_name = "*", .is_default = true };
	struct live_grant *l, *surplus = grants_surplus(&a->local);

	if (surplus != NULL) {
		store_link_revoke(a, surplus);
		grants_drop(&a->grants, surplus);
	}
	(void)snprintf(g.subject, sizeof(g.subject), "%s", NAME);
	l = grants_issue(&a->grants, &g, signing_secret(&a->signing), &a->local, &words);
	if (l != NULL)
		store_link_add(a, l);
	return l;
}

void
local_serve(struct authd *a, const struct return_address *to, const struct wire_token *w)
{
	struct answer answer = { .id = MSG_AUTH_ANSWER, .to = *to };
	struct live_grant *l;

	if (!is_allowed(a, w)) {
		reply_status(a, to, w->request, AUTH_DENIED, 0, NULL);
		return;
	}
	l = grants_reusable(&a->local, to->proc, to->instance, "", clock_utc_ns());
	if (l == NULL)
		l = issue(a, to);
	if (l == NULL) {
		reply_status(a, to, w->request, AUTH_BUSY, 0, "Too many grants are in use.");
		return;
	}
	answer.auth.request = w->request;
	answer.auth.status = AUTH_OK;
	answer.auth.grant_expires_ns = l->live.expires_ns;
	(void)str_copy(answer.auth.name, sizeof(answer.auth.name), NAME);
	(void)str_copy(answer.auth.tenant, sizeof(answer.auth.tenant), "*");
	(void)str_copy(answer.auth.role, sizeof(answer.auth.role), role_name(ROLE_PLATFORM_ADMINISTRATOR));
	answer.auth.rights = l->rights;
	memcpy(answer.auth.grant, l->bytes, l->len);
	answer.auth.grant_len = (uint32_t)l->len;
	store_link_answer(a, &answer, l->ticket, false);
}
