/*
 * A stage for weir-httpd alone: starts the real program with its real boot document, uid and sandbox, and
 * plays authd, store and key (which signs by the real one's code).
 *
 *   httpd_stage PROGRAM CERTIFICATE KEY UID CONNECTIONS PER_ADDRESS [WRAPPER...]
 *
 * Prints "https PORT", "http PORT" and "pid N", then obeys lines on standard input (see commands[]) and
 * answers each with "ok"; at the end of input it sends SIGTERM. The last line says how the program ended:
 * "exit N" or "signal N".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "ipc/wire.h"
#include "pair.h"
#include "policy/role.h"

#define PASSWORD "correct horse battery"
#define TOKEN    "weir_good"
#define TENANT   "customer"
#define CODE     "123456"
#define PAD_MAX  4000u

struct actor {
	struct stage *stage;
	struct boot boot;
	struct peers *peers;
	int listener;
};

struct stage {
	struct event_base *base;
	struct boot boot; /* httpd's */
	char dir[64];
	struct actor authd, store, key;
	struct pair *pair; /* that key has */
	pid_t pid;
	struct event *input, *child;
	int https, http, listener, certificate;
	char **wrapper;
	uid_t uid;
	/* how the actors behave */
	bool silent_key, lying_key, silent_store, silent_pages, silent_authd, lie, slow_parts,
	    refuse_grant_once, no_session, history_down;
	unsigned signs, logins, sessions, questions, questions_of[ASK_KIND_COUNT], cancelled;
	uint32_t rows;        /* of each list; 0: two pages of any length */
	unsigned busy;        /* so many questions are answered with ANSWER_BUSY */
	bool formula;         /* names as attackers choose them */
	unsigned life, quiet; /* of store, for its cursors of events; no flow does anything */
	unsigned left_out;    /* events that the next answer says are not told; UINT32_MAX: nobody knows */
	uint32_t pad;         /* bytes of server name in each flow, at most PAD_MAX, to make answers long */
	uint8_t cookie[COOKIE_BYTES];
	bool logged_in, setup_open, limited;
	bool no_token, parts, refuse_admin_once, refuse_grants;
	bool endless; /* operations: half of what an answer may have, and never its end */
	unsigned tokens, admins;
	unsigned admin_status; /* that operations are answered with; 0: ADMIN_OK */
};

/* --- authd
 * -------------------------------------------------------------------------------------------------------------
 */

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

static bool unconfirmed; /* of all answers to operations */

/* One part of an answer. */
static bool
send_part(struct channel *ch, uint64_t request, enum admin_status status, const char *text, size_t len,
	  bool more)
{
	struct wire_admin_answer head = { .request = request,
					  .status = (uint32_t)status,
					  .more = more,
					  .body_len = (uint32_t)len,
					  .unconfirmed = unconfirmed };
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
		return send_part(ch, q.request, ADMIN_NOT_GRANTED, "", 0, false);
	}
	if (status != ADMIN_OK)
		return send_part(ch, q.request, status, refusal,
				 status == ADMIN_BAD || status == ADMIN_CONFLICT ? strlen(refusal) : 0,
				 false);
	if (s->endless) {
		static const char spaces[60000];

		for (size_t i = 0; i < (4u << 20) / sizeof(spaces); i++)
			if (!send_part(ch, q.request, status, spaces, sizeof(spaces), true))
				return false;
		return true;
	}
	if (memmem((const char *)m->body, m->len, "\"op\":\"token.add\"", 16) != NULL)
		return send_part(ch, q.request, status, secret, sizeof(secret) - 1, false);
	if (memmem((const char *)m->body, m->len, "\"me.get\"", 8) != NULL)
		return send_part(ch, q.request, status, account, sizeof(account) - 1, false);
	if (memmem((const char *)m->body, m->len, "\"label.list\"", 12) != NULL)
		return send_part(ch, q.request, status, "{\"labels\":[]}", 13, false);
	if (memmem((const char *)m->body, m->len, "\"setting.list\"", 14) != NULL)
		return send_part(ch, q.request, status, "{\"settings\":[]}", 15, false);
	len = (size_t)snprintf(text, sizeof(text), "{\"asked\":%.*s}", (int)q.body_len,
			       (const char *)m->body + sizeof(q) + q.grant_len);
	if (s->rows > 0 && strstr(text, ".list\"") != NULL)
		len = users(s, text, sizeof(text));
	if (strstr(text, ".remove\"") != NULL || len >= sizeof(text) - 1)
		len = 0;
	for (size_t i = 0; s->parts && i + 1 < len; i++)
		if (!send_part(ch, q.request, status, text + i, 1, true))
			return false;
	return s->parts && len > 0 ? send_part(ch, q.request, status, text + len - 1, 1, false)
				   : send_part(ch, q.request, status, text, len, false);
}

