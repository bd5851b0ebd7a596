#include "findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "refusal.h"

#define SLOTS 32768u /* a power of two, more than twice FINDINGS_GROUPS */

struct all {
	struct findings f;    /* first */
	uint16_t slot[SLOTS]; /* group + 1 */
};
static_assert(SLOTS > 2 * FINDINGS_GROUPS && FINDINGS_GROUPS < UINT16_MAX, "room to look for groups");

struct findings *
findings_new(void)
{
	struct all *a = mem_calloc(1, sizeof(*a));

	a->f.group = mem_calloc(FINDINGS_GROUPS, sizeof(*a->f.group));
	return &a->f;
}

void
findings_free(struct findings **fp)
{
	struct findings *f = *fp;

	if (f == NULL)
		return;
	for (size_t i = 0; i < f->ngroups; i++)
		free(f->group[i]);
	for (size_t i = 0; i < f->nsteps; i++)
		free(f->step[i]);
	for (size_t i = 0; i < f->nnamed; i++)
		free(f->named[i]);
	free(f->group);
	free(f->dn);
	free(f->title);
	free(f->id);
	free(f->name);
	free(f);
	*fp = NULL;
}

void
findings_step(struct findings *f, const char *format, ...)
{
	char text[512];
	va_list args;

	if (f->nsteps == FINDINGS_STEPS)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	f->step[f->nsteps++] = mem_strdup(text);
}

void
findings_end(struct findings *f, enum directory_verdict v, const char *words)
{
	bool more = words != NULL && words[0] != '\0';

	f->verdict = v;
	(void)snprintf(f->why, sizeof(f->why), "%s%s%s", refusal_text(v), more ? ": " : "",
		       more ? words : "");
	findings_step(f, "%s", f->why);
}

const char *
findings_words(const struct findings *f)
{
	size_t sentence = strlen(refusal_text(f->verdict)), len = strlen(f->why);

	return len > sentence + 2 ? f->why + sentence + 2 : f->why;
}

static uint64_t
hash_of(const char *dn)
{
	uint64_t h = 14695981039346656037u;

	for (; *dn != '\0'; dn++)
		h = (h ^ (unsigned char)(*dn >= 'A' && *dn <= 'Z' ? *dn - 'A' + 'a' : *dn)) * 1099511628211u;
	return h ^ h >> 32;
}

bool
findings_group(struct findings *f, const char *dn)
{
	struct all *a = (struct all *)f;
	uint32_t at = (uint32_t)hash_of(dn) & (SLOTS - 1);

	for (; a->slot[at] != 0; at = (at + 1) & (SLOTS - 1))
		if (strcasecmp(f->group[a->slot[at] - 1], dn) == 0)
			return false;
	if (f->ngroups == FINDINGS_GROUPS) {
		f->cut = true;
		return false;
	}
	f->group[f->ngroups++] = mem_strdup(dn);
	a->slot[at] = (uint16_t)f->ngroups;
	return true;
}

static char *
text_with(const struct findings *f, size_t ngroups, size_t *len)
{
	struct json_writer *w = json_new(DIRECTORY_TOLD_MAX);
	const char *text;
	char *out;

	json_object(w, NULL);
	json_string(w, "why", f->why);
	json_string(w, "dn", f->dn);
	json_string(w, "title", f->title);
	json_string(w, "id", f->id);
	json_string(w, "name", f->name);
	json_array(w, "groups");
	for (size_t i = 0; i < ngroups; i++)
		json_string(w, NULL, f->group[i]);
	json_array_end(w);
	json_array(w, "named");
	for (size_t i = 0; i < f->nnamed; i++)
		json_string(w, NULL, f->named[i]);
	json_array_end(w);
	json_bool(w, "cut", f->cut || ngroups < f->ngroups);
	json_array(w, "steps");
	for (size_t i = 0; i < f->nsteps; i++)
		json_string(w, NULL, f->step[i]);
	json_array_end(w);
	json_object_end(w);
	text = json_text(w, len);
	out = text == NULL ? NULL : mem_strdup(text);
	json_free(&w);
	return out;
}

char *
findings_text(const struct findings *f, size_t *len)
{
	size_t ngroups = f->ngroups;
	char *text;

	while ((text = text_with(f, ngroups, len)) == NULL && ngroups > 0)
		ngroups /= 2;
	return text;
}
