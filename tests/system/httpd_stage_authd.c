/* authd as httpd_stage plays it: one account, one token, and operations that tell what they were asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "httpd_stage.h"
#include "policy/role.h"

#define PASSWORD "correct horse battery"
#define TOKEN    "weir_good"
#define TENANT   "customer"
#define CODE     "123456"

static void
grant(struct stage *s, struct wire_auth_answer *a)
{
	a->status = AUTH_OK;
	memcpy(a->cookie, s->cookie, sizeof(a->cookie));
	a->grant_expires_ns = clock_utc_ns() + 60 * NS_PER_S;
	a->session_expires_ns = clock_utc_ns() + 3600 * NS_PER_S;
	(void)str_copy(a->name, sizeof(a->name), "admin");
	(void)str_copy(a->tenant, sizeof(a->tenant), s->limited ? "customer" : "");
	(void)str_copy(a->role, sizeof(a->role),
		       role_name(s->limited ? ROLE_VIEWER : ROLE_PLATFORM_ADMINISTRATOR));
	a->rights = s->limited ? 2 : 1;
	a->grant_len = 200;
	memset(a->grant, 'G', a->grant_len);
	memcpy(a->grant, &s->sessions, sizeof(s->sessions)); /* each grant differs */
}

/* Anybody has the default tenant, and one more. */
static bool
has_tenant(const char *name)
{
	return name[0] == '\0' || strcmp(name, TENANT) == 0;
}

static void
judge_login(struct stage *s, const struct wire_login *m, struct wire_auth_answer *a)
{
	s->logins++;
	if (strcmp(m->name, "busy") == 0)
		a->status = AUTH_BUSY;
	else if (strcmp(m->name, "away") == 0)
		a->status = AUTH_AWAY;
	else if (strcmp(m->name, "throttled") == 0) {
		a->status = AUTH_THROTTLED;
		a->retry_after_s = 7;
	} else if (strcmp(m->name, "second") == 0 && strcmp(m->password, PASSWORD) == 0) {
		a->status = AUTH_SECOND_FACTOR;
		memset(a->cookie, 7, sizeof(a->cookie));
	} else if (strcmp(m->password, PASSWORD) == 0) {
		for (size_t i = 0; i < sizeof(s->cookie); i++)
			s->cookie[i] = (uint8_t)(i * 7 + 3 + s->logins);
		s->logged_in = true;
		grant(s, a);
	} else
		a->status = AUTH_DENIED;
}

static void
judge_setup(struct stage *s, const struct wire_setup *m, struct wire_auth_answer *a)
{
	static const uint8_t right[SETUP_SECRET_BYTES] = { 1 };
	struct wire_login login = { 0 };

	if (!s->setup_open)
		a->status = AUTH_SETUP_OVER;
	else if (memcmp(m->secret, right, sizeof(right)) != 0)
		a->status = AUTH_DENIED;
	else if (strlen(m->password) < 12) {
		a->status = AUTH_WEAK_PASSWORD;
		(void)str_copy(a->detail, sizeof(a->detail), "the password has fewer than 12 characters");
	} else {
		(void)str_copy(login.password, sizeof(login.password), PASSWORD);
		judge_login(s, &login, a);
		s->setup_open = false;
	}
}

static void
judge_session(struct stage *s, const struct wire_session *m, struct wire_auth_answer *a)
{
	if (s->logged_in && !s->no_session && memcmp(m->cookie, s->cookie, sizeof(s->cookie)) == 0 &&
	    has_tenant(m->tenant)) {
		grant(s, a);
		if (m->tenant[0] != '\0')
			(void)str_copy(a->tenant, sizeof(a->tenant), m->tenant);
	} else
		a->status = AUTH_DENIED;
}