static bool
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

/* --- store
 * -------------------------------------------------------------------------------------------------------------
 */

struct message {
	uint8_t bytes[WIRE_ANSWER_MAX];
	struct wcur at;
	struct wire_answer head;
};

static void
begin(struct message *m, const struct wire_question *q, enum row_kind kind)
{
	m->at = wcur_of(m->bytes, sizeof(m->bytes));
	memset(&m->head, 0, sizeof(m->head));
	m->head.request = q->request;
	m->head.status = ANSWER_OK;
	m->head.row_kind = kind;
	m->head.now_ns = clock_utc_ns();
	(void)wcur_put(&m->at, &m->head, sizeof(m->head));
}

static void
row(struct message *m, const void *fixed, size_t size, const char *texts)
{
	uint32_t len = (uint32_t)(size + strlen(texts));

	(void)wcur_put(&m->at, &len, sizeof(len));
	(void)wcur_put(&m->at, fixed, size);
	(void)wcur_put(&m->at, texts, strlen(texts));
	m->head.nrows++;
}

static bool
send_answer(struct channel *ch, struct message *m)
{
	memcpy(m->bytes, &m->head, sizeof(m->head));
	return channel_send(ch, MSG_ANSWER, m->bytes, wcur_len(&m->at));
}

static void
row_of_host(struct message *m, uint8_t last)
{
	const uint8_t v4[4] = { 10, 0, 0, last };
	struct row_host h = { .ip = ip_from_v4(v4),
			      .space = 1,
			      .vlan = 5,
			      .local = 1,
			      .has_mac = 1,
			      .bytes = { 1000, 2000 },
			      .packets = { 10, 20 },
			      .flows_client = 1,
			      .peers = 3,
			      .first_ns = NS_PER_S,
			      .last_ns = 2 * NS_PER_S,
			      .names_len = 7,
			      .applications_len = 7,
			      .risks_len = 0 };

	row(m, &h, sizeof(h), "laptop\x01TLS,DNS");
}

static void
row_of_flow(struct message *m, struct stage *s, uint64_t n)
{
	static char pad[PAD_MAX + 1];
	char texts[PAD_MAX + 64];
	struct row_flow f = { .live = 1, .application_len = 3, .category_len = 3, .point_len = 4 };

	memcpy(f.flow.id.b + 8, &n, sizeof(n));
	f.flow.protocol = 6;
	f.flow.point = 1;
	f.flow.first_ns = f.flow.last_ns = NS_PER_S;
	f.server_name_len = (uint16_t)s->pad;
	if (s->formula) {
		static const char name[] = "=cmd|' /C calc'!A0, a\"b;-1";

		f.server_name_len = sizeof(name) - 1;
		(void)snprintf(texts, sizeof(texts), "TLSWeb%seth0", name);
		row(m, &f, sizeof(f), texts);
		return;
	}
	if (pad[0] == '\0')
		memset(pad, 'n', PAD_MAX);
	(void)snprintf(texts, sizeof(texts), "TLSWeb%.*seth0", (int)s->pad, pad);
	row(m, &f, sizeof(f), texts);
}

static void
rows_of_state(struct stage *s, struct message *m)
{
	struct wire_component c[3] = {
		{ .proc = PROC_STORE, .state = COMPONENT_RUNNING, .since_ns = NS_PER_S },
		{ .proc = PROC_AUTHD, .state = COMPONENT_RUNNING, .since_ns = NS_PER_S },
		{ .proc = PROC_CAPTURE, .state = COMPONENT_RUNNING, .since_ns = NS_PER_S, .point = "eth0" }
	};

	if (s->history_down) {
		c[0].state = COMPONENT_DEGRADED;
		(void)str_copy(c[0].why, sizeof(c[0].why), "No space left on device");
	}
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		row(m, &c[i], sizeof(c[i]), "");
}

