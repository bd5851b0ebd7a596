/*
 * weir audit verify: whether authd's audit log is what authd wrote. It reads the files and asks nobody, since
 * an authd that was taken would say what its taker likes. Files are opened as root, and read as nobody in a
 * sandbox, by a process of its own (aside.h).
 */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "anchor_files.h"
#include "aside.h"
#include "audit/anchor.h"
#include "audit_file.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd.h"
#include "sandbox/sandbox.h"

#define NOBODY 65534

struct verification {
	struct audit_walk walk;
	struct audit_entry entry; /* the last that was read */
	struct anchor_files anchors;
	size_t next, good, before; /* anchors: the next to look at; that hold; of entries that are trimmed */
	uint64_t entries;
};

/* --- reading */

static bool
check(void *ctx, uint64_t sequence, const void *record, size_t len)
{
	struct verification *v = ctx;
	const struct anchor_files *a = &v->anchors;

	if (!audit_walk_step(&v->walk, sequence, record, len, true, &v->entry))
		return false;
	v->entries++;
	for (; v->next < a->n && a->kept[v->next].anchor.sequence <= sequence; v->next++) {
		if (a->kept[v->next].anchor.sequence < sequence)
			v->before++;
		else if (!audit_anchor_holds(&v->walk, &a->kept[v->next].anchor))
			return false;
		else
			v->good++;
	}
	return true;
}

static void
finish(struct verification *v)
{
	const struct anchor_files *a = &v->anchors;

	/* The last one tells of the most. */
	if (a->n > 0)
		(void)audit_anchor_reached(&v->walk, &a->kept[a->n - 1].anchor);
	(void)audit_walk_end(&v->walk);
}

/* --- telling */

static const char *
fault_name(enum audit_fault f)
{
	static const char *const names[] = {
		[AUDIT_SOUND] = NULL,
		[AUDIT_UNREADABLE] = "unreadable",
		[AUDIT_MISSING] = "missing",
		[AUDIT_MOVED] = "moved",
		[AUDIT_EDITED] = "edited",
		[AUDIT_UNCHAINED] = "unchained",
		[AUDIT_NEW_KEY] = "begun_anew",
		[AUDIT_CUT_OFF] = "cut_off",
		[AUDIT_NO_START] = "no_start",
		[AUDIT_ANCHOR_DIFFERS] = "anchor_differs",
		[AUDIT_ANCHOR_BAD] = "anchor_bad",
	};

	return names[f];
}

static void
tell_json(const struct verification *v)
{
	const struct audit_finding *f = &v->walk.found;
	struct json_writer *w = json_new(4096);

	json_object(w, NULL);
	json_bool(w, "whole", f->fault == AUDIT_SOUND);
	json_uint(w, "first", v->walk.first);
	json_uint(w, "last", v->walk.head.sequence);
	json_uint(w, "entries", v->entries);
	json_uint(w, "epoch", v->walk.head.epoch);
	json_uint(w, "anchors", v->good);
	json_uint(w, "anchors_of_trimmed_entries", v->before);
	json_uint(w, "broken_anchors", v->anchors.broken);
	json_string(w, "fault", fault_name(f->fault));
	if (f->fault != AUDIT_SOUND) {
		json_uint(w, "entry", f->sequence);
		json_string(w, "detail", f->text);
	}
	json_object_end(w);
	puts(json_text(w, NULL));
	json_free(&w);
}

static const char *
time_text(int64_t ns, char out[static 32])
{
	time_t s = (time_t)(ns / NS_PER_S);
	struct tm t;

	if (gmtime_r(&s, &t) == NULL || strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &t) == 0)
		(void)str_copy(out, 32, "an unknown time");
	return out;
}

static void
tell(const struct verification *v)
{
	const struct audit_walk *w = &v->walk;
	char from[32], to[32];

	if (v->anchors.broken > 0)
		say("%s, line %" PRIu64 ": an anchor that is not whole (and %" PRIu64 " more)",
		    v->anchors.broken_file, v->anchors.broken_line, v->anchors.broken - 1);
	if (w->found.fault != AUDIT_SOUND) {
		printf("NOT WHOLE: %s\n", w->found.text);
		if (w->head.sequence > 0 && w->found.sequence > w->head.sequence)
			printf("the entries %" PRIu64 " to %" PRIu64 " before it are whole\n", w->first,
			       w->head.sequence);
		return;
	}
	printf("whole: the entries %" PRIu64 " to %" PRIu64 ", of %s to %s, up to epoch %u\n", w->first,
	       w->head.sequence, time_text(w->first_ns, from), time_text(w->last_ns, to), w->head.epoch);
	printf("%zu anchors hold", v->good);
	if (v->before > 0)
		printf("; %zu are of entries that were trimmed", v->before);
	puts(v->good == 0
		 ? ": keep them elsewhere (authd.audit_anchor_file, or the log), and say --anchors FILE"
		 : "");
}