static void
judge_second_factor(struct stage *s, const struct wire_second_factor *m, struct wire_auth_answer *a)
{
	struct wire_login login = { 0 };
	uint8_t right[TICKET_BYTES];

	memset(right, 7, sizeof(right));
	(void)str_copy(login.password, sizeof(login.password), PASSWORD);
	if (memcmp(m->ticket, right, sizeof(right)) == 0 && strcmp(m->code, CODE) == 0)
		judge_login(s, &login, a);
	else
		a->status = AUTH_DENIED;
}

static void
judge_token(struct stage *s, const struct wire_token *m, struct wire_auth_answer *a)
{
	s->tokens++;
	if (!s->no_token && strcmp(m->token, TOKEN) == 0 && has_tenant(m->tenant)) {
		grant(s, a);
		memset(a->cookie, 0, sizeof(a->cookie));
		(void)str_copy(a->name, sizeof(a->name), "robot");
		if (m->tenant[0] != '\0')
			(void)str_copy(a->tenant, sizeof(a->tenant), m->tenant);
	} else
		a->status = AUTH_DENIED;
}

/* One part of an answer. */
static bool
send_part(const struct stage *s, struct channel *ch, uint64_t request, enum admin_status status,
	  const char *text, size_t len, bool more)
{
	struct wire_admin_answer head = { .request = request,
					  .status = (uint32_t)status,
					  .more = more,
					  .body_len = (uint32_t)len,
					  .unconfirmed = s->unconfirmed };
	uint8_t message[WIRE_ADMIN_ANSWER_MAX];

	memcpy(message, &head, sizeof(head));
	memcpy(message + sizeof(head), text, len);
	return channel_send(ch, MSG_ADMIN_ANSWER, message, sizeof(head) + len);
}

/* A page of s->rows users, for the operation in text, which it takes the place of. */
static size_t
users(const struct stage *s, char *text, size_t size)
{
	const char *cursor = strstr(text, "\"cursor\":\""), *limit = strstr(text, "\"limit\":");
	unsigned at = cursor == NULL ? 0 : (unsigned)strtoul(cursor + 10, NULL, 10);
	unsigned n = limit == NULL ? 100 : (unsigned)strtoul(limit + 8, NULL, 10);
	size_t len;

	n = n > 200 ? 200 : n; /* as many as it likes */
	n = n > s->rows - at ? s->rows - at : n;
	len = (size_t)snprintf(text, size, "{\"users\":[");
	for (unsigned i = at; i < at + n; i++)
		len +=
		    (size_t)snprintf(text + len, size - len,
				     "%s{\"name\":\"user%u\",\"kind\":\"person\",\"title\":\"\",\"access\":"
				     "[{\"tenant\":\"a\"}],\"groups\":[\"x\",\"y\"],\"disabled\":false,"
				     "\"last_login\":null,\"failed_logins\":%u}",
				     i > at ? "," : "", i, i);
	return len + (size_t)snprintf(text + len, size - len,
				      at + n < s->rows ? "],\"cursor\":\"%u\"}" : "]}", at + n);
}