static void
rows_of_counters(struct message *m)
{
	struct row_counter drop = { 1, 0, COUNTER_DROP, 17, 4, 3 }, info = { 1, 0, COUNTER_INFO, 14, 4, 2 },
			   undecoded = { UINT32_MAX, UINT32_MAX, COUNTER_UNDECODED, 3, 0, 9 };

	row(m, &drop, sizeof(drop), "capture.ring_fulleth0");
	row(m, &info, sizeof(info), "capture.mergedeth0");
	row(m, &undecoded, sizeof(undecoded), "arp");
}

/* A list of s->rows rows: the cursor is how many came. */
static bool
long_list(struct stage *s, struct channel *ch, struct message *m, const struct wire_question *q)
{
	bool flows = q->kind == ASK_FLOWS;
	uint32_t at = 0, n = q->limit == 0 ? 100 : q->limit;

	if (q->cursor_len == sizeof(at))
		memcpy(&at, q->cursor, sizeof(at));
	else if (q->cursor_len != 0 || q->limit > 1000) {
		m->head.status = ANSWER_BAD_QUESTION;
		return send_answer(ch, m);
	}
	if (n > s->rows - at)
		n = s->rows - at;
	for (uint32_t i = at; i < at + n; i++) {
		if (m->at.end - m->at.p < 6000) {
			m->head.more = 1;
			if (!send_answer(ch, m))
				return false;
			begin(m, q, flows ? ROW_FLOW : ROW_HOST);
		}
		if (flows)
			row_of_flow(m, s, i);
		else
			row_of_host(m, (uint8_t)i);
	}
	at += n;
	if (at < s->rows) {
		m->head.has_cursor = 1;
		m->head.cursor_len = sizeof(at);
		memcpy(m->head.cursor, &at, sizeof(at));
	}
	return send_answer(ch, m);
}

static bool
list(struct stage *s, struct channel *ch, struct message *m, const struct wire_question *q)
{
	uint32_t n = q->limit == 0 || q->limit > 1000 ? 100 : q->limit;
	bool flows = q->kind == ASK_FLOWS;

	if (s->rows > 0)
		return long_list(s, ch, m, q);
	if (q->cursor_len > 0 && (q->cursor_len != 3 || memcmp(q->cursor, "abc", 3) != 0)) {
		m->head.status = ANSWER_BAD_QUESTION;
		return send_answer(ch, m);
	}
	if (q->point != ANY_POINT && q->point != 1)
		n = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (m->at.end - m->at.p < 6000) {
			m->head.more = 1;
			if (!send_answer(ch, m))
				return false;
			begin(m, q, flows ? ROW_FLOW : ROW_HOST);
		}
		if (flows)
			row_of_flow(m, s, i);
		else
			row_of_host(m, (uint8_t)i);
	}
	if (q->cursor_len == 0 && n > 0) {
		m->head.has_cursor = 1;
		m->head.cursor_len = 3;
		memcpy(m->head.cursor, "abc", 3);
	}
	return send_answer(ch, m);
}

/* What flows did: at each question one flow opens, changes and ends, and what was told to be left out is. The
 * cursor is which question it is, and of which life of store. */