/* --- opening */

/* A file of anchors as it was read: what is in it is looked at inside the sandbox only. */
struct anchor_text {
	const char *name;
	char *text; /* NULL: there is none */
	size_t len;
};

/* The tail before the log: a running authd goes on writing. */
static bool
read_anchors(struct anchor_text *list, size_t *n, const struct options *o, const char *directory,
	     const struct settings *s)
{
	static char tail[PATH_MAX], kept[PATH_MAX];
	char err[400];

	(void)snprintf(tail, sizeof(tail), "%s/audit.tail", directory);
	(void)snprintf(kept, sizeof(kept), "%s%s",
		       s->audit_anchor_file[0] == '\0' ? s->data_directory : s->audit_anchor_file,
		       s->audit_anchor_file[0] == '\0' ? "/audit.anchors" : "");
	list[0].name = tail;
	list[1].name = kept;
	*n = 2;
	for (unsigned i = 0; i < o->anchors.n; i++)
		list[(*n)++].name = o->anchors.name[i];
	for (size_t i = 0; i < *n; i++) {
		list[i].text = anchor_file_read(list[i].name, &list[i].len, err);
		/* Those that were not asked for may be missing. */
		if (list[i].text == NULL && i >= 2) {
			say("%s", err);
			return false;
		}
	}
	return true;
}

static void
take_anchors(struct verification *v, struct anchor_text *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].text != NULL)
			anchor_files_take(&v->anchors, list[i].name, list[i].text, list[i].len);
		free(list[i].text);
	}
	anchor_files_sort(&v->anchors);
}

static bool
become(uid_t uid)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)) {
		say("cannot become user %u", (unsigned)uid);
		return false;
	}
	return true;
}

/* LMDB looks into the file as it opens it: as its owner, who could have put anything there. A copy that is
 * root's can be opened by root only. */
static struct audit_file *
open_log(const char *directory)
{
	struct audit_file *f;
	char err[400];
	uid_t owner;

	if (chdir(directory) != 0 || !audit_file_owner(&owner)) {
		say("%s: %s", directory, strerror(errno));
		return NULL;
	}
	if (owner != 0 && !become(owner))
		return NULL;
	f = audit_file_open(err);
	if (f == NULL)
		say("%s/%s", directory, err);
	else if ((owner == 0 && !become(NOBODY)) || chdir("/") != 0)
		audit_file_close(&f);
	return f;
}

struct task {
	struct options o;
	struct settings s;
};

static int
verify(void *ctx)
{
	const struct task *t = ctx;
	struct verification v = { 0 };
	struct anchor_text anchors[OPTION_NAMES_MAX + 2] = { 0 };
	size_t nanchors = 0;
	struct audit_file *f;
	char directory[sizeof(t->s.data_directory) + 8], err[400];

	(void)snprintf(directory, sizeof(directory), "%s/authd", t->s.data_directory);
	if (!read_anchors(anchors, &nanchors, &t->o, directory, &t->s))
		return WEIR_FAILED;
	f = open_log(directory);
	if (f == NULL)
		return WEIR_FAILED;
	sandbox_enter(&sandbox_audit);
	take_anchors(&v, anchors, nanchors);
	if (!audit_file_each(f, check, &v, err)) {
		say("%s", err);
		return WEIR_FAILED;
	}
	audit_file_close(&f);
	finish(&v);
	if (t->o.json)
		tell_json(&v);
	else
		tell(&v);
	anchor_files_free(&v.anchors);
	return v.walk.found.fault == AUDIT_SOUND ? WEIR_OK : WEIR_DIFFERS;
}

int
cmd_audit_verify(int argc, char **argv)
{
	struct task t;

	if (!options_parse(&t.o, TAKES_CONFIG | TAKES_JSON | TAKES_ANCHORS, argc, argv))
		return WEIR_USAGE;
	if (sodium_init() < 0 || !options_settings(&t.o, &t.s))
		return WEIR_FAILED;
	sandbox_warm();
	return aside_run(verify, &t);
}
