#include "guide_reply.h"

#include <stdio.h>

#include "base/mem.h"
#include "request.h"

#define ANSWER_MAX  (32u << 20)
#define REFUSAL_MAX 8192

static const struct {
	const char *name, *words;
} codes[] = {
	[-GUIDE_OK] = { "OK", "Success" },
	[-GUIDE_NOT_FOUND] = { "NOT_FOUND", "Not found" },
	[-GUIDE_INVALID_INTERFACE] = { "INVALID_INTERFACE", "Invalid interface" },
	[-GUIDE_NOT_GRANTED] = { "NOT_GRANTED", "Not granted" },
	[-GUIDE_INVALID_HOST] = { "INVALID_HOST", "Invalid host" },
	[-GUIDE_INVALID_ARGUMENTS] = { "INVALID_ARGUMENTS", "Invalid arguments" },
	[-GUIDE_INTERNAL_ERROR] = { "INTERNAL_ERROR", "Internal error" },
	[-GUIDE_BAD_FORMAT] = { "BAD_FORMAT", "Bad format" },
	[-GUIDE_BAD_CONTENT] = { "BAD_CONTENT", "Bad content" },
};

static void
put_code(struct json_writer *w, enum guide_rc rc, const char *detail)
{
	char words[1024];

	(void)snprintf(words, sizeof(words), "%s%s%s", codes[-rc].words, detail[0] == '\0' ? "" : ": ",
		       detail);
	json_int(w, "rc", rc);
	json_string(w, "rc_str", codes[-rc].name);
	json_string(w, "rc_str_hr", words);
}

struct json_writer *
guide_begin(void)
{
	struct json_writer *w = json_new(ANSWER_MAX);

	json_object(w, NULL);
	put_code(w, GUIDE_OK, "");
	return w;
}

void
guide_end(struct request *r, struct json_writer **w)
{
	json_object_end(*w);
	reply_json(r, w);
}

static enum guide_rc
code_of(int status)
{
	static const struct {
		int status;
		enum guide_rc rc;
	} of[] = {
		{ 400, GUIDE_INVALID_ARGUMENTS }, { 401, GUIDE_NOT_GRANTED },
		{ 403, GUIDE_NOT_GRANTED },       { 404, GUIDE_NOT_FOUND },
		{ 405, GUIDE_INVALID_ARGUMENTS }, { 409, GUIDE_NOT_GRANTED },
		{ 411, GUIDE_BAD_FORMAT },        { 413, GUIDE_BAD_FORMAT },
		{ 415, GUIDE_BAD_FORMAT },        { 429, GUIDE_NOT_GRANTED },
	};

	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		if (of[i].status == status)
			return of[i].rc;
	return GUIDE_INTERNAL_ERROR;
}

void
guide_refuse(struct request *r, enum guide_rc rc, int status, const char *detail)
{
	struct json_writer *w = json_new(REFUSAL_MAX);

	/* Clients that show their password only when asked (RFC 7235) learn here that they may. */
	if (status == 401) {
		reply_header(r, "WWW-Authenticate", "Basic realm=\"weir\", charset=\"UTF-8\"");
		reply_header(r, "WWW-Authenticate", "Bearer realm=\"weir\"");
	}
	json_object(w, NULL);
	put_code(w, rc, detail);
	json_array(w, "rsp");
	json_array_end(w);
	json_object_end(w);
	reply_json_status(r, status, &w);
}

void
guide_problem(struct request *r, int status, const char *field, const char *detail)
{
	char text[640];

	(void)snprintf(text, sizeof(text), "%s%s%s", field == NULL ? "" : field,
		       field == NULL || detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
	guide_refuse(r, code_of(status), status, text);
}