static void
rows_of_recent(struct stage *s, struct message *m, const struct wire_question *q)
{
	static const char name[] = "TLSWebeth0";
	struct row_flow_event e = {
		.flow = { .live = 1, .application_len = 3, .category_len = 3, .point_len = 4 }
	};
	uint32_t at[2] = { s->life, 0 };

	if (q->cursor_len == sizeof(at))
		memcpy(at, q->cursor, sizeof(at));
	if (at[0] != s->life || (q->cursor_len != 0 && q->cursor_len != sizeof(at))) {
		m->head.status = ANSWER_BAD_QUESTION;
		return;
	}
	memcpy(e.flow.flow.id.b, at, sizeof(at));
	e.flow.flow.point = 1;
	e.flow.flow.protocol = 6;
	e.flow.flow.first_ns = e.flow.flow.last_ns = NS_PER_S;
	for (e.what = FLOW_OPENED; q->cursor_len > 0 && s->quiet == 0 && e.what <= FLOW_ENDED; e.what++) {
		e.flow.live = e.what != FLOW_ENDED;
		e.flow.flow.end_reason = e.what == FLOW_ENDED ? END_CLOSED : END_NONE;
		for (uint32_t i = 0; i == 0 || (i < s->rows / 3 && m->at.end - m->at.p > 6000); i++)
			row(m, &e, sizeof(e), name);
	}
	if (s->left_out > 0 && q->cursor_len > 0) {
		struct row_flow_event none = { .what = FLOW_DROPPED,
					       .dropped =
						   s->left_out == UINT32_MAX ? UINT64_MAX : s->left_out };

		row(m, &none, sizeof(none), "");
		s->left_out = 0;
	}
	at[1]++;
	m->head.has_cursor = 1;
	m->head.cursor_len = sizeof(at);
	memcpy(m->head.cursor, at, sizeof(at));
}

static void
rows_of_series(struct message *m, const struct wire_question *q)
{
	uint64_t first = q->cursor_len == 0 ? 0 : 2;
	/* Left to store, it is whatever store says. */
	const uint32_t resolution_s = q->resolution_s != 0 ? q->resolution_s : 300;
	const bool of_flows = q->key_len == 5 && memcmp(q->key, "flows", 5) == 0;

	for (uint64_t i = first; i < first + 2; i++) {
		struct row_series r = { .time_ns = q->from_ns + (int64_t)i * resolution_s * NS_PER_S,
					.resolution_s = resolution_s,
					.finest_s = of_flows ? 0 : 1,
					.bytes = 100 + i,
					.packets = 10 + i,
					.bytes_max = 50,
					.packets_max = 5,
					.flows_max = 1,
					.in_bytes = 60,
					.out_bytes = 40 + i,
					.in_packets = 4,
					.out_packets = 6 + i };

		row(m, &r, sizeof(r), "");
	}
	if (first == 0) {
		m->head.has_cursor = 1;
		m->head.cursor_len = 3;
		memcpy(m->head.cursor, "abc", 3);
	}
}

/* All, one group by the first dimension, the rest; a bucket where they were asked for. */
static void
rows_of_groups(struct message *m, const struct wire_question *q)
{
	const uint32_t measures = q->grouping.measures | MEASURE_BIT(q->grouping.measure);
	struct row_group g = { .what = GROUP_ALL, .measures = (uint16_t)measures, .groups = 2 };

	for (unsigned i = 0; i < MEASURE_COUNT; i++)
		g.value[i] = measures & MEASURE_BIT(i) ? 10 + i : 0;
	row(m, &g, sizeof(g), "");
	g.what = GROUP_ONE;
	g.groups = 1;
	g.key[0] = (struct group_key){ .dimension = q->grouping.dimension[0],
				       .bits = q->grouping.bits_v4 == 0 ? 32 : q->grouping.bits_v4,
				       .ip = ip_from_v4((const uint8_t[4]){ 10, 0, 0, 0 }) };
	row(m, &g, sizeof(g), "");
	g.what = GROUP_REST;
	g.key[0] = (struct group_key){ 0 };
	row(m, &g, sizeof(g), "");
}