/* Tells what came, as {"asked": ...}, whole or byte by byte. */
static bool
serve_admin(struct stage *s, struct channel *ch, const struct msg *m)
{
	static const char refusal[] = "{\"field\":\"access[0].role\",\"detail\":\"is none\"}";
	static const char account[] =
	    "{\"user\":{\"name\":\"admin\",\"kind\":\"person\",\"title\":\"\",\"access\":[],\"groups\":[],"
	    "\"disabled\":false,\"provider\":null,\"second_factor\":false,\"created\":1,\"last_login\":null,"
	    "\"failed_logins\":0},"
	    "\"tenant\":\"*\",\"role\":\"viewer\",\"tenants\":[\"*\"],\"second_factor\":false,"
	    "\"recovery_codes_left\":0,\"must_enrol\":false}";
	static const char secret[] =
	    "{\"id\":\"1\",\"secret\":\"weir_SecretSecretSecretSecretSecretSecret\"}";
	static char text[ADMIN_BODY_MAX + 32];
	enum admin_status status = s->admin_status == 0 ? ADMIN_OK : (enum admin_status)s->admin_status;
	struct wire_admin q;
	size_t len;

	memcpy(&q, m->body, sizeof(q));
	s->admins++;
	if (q.grant_len != 200 || m->len != sizeof(q) + q.grant_len + q.body_len)
		return false;
	if (s->refuse_admin_once) {
		s->refuse_admin_once = false;
		return send_part(s, ch, q.request, ADMIN_NOT_GRANTED, "", 0, false);
	}
	if (status != ADMIN_OK)
		return send_part(s, ch, q.request, status, refusal,
				 status == ADMIN_BAD || status == ADMIN_CONFLICT ? strlen(refusal) : 0,
				 false);
	if (s->endless) {
		static const char spaces[60000];

		for (size_t i = 0; i < (4u << 20) / sizeof(spaces); i++)
			if (!send_part(s, ch, q.request, status, spaces, sizeof(spaces), true))
				return false;
		return true;
	}
	if (memmem((const char *)m->body, m->len, "\"op\":\"token.add\"", 16) != NULL)
		return send_part(s, ch, q.request, status, secret, sizeof(secret) - 1, false);
	if (memmem((const char *)m->body, m->len, "\"me.get\"", 8) != NULL)
		return send_part(s, ch, q.request, status, account, sizeof(account) - 1, false);
	if (memmem((const char *)m->body, m->len, "\"label.list\"", 12) != NULL)
		return send_part(s, ch, q.request, status, "{\"labels\":[]}", 13, false);
	if (memmem((const char *)m->body, m->len, "\"setting.list\"", 14) != NULL)
		return send_part(s, ch, q.request, status, "{\"settings\":[]}", 15, false);
	len = (size_t)snprintf(text, sizeof(text), "{\"asked\":%.*s}", (int)q.body_len,
			       (const char *)m->body + sizeof(q) + q.grant_len);
	if (s->rows > 0 && strstr(text, ".list\"") != NULL)
		len = users(s, text, sizeof(text));
	if (strstr(text, ".remove\"") != NULL || len >= sizeof(text) - 1)
		len = 0;
	for (size_t i = 0; s->parts && i + 1 < len; i++)
		if (!send_part(s, ch, q.request, status, text + i, 1, true))
			return false;
	return s->parts && len > 0 ? send_part(s, ch, q.request, status, text + len - 1, 1, false)
				   : send_part(s, ch, q.request, status, text, len, false);
}

bool
authd_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct actor *actor = ctx;
	struct stage *s = actor->stage;
	struct wire_auth_answer a = { 0 };
	union {
		struct wire_login login;
		struct wire_setup setup;
		struct wire_session session;
		struct wire_second_factor second;
		struct wire_token token;
	} q;

	s->sessions += m->id == MSG_SESSION;
	if (s->silent_authd)
		return true;
	if (m->id == MSG_ADMIN)
		return serve_admin(s, ch, m);
	memcpy(&q, m->body, m->len);
	memcpy(&a.request, m->body, sizeof(a.request));
	if (m->id == MSG_LOGIN)
		judge_login(s, &q.login, &a);
	else if (m->id == MSG_SETUP)
		judge_setup(s, &q.setup, &a);
	else if (m->id == MSG_SESSION)
		judge_session(s, &q.session, &a);
	else if (m->id == MSG_SECOND_FACTOR)
		judge_second_factor(s, &q.second, &a);
	else if (m->id == MSG_TOKEN)
		judge_token(s, &q.token, &a);
	else {
		a.status = AUTH_OK;
		s->logged_in = false;
	}
	a.setup_open = s->setup_open;
	if (s->lie)
		memset(a.name, 'x', sizeof(a.name));
	return channel_send(ch, MSG_AUTH_ANSWER, &a, sizeof(a));
}
