#include "store_check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "errand.h"
#include "ipc/boot.h"
#include "text.h"

static void
on_word(void *ctx, const struct errand_word *w)
{
	struct store_check *c = ctx;

	/* So many it says at most, whoever it is. */
	if (c->nfaults + c->nnotes >= 2 * ERRAND_FAULTS_TOLD)
		return;
	if (c->nfaults + c->nnotes == c->cap) {
		c->cap = c->cap == 0 ? 64 : c->cap * 2;
		c->fault = mem_reallocarray(c->fault, c->cap, sizeof(*c->fault));
	}
	c->fault[c->nfaults + c->nnotes] = *w;
	if (w->kind == ERRAND_FAULT)
		c->nfaults++;
	else
		c->nnotes++;
}

static int
faults_first(const void *a, const void *b)
{
	const struct errand_word *x = a, *y = b;

	return (x->kind > y->kind) - (x->kind < y->kind);
}

/* The user that the database belongs to: whoever reads it is that one, with no right beside. */
static bool
owner(int directory, uid_t *uid, struct store_check *c)
{
	struct stat st;

	if (fstatat(directory, "data.mdb", &st, AT_SYMLINK_NOFOLLOW) == -1)
		(void)snprintf(c->why, sizeof(c->why), "data.mdb: %s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		(void)snprintf(c->why, sizeof(c->why), "data.mdb is no file");
	else if (st.st_uid == 0)
		(void)snprintf(c->why, sizeof(c->why),
			       "data.mdb belongs to root, who reads no database: give the directory and its "
			       "files to another user (chown -R)");
	else {
		*uid = st.st_uid;
		return true;
	}
	return false;
}

bool
store_check(int directory, const struct settings *s, struct store_check *c)
{
	struct errand e = { .proc = PROC_STORE,
			    .flag = BOOT_CHECK,
			    .directory = directory,
			    .copy = -1,
			    .settings = s,
			    .word = on_word,
			    .ctx = c };

	*c = (struct store_check){ .done = false };
	if (!owner(directory, &e.uid, c))
		return false;
	c->done = errand_run(&e);
	memcpy(c->count, e.count, sizeof(c->count));
	str_copy(c->why, sizeof(c->why), e.refused);
	if (c->nfaults + c->nnotes > 1)
		qsort(c->fault, c->nfaults + c->nnotes, sizeof(*c->fault), faults_first);
	return c->done;
}

void
store_check_free(struct store_check *c)
{
	free(c->fault);
	c->fault = NULL;
	c->nfaults = c->nnotes = c->cap = 0;
}

bool
store_check_is_sound(const struct store_check *c)
{
	return c->done && c->nfaults == 0 && c->count[ERRAND_FAULTS] == 0;
}

static const char *
clean(char out[static 1024], const char *text)
{
	return text_escape(out, 1024, text, strlen(text));
}

static void
print_word(const struct errand_word *w)
{
	char file[1024], part[1024], text[1024];

	printf("%s%s", w->kind == ERRAND_FAULT ? "FAULT " : "note  ", clean(file, w->file));
	if (w->block != 0)
		printf(", block %" PRIu64, w->block);
	if (w->part[0] != '\0')
		printf(", %s", clean(part, w->part));
	printf(": %s\n", clean(text, w->text));
}

void
store_check_print(const struct store_check *c)
{
	char why[1024];

	for (unsigned i = 0; i < c->nfaults + c->nnotes; i++)
		print_word(&c->fault[i]);
	if (c->count[ERRAND_FAULTS] > c->nfaults)
		printf("and %" PRIu64 " faults more\n", c->count[ERRAND_FAULTS] - c->nfaults);
	if (!c->done) {
		printf("DAMAGED: %s\n", clean(why, c->why));
		return;
	}
	printf("%s: %" PRIu64 " segments, %" PRIu64 " blocks, %" PRIu64 " flows (%" PRIu64
	       " of them replaced), %" PRIu64 " bytes; %" PRIu64 " chunks of series; %" PRIu64 " names\n",
	       store_check_is_sound(c) ? "sound" : "DAMAGED", c->count[ERRAND_SEGMENTS],
	       c->count[ERRAND_BLOCKS], c->count[ERRAND_ROWS], c->count[ERRAND_DEAD_ROWS],
	       c->count[ERRAND_BYTES], c->count[ERRAND_CHUNKS], c->count[ERRAND_NAMES]);
}

static void
put_words(const struct store_check *c, struct json_writer *w, const char *key, unsigned from, unsigned n)
{
	json_array(w, key);
	for (unsigned i = from; i < from + n; i++) {
		const struct errand_word *f = &c->fault[i];

		json_object(w, NULL);
		json_string(w, "file", f->file);
		if (f->block != 0)
			json_uint(w, "block", f->block);
		if (f->part[0] != '\0')
			json_string(w, "part", f->part);
		json_string(w, "detail", f->text);
		json_object_end(w);
	}
	json_array_end(w);
}

void
store_check_json(const struct store_check *c, struct json_writer *w)
{
	json_bool(w, "sound", store_check_is_sound(c));
	json_bool(w, "complete", c->done);
	if (!c->done)
		json_string(w, "why", c->why);
	json_uint(w, "segments", c->count[ERRAND_SEGMENTS]);
	json_uint(w, "blocks", c->count[ERRAND_BLOCKS]);
	json_uint(w, "flows", c->count[ERRAND_ROWS]);
	json_uint(w, "replaced", c->count[ERRAND_DEAD_ROWS]);
	json_uint(w, "bytes", c->count[ERRAND_BYTES]);
	json_uint(w, "chunks", c->count[ERRAND_CHUNKS]);
	json_uint(w, "names", c->count[ERRAND_NAMES]);
	json_uint(w, "faults_count", c->count[ERRAND_FAULTS]);
	put_words(c, w, "faults", 0, c->nfaults);
	put_words(c, w, "notes", c->nfaults, c->nnotes);
}