static bool
answer(struct stage *s, struct channel *ch, const struct wire_question *q)
{
	static const enum row_kind kinds[ASK_KIND_COUNT] = { [ASK_POINTS] = ROW_POINT,
							     [ASK_HOSTS] = ROW_HOST,
							     [ASK_HOST] = ROW_HOST,
							     [ASK_DEVICES] = ROW_DEVICE,
							     [ASK_FLOWS] = ROW_FLOW,
							     [ASK_FLOW] = ROW_FLOW,
							     [ASK_APPLICATIONS] = ROW_APPLICATION,
							     [ASK_SERIES] = ROW_SERIES,
							     [ASK_SERIES_LIST] = ROW_SERIES_OF,
							     [ASK_TOTALS] = ROW_TOTALS,
							     [ASK_COUNTERS] = ROW_COUNTER,
							     [ASK_COMPONENTS] = ROW_COMPONENT,
							     [ASK_GROUPS] = ROW_GROUP,
							     [ASK_RECENT] = ROW_FLOW_EVENT };
	static struct message m;
	struct row_point point = {
		.id = 1, .space = 1, .kind = POINT_INTERFACE, .state = POINT_UP, .bytes = 5, .packets = 1
	};
	struct row_application app = {
		.bytes = 9, .packets = 2, .flows = 1, .name_len = 3, .category_len = 3
	};
	struct row_device device = { .point = 1, .space = 1, .mac = { 2, 0, 0, 0, 0, 1 }, .point_len = 4 };
	struct row_series_of country = { .in_bytes = 1,
					 .out_bytes = 2,
					 .in_packets = 3,
					 .out_packets = 4,
					 .in_bytes_per_s = 5,
					 .out_bytes_per_s = 6,
					 .last_ns = 60 * NS_PER_S,
					 .key_len = 2,
					 .name_len = 3 };
	struct row_totals totals = {
		.packets = 100, .bytes = 5000, .flows = 7, .hosts = 4, .bytes_per_s = 10, .packets_per_s = 1
	};
	static const uint8_t known[4] = { 10, 0, 0, 1 };
	struct ip_addr host = ip_from_v4(known);

	begin(&m, q, kinds[q->kind]);
	switch ((enum question_kind)q->kind) {
	case ASK_POINTS:
		(void)str_copy(point.name, sizeof(point.name), "eth0");
		row(&m, &point, sizeof(point), "");
		break;
	case ASK_HOSTS:
	case ASK_FLOWS:
		return list(s, ch, &m, q);
	case ASK_DEVICES:
		row(&m, &device, sizeof(device), "eth0");
		break;
	case ASK_HOST:
		if (!ip_equal(&q->ip, &host))
			m.head.status = ANSWER_NOT_FOUND;
		else
			row_of_host(&m, 1);
		break;
	case ASK_FLOW:
		if (q->flow.b[15] != 0)
			row_of_flow(&m, s, 77);
		break;
	case ASK_APPLICATIONS:
		row(&m, &app, sizeof(app), "TLSWeb");
		break;
	case ASK_SERIES:
		rows_of_series(&m, q);
		break;
	case ASK_SERIES_LIST:
		row(&m, &country, sizeof(country), "NLXYZ");
		break;
	case ASK_TOTALS:
		row(&m, &totals, sizeof(totals), "");
		break;
	case ASK_COUNTERS:
		rows_of_counters(&m);
		break;
	case ASK_COMPONENTS:
		if (s->limited)
			m.head.status = ANSWER_NOT_GRANTED;
		else
			rows_of_state(s, &m);
		break;
	case ASK_GROUPS:
		rows_of_groups(&m, q);
		break;
	case ASK_RECENT:
		rows_of_recent(s, &m, q);
		break;
	case ASK_KIND_COUNT:
		return false;
	}
	if (s->lie)
		m.head.nrows += 3;
	return send_answer(ch, &m);
}

static bool
store_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct actor *actor = ctx;
	struct stage *s = actor->stage;
	struct wire_question q;
	struct wire_answer no = { 0 };

	if (m->id == MSG_QUESTION_CANCEL) {
		s->cancelled++;
		return true;
	}
	memcpy(&q, m->body, sizeof(q));
	s->questions++;
	if (q.kind < ASK_KIND_COUNT)
		s->questions_of[q.kind]++;
	if (s->silent_store || (s->silent_pages && q.cursor_len > 0))
		return true;
	if (s->busy > 0) {
		s->busy--;
		no.request = q.request;
		no.status = ANSWER_BUSY;
		return channel_send(ch, MSG_ANSWER, &no, sizeof(no));
	}
	if (q.kind == 0 || q.kind >= ASK_KIND_COUNT || q.grant_len != 200 || s->refuse_grant_once ||
	    s->refuse_grants) {
		s->refuse_grant_once = false;
		no.request = q.request;
		no.status = ANSWER_NOT_GRANTED;
		return channel_send(ch, MSG_ANSWER, &no, sizeof(no));
	}
	return answer(s, ch, &q);
}

