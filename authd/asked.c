#include "asked.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "ipc/sealed.h"

/* Of weir-directory's own time for an answer: after that it has lost the question. */
#define SLACK_NS (10 * NS_PER_S)

struct question {
	uint64_t request; /* 0: free */
	int64_t until_ns; /* clock_boot_ns */
	people_told *told;
	void *ctx;
};

struct asked {
	uint64_t requests;
	size_t most;
	struct question question[];
};

struct asked *
asked_new(size_t most)
{
	struct asked *a = mem_calloc(1, sizeof(*a) + most * sizeof(a->question[0]));

	a->most = most;
	return a;
}

void
asked_free(struct asked **a)
{
	free(*a);
	*a = NULL;
}

static struct question *
place(struct asked *a, uint64_t request)
{
	for (size_t i = 0; i < a->most; i++)
		if (a->question[i].request == request)
			return &a->question[i];
	return NULL;
}

uint64_t
asked_add(struct asked *a, int64_t within_ns, people_told *told, void *ctx)
{
	struct question *q = place(a, 0);

	if (q == NULL)
		return 0;
	*q = (struct question){ ++a->requests, clock_boot_ns() + within_ns + SLACK_NS, told, ctx };
	return q->request;
}

void
asked_drop(struct asked *a, uint64_t request)
{
	struct question *q = place(a, request);

	if (q != NULL)
		*q = (struct question){ .request = 0 };
}

/* --- answers --- */

static void
tell(struct question *q, const struct person_told *t)
{
	const struct question was = *q;

	*q = (struct question){ .request = 0 };
	was.told(was.ctx, t);
}

static const char *
text_of(const struct json_doc *d, const char *key)
{
	const char *s = json_get_string(d, key);

	return s == NULL ? "" : s;
}

/* The texts of a list, at most max of them; to be freed. */
static const char **
texts_of(const struct json_doc *d, const char *key, size_t max, size_t *n)
{
	const struct json_node *list = json_node_member(json_root(d), key);
	size_t there = json_node_count(list);
	const char **text;

	there = there < max ? there : max;
	text = mem_calloc(there + 1, sizeof(*text));
	*n = 0;
	for (size_t i = 0; i < there; i++)
		if ((text[*n] = json_node_text(json_node_at(list, i))) != NULL)
			++*n;
	return text;
}

/* Sealed memory as JSON; NULL where it is none. */
static struct json_doc *
read_told(int fd, size_t len, size_t max)
{
	char *text = len == 0 || len > max ? NULL : sealed_read(fd, len), err[128];
	struct json_doc *doc = text == NULL ? NULL : json_parse(text, len, max, err, sizeof(err));

	if (text != NULL)
		sodium_memzero(text, len);
	free(text);
	return doc;
}

bool
asked_answer(struct asked *a, uint64_t request, enum directory_verdict v, int fd, size_t len,
	     const struct asked_form *form)
{
	struct question *q = request == 0 ? NULL : place(a, request);
	AUTO(mem_drop) const char **group = NULL;
	AUTO(mem_drop) const char **named = NULL;
	struct person_told t = { .verdict = v };
	struct json_doc *doc = read_told(fd, len, form->text_max);

	if (doc == NULL)
		return false;
	t.group = group = texts_of(doc, "groups", form->groups_max, &t.ngroups);
	t.named = named = texts_of(doc, "named", form->groups_max, &t.nnamed);
	t.why = text_of(doc, "why");
	t.title = text_of(doc, "title");
	t.id = text_of(doc, form->id);
	t.name = text_of(doc, "name");
	(void)json_get_bool(doc, "cut", &t.cut);
	t.doc = doc;
	if (q != NULL)
		tell(q, &t);
	json_doc_free(&doc);
	return true;
}

static struct person_told
nothing_told(const char *why)
{
	return (struct person_told){
		.verdict = DIRECTORY_UNAVAILABLE, .why = why, .title = "", .id = "", .name = ""
	};
}

void
asked_turn(struct asked *a)
{
	const struct person_told t = nothing_told("weir-directory has lost the question");
	int64_t now = clock_boot_ns();

	for (size_t i = 0; i < a->most; i++)
		if (a->question[i].request != 0 && now > a->question[i].until_ns)
			tell(&a->question[i], &t);
}

void
asked_gone(struct asked *a)
{
	const struct person_told t = nothing_told("weir-directory is gone");

	for (size_t i = 0; i < a->most; i++)
		if (a->question[i].request != 0)
			tell(&a->question[i], &t);
}
