/* Users and tokens, as operations of authd in ntopng's words. */
#include <event2/buffer.h>
#include <string.h>

#include "admin_call.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "guide.h"
#include "text.h"

#define OPERATION_MAX 2048
#define ANSWER_MAX    (8u << 20)
#define LISTED        1000 /* users of one answer of authd's */
#define TOKEN_LABEL   "made by create/ntopng/api_token"

/* Sends what w holds and frees it. */
static void
send_operation(struct request *r, struct json_writer **w, admin_fn *fn)
{
	size_t len = 0;
	const char *text = json_text(*w, &len);

	if (text == NULL)
		reply_problem(r, 400, "The operation is too long.");
	else
		admin_call(r, text, len, fn);
	json_wipe(w);
}

/* authd's answer; NULL where r was told that there is none. */
static struct json_doc *
read_answer(struct request *r, struct evbuffer *answer)
{
	size_t len = evbuffer_get_length(answer);
	const char *text = len > 0 ? (const char *)evbuffer_pullup(answer, -1) : NULL;
	char err[GUIDE_ERROR_MAX];
	struct json_doc *d = text == NULL ? NULL : json_parse(text, len, ANSWER_MAX, err, sizeof(err));

	if (d == NULL)
		reply_problem(r, 503, "The process that knows the accounts gave no answer.");
	return d;
}

/* --- get/ntopng/users
 * -------------------------------------------------------------------------------------------- */

/* The guide's three roles: whoever may change what is others' is an administrator. */
static const char *
group_of(const struct json_node *access)
{
	static const char *const administrators[] = { "platform-administrator", "tenant-administrator" };
	const char *group = "unprivileged";

	for (size_t i = 0; i < json_node_count(access); i++) {
		const char *role = json_node_text(json_node_member(json_node_at(access, i), "role"));

		for (size_t k = 0; role != NULL && k < ARRAY_LEN(administrators); k++)
			if (strcmp(role, administrators[k]) == 0)
				return "administrator";
		if (role != NULL && strcmp(role, "limited-viewer") == 0 && json_node_count(access) == 1)
			group = "limited";
	}
	return group;
}

/* A list of one access as "a,b"; of several accesses no one list would be true. */
static void
put_list(struct json_writer *w, const char *key, const struct json_node *access, const char *member,
	 const char *otherwise)
{
	const struct json_node *list = json_node_member(json_node_at(access, 0), member);
	struct text text = { 0 };

	for (size_t i = 0; json_node_count(access) == 1 && i < json_node_count(list); i++) {
		const char *one = json_node_text(json_node_at(list, i));

		if (one == NULL)
			continue;
		if (text.len > 0)
			text_add(&text, ",", 1);
		text_add(&text, one, strlen(one));
	}
	if (text.len > 0)
		json_string_n(w, key, text.bytes, text.len);
	else
		json_string(w, key, otherwise);
	text_free(&text);
}

static void
put_user(struct json_writer *w, const struct json_node *user)
{
	const char *name = json_node_text(json_node_member(user, "name"));
	const char *title = json_node_text(json_node_member(user, "title"));
	const struct json_node *access = json_node_member(user, "access");

	if (name == NULL)
		return;
	json_object(w, name);
	json_string(w, "full_name", title == NULL ? "" : title);
	json_string(w, "group", group_of(access));
	json_string(w, "language", "");
	put_list(w, "allowed_nets", access, "networks", "0.0.0.0/0,::/0");
	put_list(w, "allowed_ifname", access, "interfaces", "");
	json_object_end(w);
}

static void
on_users(struct request *r, const struct me *me, struct evbuffer *answer)
{
	struct json_doc *d = read_answer(r, answer);
	const struct json_node *users;
	struct json_writer *w;

	(void)me;
	if (d == NULL)
		return;
	if (json_get_string(d, "cursor") != NULL) {
		json_doc_free(&d);
		guide_refuse(r, GUIDE_BAD_CONTENT, 409,
			     "there are more users than one answer has: see /api/v1/users");
		return;
	}
	users = json_node_member(json_root(d), "users");
	w = guide_begin();
	json_object(w, "rsp");
	for (size_t i = 0; i < json_node_count(users); i++)
		put_user(w, json_node_at(users, i));
	json_object_end(w);
	json_doc_free(&d);
	guide_end(r, &w);
}

void
guide_users(struct guide *g)
{
	struct json_writer *w = json_new(OPERATION_MAX);

	json_object(w, NULL);
	json_string(w, "op", "user.list");
	json_uint(w, "limit", LISTED);
	json_object_end(w);
	send_operation(guide_release(g), &w, on_users);
}

/* --- create/ntopng/api_token
 * ------------------------------------------------------------------------------------- */

static void
on_token(struct request *r, const struct me *me, struct evbuffer *answer)
{
	static const char member[] = "\"secret\":\"";
	const size_t len = evbuffer_get_length(answer);
	const char *text = len > 0 ? (const char *)evbuffer_pullup(answer, -1) : NULL;
	const char *secret = text == NULL ? NULL : memmem(text, len, member, sizeof(member) - 1);
	const char *end;
	struct json_writer *w;

	(void)me;
	/* Not parsed: the parser would leave copies of the secret in memory that it frees. */
	secret = secret == NULL ? NULL : secret + sizeof(member) - 1;
	end = secret == NULL ? NULL : memchr(secret, '"', len - (size_t)(secret - text));
	if (end == NULL) {
		reply_problem(r, 503, "The process that knows the accounts gave no answer.");
		return;
	}
	w = guide_begin();
	json_object(w, "rsp");
	json_string_n(w, "api_token", secret, (size_t)(end - secret));
	json_object_end(w);
	json_object_end(w);
	reply_json_status(r, 200, &w); /* never in gzip: a secret is in it */
}

void
guide_api_token(struct guide *g)
{
	struct json_writer *w = json_new(OPERATION_MAX);

	json_object(w, NULL);
	json_string(w, "op", "token.add");
	json_string(w, "label", TOKEN_LABEL);
	if (g->p.value[GUIDE_USERNAME] != NULL)
		json_string(w, "owner", g->p.value[GUIDE_USERNAME]);
	json_object_end(w);
	send_operation(guide_release(g), &w, on_token);
}