/* --- key
 * ----------------------------------------------------------------------------------------------------------
 */

/* What it did not answer while it was silent is answered when it is not. */
static bool
key_message(void *ctx, struct channel *ch, struct msg *m)
{
	static struct wire_sign q;
	static bool owed;
	struct stage *s = ((struct actor *)ctx)->stage;
	struct wire_signed a = { .status = SIGN_UNKNOWN };
	size_t len = sizeof(a.signature);

	if (m != NULL) {
		memcpy(&q, m->body, sizeof(q));
		s->signs++;
		owed = true;
	}
	if (s->silent_key || !owed)
		return true;
	owed = false;
	a.ticket = s->lying_key ? q.ticket + 1 : q.ticket;
	if (pair_is(s->pair, q.certificate) &&
	    pair_sign(s->pair, q.scheme, q.content, q.len, a.signature, &len)) {
		a.status = SIGN_OK;
		a.len = (uint32_t)len;
	}
	return channel_send(ch, MSG_SIGNED, &a, sizeof(a));
}

/* --- the actors' channels
 * ---------------------------------------------------------------------------------------------- */

static void
nothing(void *ctx, struct channel *ch)
{
	(void)ctx;
	(void)ch;
}

static int
unix_listener(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)unlink(path);
	if (fd == -1 || !str_copy(a.sun_path, sizeof(a.sun_path), path) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 || chmod(path, 0666) == -1 ||
	    listen(fd, 16) == -1)
		fatal("%s", path);
	return fd;
}

static void
path_of(const struct stage *s, const char *who, char *path)
{
	(void)snprintf(path, BOOT_PATH_MAX, "%s/%s", s->dir, who);
}

static void
actor_up(struct stage *s, struct actor *a, enum proc proc, bool call)
{
	static const struct peers_handlers authd = { nothing, nothing, authd_message },
					   store = { nothing, nothing, store_message },
					   key = { nothing, nothing, key_message };

	if (a->peers != NULL)
		return;
	a->stage = s;
	memset(&a->boot, 0, sizeof(a->boot));
	a->boot.proc = (uint32_t)proc;
	a->boot.npeers = 1;
	a->boot.peers[0].proc = PROC_HTTPD;
	a->boot.peers[0].uid = s->uid;
	a->boot.peers[0].connect = call;
	path_of(s, "httpd", a->boot.peers[0].path);
	a->peers = peers_new(s->base, &a->boot, a->listener,
			     proc == PROC_AUTHD   ? &authd
			     : proc == PROC_STORE ? &store
						  : &key,
			     a);
}

static void
actor_down(struct actor *a)
{
	peers_free(&a->peers);
}

/* --- the program
 * ------------------------------------------------------------------------------------------------------- */

static int
tcp_listener(unsigned *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_ANY) } };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, small = 16384;

	/* Accepted sockets inherit both: what a client does not read soon waits in the program and not in the
	 * kernel. */
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 || listen(fd, 1024) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		fatal("listening socket");
	*port = ntohs(a.sin_port);
	return fd;
}

static void
start(struct stage *s)
{
	int from[5] = { boot_memfd(&s->boot), s->listener, s->https, s->http, s->certificate };
	int high[5];

	s->pid = fork();
	if (s->pid != 0) {
		close(from[0]);
		printf("pid %d\n", (int)s->pid);
		return;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 5; i++)
		high[i] = fcntl(from[i], F_DUPFD, 100);
	for (int i = 0; i < 5; i++)
		if (dup2(high[i], BOOT_FD_DOCUMENT + i) == -1)
			_exit(127);
	if (close_range(BOOT_FD_DOCUMENT + 5, ~0U, 0) == -1 || dup2(open("/dev/null", O_RDWR), 0) == -1 ||
	    dup2(2, 1) == -1)
		_exit(127);
	if (s->uid != 0 && (setgroups(0, NULL) == -1 || setgid(s->uid) == -1 || setuid(s->uid) == -1))
		_exit(127);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(s->wrapper[0], s->wrapper);
	_exit(127);
}

static void
finish(struct stage *s)
{
	int status;

	(void)kill(s->pid, SIGTERM);
	if (waitpid(s->pid, &status, 0) == -1)
		fatal("waitpid");
	if (WIFEXITED(status))
		printf("exit %d\n", WEXITSTATUS(status));
	else
		printf("signal %d\n", WTERMSIG(status));
	(void)fflush(stdout);
	exit(0);
}

/* --- commands
 * ----------------------------------------------------------------------------------------------------------
 */

/* Each line is a word and a number. */
static void
obey(struct stage *s, const char *word, unsigned v)
{
	const struct {
		const char *word;
		bool *flag;
	} flags[] = { { "silent-key", &s->silent_key },
		      { "lying-key", &s->lying_key },
		      { "silent-store", &s->silent_store },
		      { "silent-pages", &s->silent_pages },
		      { "silent-authd", &s->silent_authd },
		      { "lie", &s->lie },
		      { "refuse-once", &s->refuse_grant_once },
		      { "no-session", &s->no_session },
		      { "history-down", &s->history_down },
		      { "limited", &s->limited },
		      { "no-token", &s->no_token },
		      { "parts", &s->parts },
		      { "formula", &s->formula },
		      { "refuse-grants", &s->refuse_grants },
		      { "refuse-admin-once", &s->refuse_admin_once },
		      { "endless", &s->endless },
		      { "setup-open", &s->setup_open },
		      { "unconfirmed", &unconfirmed } };

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (strcmp(flags[i].word, word) == 0)
			*flags[i].flag = v != 0;
	if (strcmp(word, "admin-status") == 0)
		s->admin_status = v;
	if (strcmp(word, "pad") == 0)
		s->pad = v < PAD_MAX ? v : PAD_MAX;
	if (strcmp(word, "rows") == 0)
		s->rows = v;
	if (strcmp(word, "busy") == 0)
		s->busy = v;
	if (strcmp(word, "life") == 0)
		s->life = v;
	if (strcmp(word, "quiet") == 0)
		s->quiet = v;
	if (strcmp(word, "left-out") == 0)
		s->left_out = v;
	if (strcmp(word, "streams") == 0)
		s->boot.settings.streams = v;
	if (strcmp(word, "workers") == 0)
		s->boot.settings.http_workers = v;
	if (strcmp(word, "rate-address") == 0)
		s->boot.settings.rate_address = v;
	if (strcmp(word, "rate-session") == 0)
		s->boot.settings.rate_session = v;
	if (strcmp(word, "rate-tenant") == 0)
		s->boot.settings.rate_tenant = v;
	if (strcmp(word, "stream-rows") == 0)
		s->boot.settings.stream_rows = v;
	if (strcmp(word, "stream-time") == 0)
		s->boot.settings.stream_time_ms = v;
	if (strcmp(word, "store") == 0 && v == 0)
		actor_down(&s->store);
	if (strcmp(word, "store") == 0 && v != 0)
		actor_up(s, &s->store, PROC_STORE, true);
	if (strcmp(word, "authd") == 0 && v == 0)
		actor_down(&s->authd);
	if (strcmp(word, "authd") == 0 && v != 0)
		actor_up(s, &s->authd, PROC_AUTHD, true);
	if (strcmp(word, "key") == 0 && v == 0)
		actor_down(&s->key);
	if (strcmp(word, "key") == 0 && v != 0)
		actor_up(s, &s->key, PROC_KEY, true);
	if (strcmp(word, "silent-key") == 0 && v == 0 && s->key.peers != NULL)
		(void)key_message(&s->key, peers_find(s->key.peers, PROC_HTTPD, 0), NULL);
	if (strcmp(word, "term") == 0)
		(void)kill(s->pid, SIGTERM);
	if (strcmp(word, "restart") == 0) { /* as the launcher does: the sockets stay */
		int status;

		(void)kill(s->pid, SIGTERM);
		(void)waitpid(s->pid, &status, 0);
		start(s);
	}
	if (strcmp(word, "counts") == 0)
		printf("counts %u %u %u %u %u %u %u %u %u\n", s->logins, s->sessions, s->questions,
		       s->questions_of[ASK_HOSTS], s->tokens, s->admins, s->cancelled,
		       s->questions_of[ASK_RECENT], s->signs);
	printf("ok\n");
	(void)fflush(stdout);
}

static void
on_input(evutil_socket_t fd, short what, void *arg)
{
	struct stage *s = arg;
	char line[128];
	size_t n;

	(void)fd;
	(void)what;
	if (fgets(line, sizeof(line), stdin) == NULL)
		finish(s);
	n = strcspn(line, " \n");
	if (line[n] == '\0')
		return;
	line[n] = '\0';
	obey(s, line, (unsigned)strtoul(line + n + 1, NULL, 10));
}

static void
describe(struct stage *s, unsigned connections, unsigned per_address)
{
	struct boot *b = &s->boot;

	b->proc = PROC_HTTPD;
	b->uid = (uint32_t)s->uid;
	b->flags = BOOT_HAS_HTTP;
	settings_default(&b->settings);
	b->settings.http_workers = 1;
	b->settings.http_connections = connections;
	b->settings.http_connections_per_address = per_address;
	b->settings.http_idle_ms = 3000;
	b->settings.query_time_ms = 3000;
	(void)str_copy(b->settings.name, sizeof(b->settings.name), "stage");
	b->npoints = 1;
	b->points[0] = (struct boot_point){ .id = 1, .space = 1, .kind = POINT_INTERFACE, .name = "eth0" };
	b->npeers = 3;
	b->peers[0] = (struct boot_peer){ .proc = PROC_AUTHD, .connect = 1 };
	b->peers[1] = (struct boot_peer){ .proc = PROC_STORE, .connect = 1 };
	b->peers[2] = (struct boot_peer){ .proc = PROC_KEY, .connect = 1 };
	path_of(s, "key", b->peers[2].path);
	path_of(s, "authd", b->peers[0].path);
	path_of(s, "store", b->peers[1].path);
}

int
main(int argc, char **argv)
{
	static struct stage s;
	unsigned https, http;
	char path[BOOT_PATH_MAX], why[PAIR_WHY_MAX];
	int key;

	if (argc < 7)
		return 64;
	log_init("stage", LOG_LEVEL_WARN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	s.uid = (uid_t)strtoul(argv[4], NULL, 10);
	s.setup_open = true;
	(void)str_copy(s.dir, sizeof(s.dir), "/tmp/weir-stage-XXXXXX");
	if (mkdtemp(s.dir) == NULL || chmod(s.dir, 0755) == -1)
		fatal("%s", s.dir);
	/* PROGRAM comes last, behind what wraps it (strace). */
	s.wrapper = mem_calloc((size_t)argc, sizeof(char *));
	for (int i = 7; i < argc; i++)
		s.wrapper[i - 7] = argv[i];
	s.wrapper[argc - 7] = argv[1];
	s.certificate = open(argv[2], O_RDONLY | O_CLOEXEC);
	key = open(argv[3], O_RDONLY | O_CLOEXEC);
	if (s.certificate == -1 || key == -1)
		fatal("certificate");
	pair_memory();
	s.pair = pair_read(s.certificate, key, why);
	close(key);
	if (s.pair == NULL)
		fatalx("%s", why);
	describe(&s, (unsigned)strtoul(argv[5], NULL, 10), (unsigned)strtoul(argv[6], NULL, 10));
	s.https = tcp_listener(&https);
	s.http = tcp_listener(&http);
	s.boot.settings.https_port = https;
	path_of(&s, "httpd", path);
	s.listener = unix_listener(path);
	path_of(&s, "authd", path);
	s.authd.listener = unix_listener(path);
	path_of(&s, "store", path);
	s.store.listener = unix_listener(path);
	path_of(&s, "key", path);
	s.key.listener = unix_listener(path);
	printf("https %u\nhttp %u\n", https, http);
	start(&s);
	(void)fflush(stdout);
	s.base = event_base_new();
	if (s.base == NULL)
		return 1;
	actor_up(&s, &s.authd, PROC_AUTHD, false);
	actor_up(&s, &s.store, PROC_STORE, false);
	actor_up(&s, &s.key, PROC_KEY, false);
	s.input = event_new(s.base, 0, EV_READ | EV_PERSIST, on_input, &s);
	if (s.input == NULL || event_add(s.input, NULL) == -1)
		return 1;
	return event_base_dispatch(s.base) == -1;
}
