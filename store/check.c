/* Looks at all of a database: see check.h. */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "check_block.h"
#include "history_parts.h"
#include "ipc/boot.h"
#include "ipc/errand.h"
#include "sandbox/sandbox.h"

#define ENTRIES_AT_ONCE 500u
#define BYTES_AT_ONCE   (256u << 10)
#define DATA            "data.mdb"

struct check {
	int told;
	struct db *db;
	struct block_checker *blocks;
	struct chunk_work *chunks; /* while series are looked at */
	uint8_t identity[SEGMENT_IDENTITY];
	uint64_t count[ERRAND_COUNTS];
	/* Segments of the catalogue. */
	struct segment_entry *segment;
	size_t nsegments, segments_cap;
	/* Of the segment that is looked at. */
	struct block_entry *block;
	size_t nblocks, blocks_cap;
	uint64_t dead, stray_dead;
	/* Faults of it, which a segment that went meanwhile did not have. */
	struct errand_word *fault;
	size_t nfaults, faults_cap;
	char file[40];
};

/* --- telling
 * ----------------------------------------------------------------------------------------------------------------
 */

static void
send_word(struct check *c, const struct errand_word *w)
{
	if (write(c->told, w, sizeof(*w)) != (ssize_t)sizeof(*w))
		fatal("check: nobody listens");
}

static struct errand_word
word_of(const struct check *c, enum errand_kind kind)
{
	struct errand_word w = { .kind = kind };

	str_copy(w.file, sizeof(w.file), c->file);
	return w;
}

static void
looks_at(struct check *c, const char *file)
{
	struct errand_word w;

	str_copy(c->file, sizeof(c->file), file);
	w = word_of(c, ERRAND_AT);
	send_word(c, &w);
}

static void
keep_fault(struct check *c, const struct errand_word *w)
{
	if (c->count[ERRAND_FAULTS]++ >= ERRAND_FAULTS_TOLD)
		return;
	if (c->nfaults == c->faults_cap) {
		c->faults_cap = c->faults_cap == 0 ? 16 : c->faults_cap * 2;
		c->fault = mem_reallocarray(c->fault, c->faults_cap, sizeof(*c->fault));
	}
	c->fault[c->nfaults++] = *w;
}

static void __attribute__((format(printf, 4, 5)))
fault(struct check *c, const char *part, uint64_t block, const char *fmt, ...)
{
	struct errand_word w = word_of(c, ERRAND_FAULT);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w.text, sizeof(w.text), fmt, ap);
	va_end(ap);
	str_copy(w.part, sizeof(w.part), part);
	w.block = block;
	keep_fault(c, &w);
}

static void
tell_faults(struct check *c)
{
	for (size_t i = 0; i < c->nfaults; i++)
		send_word(c, &c->fault[i]);
	c->nfaults = 0;
}

static void
note(struct check *c, const char *file, const char *text)
{
	struct errand_word w = { .kind = ERRAND_NOTE };

	str_copy(w.file, sizeof(w.file), file);
	str_copy(w.text, sizeof(w.text), text);
	send_word(c, &w);
}

static int
refuse(struct check *c, const char *why)
{
	struct errand_word w = word_of(c, ERRAND_REFUSED);

	str_copy(w.text, sizeof(w.text), why);
	send_word(c, &w);
	return EXIT_BAD_INPUT;
}

/* --- entries of data.mdb, some at a time
 * ----------------------------------------------------------------------------------------- */

struct walk {
	uint8_t key[64]; /* the last one that was looked at */
	size_t len;
	bool over;
};

/* Calls each for the next entries of a table, within one transaction. False where it cannot be read. */
static bool
walk_on(struct check *c, enum db_table t, struct walk *w,
	void (*each)(void *ctx, struct db_bytes key, struct db_bytes v), void *ctx)
{
	struct db_bytes key, v,
	    from = { w->len == 0 ? (const uint8_t *)"" : w->key, w->len == 0 ? 1 : w->len };
	struct db_cursor cur;
	struct db_txn x;
	unsigned n = 0;
	size_t bytes = 0;

	db_begin(c->db, &x, false);
	db_cursor_open(&x, t, &cur);

	bool more = db_seek(&cur, from, &key, &v);

	if (more && w->len > 0 && key.n == w->len && memcmp(key.p, w->key, w->len) == 0)
		more = db_next(&cur, &key, &v);
	for (; more && n < ENTRIES_AT_ONCE && bytes < BYTES_AT_ONCE; more = db_next(&cur, &key, &v), n++) {
		each(ctx, key, v);
		bytes += v.n;
		w->len = key.n > sizeof(w->key) ? sizeof(w->key) : key.n;
		memcpy(w->key, key.p, w->len);
	}
	w->over = !more;
	db_cursor_close(&cur);
	return db_end(&x) == DB_OK;
}

static void
walk_table(struct check *c, enum db_table t, void (*each)(void *ctx, struct db_bytes key, struct db_bytes v),
	   void *ctx)
{
	struct walk w = { .len = 0 };

	while (db_has(c->db, t) && !w.over)
		if (!walk_on(c, t, &w, each, ctx)) {
			fault(c, "tables", 0, "its pages cannot be read");
			return;
		}
}

/* --- the dictionary and series
 * -------------------------------------------------------------------------------------------- */

struct dictionary {
	struct check *c;
	struct names *names;
};

static void
look_at_name(void *ctx, struct db_bytes key, struct db_bytes v)
{
	struct dictionary *d = ctx;

	d->c->count[ERRAND_NAMES]++;
	if (!history_name(d->names, key, v))
		fault(d->c, "dictionary", 0, "entry %" PRIu64 " is no name, or not the next number",
		      d->c->count[ERRAND_NAMES]);
}

static void
look_at_journal(void *ctx, struct db_bytes key, struct db_bytes v)
{
	struct check *c = ctx;

	c->count[ERRAND_CHUNKS]++;
	if (!history_is_journal(key, v))
		fault(c, "journal", 0, "an entry is not what a commit added to series");
}

static void
look_at_series_id(void *ctx, struct db_bytes key, struct db_bytes v)
{
	struct check *c = ctx;

	if (!history_is_series_id(key, v))
		fault(c, "series_ids", 0, "an entry does not say what a series is of");
}

static void
look_at_series(void *ctx, struct db_bytes key, struct db_bytes v)
{
	struct check *c = ctx;
	uint64_t chunks;

	if (!series_entry_is_good(c->chunks, key, v, &chunks))
		fault(c, "series", 0, "an entry behind chunk %" PRIu64 " is not points of series",
		      c->count[ERRAND_CHUNKS]);
	c->count[ERRAND_CHUNKS] += chunks;
}

/* An environment of their own. */
static void
check_series(struct check *c)
{
	struct db *data = c->db;
	enum db_status status;
	char err[160];

	looks_at(c, SERIES_FILE);
	c->db = db_open_file(SERIES_FILE, 0, DB_BESIDE, &status, err, sizeof(err));
	if (c->db == NULL) {
		fault(c, "file", 0, "it cannot be opened: %s", err);
	} else {
		c->chunks = chunk_work_new();
		walk_table(c, DB_ONLY, look_at_series, c);
		chunk_work_free(&c->chunks);
	}
	tell_faults(c);
	db_close(&c->db);
	c->db = data;
}

/* --- a segment
 * --------------------------------------------------------------------------------------------------------------
 */

static bool
add_block(void *ctx, const struct block_entry *e)
{
	struct check *c = ctx;

	if (c->nblocks == c->blocks_cap) {
		c->blocks_cap = c->blocks_cap == 0 ? 1024 : c->blocks_cap * 2;
		c->block = mem_reallocarray(c->block, c->blocks_cap, sizeof(*c->block));
	}
	c->block[c->nblocks++] = *e;
	return true;
}

/* Its entry as it is now, with those of its blocks. False where it is gone. */
static bool
list_blocks(struct check *c, struct segment_entry *s)
{
	uint32_t number = s->number;
	struct db_txn x;

	c->nblocks = 0;
	db_begin(c->db, &x, false);

	bool there = catalogue_segment(&x, number, s) && s->number == number && !s->gone;

	if (there)
		catalogue_blocks(&x, number, false, add_block, c);
	if (db_end(&x) != DB_OK)
		fault(c, "tables", 0, "the catalogue cannot be read");
	return there;
}

/* Whether a block is still named: what was looked at meanwhile may have gone. */
static bool
is_named(struct check *c, const struct segment_entry *s)
{
	struct segment_entry now;
	struct db_txn x;

	db_begin(c->db, &x, false);

	bool there = catalogue_segment(&x, s->number, &now) && now.number == s->number && !now.gone;

	return db_end(&x) == DB_OK && there;
}

static void
check_totals(struct check *c, const struct segment_entry *s)
{
	int64_t least = INT64_MAX, most = INT64_MIN;
	uint64_t rows = 0;

	for (size_t i = 0; i < c->nblocks; i++) {
		const struct block_entry *e = &c->block[i];

		rows += e->rows;
		least = e->least_last_ns < least ? e->least_last_ns : least;
		most = e->most_last_ns > most ? e->most_last_ns : most;
	}
	if (rows != s->rows)
		fault(c, "catalogue", 0, "its blocks have %" PRIu64 " flows, its entry says %" PRIu64, rows,
		      s->rows);
	if (c->nblocks > 0 && (least < s->least_last_ns || most > s->most_last_ns))
		fault(c, "catalogue", 0, "flows of its blocks end outside of what its entry says");
}

struct block_at {
	struct check *c;
	uint64_t sequence;
};

static void
on_block_fault(void *ctx, const struct block_fault *f)
{
	struct block_at *at = ctx;

	fault(at->c, f->part, at->sequence, "%s", f->text);
}

static void
check_one_block(struct check *c, struct db *db, const struct block_entry *e)
{
	struct block_at at = { c, e->sequence };
	uint8_t key[8];
	struct wcur w = wcur_of(key, sizeof(key));
	struct db_bytes v;
	struct db_txn x;

	wcur_be64(&w, e->sequence);
	db_begin(db, &x, false);
	if (db_get(&x, DB_ONLY, (struct db_bytes){ key, sizeof(key) }, &v)) {
		c->count[ERRAND_BLOCKS]++;
		c->count[ERRAND_ROWS] += e->rows;
		c->count[ERRAND_BYTES] += v.n;
		(void)block_check(c->blocks, e, v.p, v.n, on_block_fault, &at);
	} else {
		fault(c, "block", e->sequence, "it is missing, with %" PRIu32 " flows", e->rows);
	}
	db_end(&x);
}

static void
check_segment_file(struct check *c, const struct segment_entry *s)
{
	enum db_status status;
	char err[160];
	struct db *db = db_open_file(c->file, 0, DB_BESIDE, &status, err, sizeof(err));

	if (db == NULL) {
		fault(c, "file", 0, "%" PRIu64 " flows are lost: %s", s->rows, err);
		return;
	}
	if (!segments_is_ours(db, c->identity))
		fault(c, "file", 0, "it belongs to another database than " DATA);
	else
		for (size_t i = 0; i < c->nblocks; i++)
			check_one_block(c, db, &c->block[i]);
	db_close(&db);
}

static void
check_segment(struct check *c, struct segment_entry *s)
{
	uint64_t before = c->count[ERRAND_FAULTS];
	char name[SEGMENT_NAME_LEN];

	if (!list_blocks(c, s))
		return;
	segments_name(s->number, name);
	looks_at(c, name);
	c->count[ERRAND_SEGMENTS]++;
	check_totals(c, s);
	check_segment_file(c, s);
	/* A running store has made something else of it, or deleted it: nothing is wrong with that. */
	if (c->nfaults > 0 && !is_named(c, s)) {
		c->nfaults = 0;
		c->count[ERRAND_FAULTS] = before;
	}
	tell_faults(c);
}

/* --- the catalogue as a whole
 * --------------------------------------------------------------------------------------------- */

static bool
list_segments(struct check *c)
{
	struct segment_entry e;
	struct db_txn x;

	db_begin(c->db, &x, false);
	for (uint32_t n = 0; catalogue_segment(&x, n, &e); n = e.number + 1) {
		if (c->nsegments == c->segments_cap) {
			c->segments_cap = c->segments_cap == 0 ? 64 : c->segments_cap * 2;
			c->segment = mem_reallocarray(c->segment, c->segments_cap, sizeof(*c->segment));
		}
		c->segment[c->nsegments++] = e;
		if (e.number == UINT32_MAX)
			break;
	}
	return db_end(&x) == DB_OK;
}

static int
by_number(const void *a, const void *b)
{
	const struct segment_entry *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static const struct segment_entry *
find_segment(const struct check *c, uint32_t number)
{
	const struct segment_entry key = { .number = number };

	return c->nsegments == 0 ? NULL : bsearch(&key, c->segment, c->nsegments, sizeof(key), by_number);
}

/* Entries of blocks and of dead rows belong to a segment that is there; those of one that is gone go in
 * steps. */
static void
look_at_owner(void *ctx, struct db_bytes key, struct db_bytes v)
{
	struct check *c = ctx;
	struct rcur k = rcur_of(key.p, key.n);
	uint32_t number = rcur_be32(&k);

	(void)v;
	c->dead++;
	/* Newer ones came after the list was made. */
	if (k.bad || (find_segment(c, number) == NULL &&
		      (c->nsegments == 0 || number < c->segment[c->nsegments - 1].number)))
		c->stray_dead++;
}

static void
check_owners(struct check *c, enum db_table t, const char *what)
{
	c->dead = c->stray_dead = 0;
	walk_table(c, t, look_at_owner, c);
	if (c->stray_dead > 0)
		fault(c, "catalogue", 0, "%" PRIu64 " entries of %s are of segments that it does not name",
		      c->stray_dead, what);
}

/* --- files
 * ------------------------------------------------------------------------------------------------------------------
 */

static void
look_at_file(struct check *c, const char *name)
{
	uint32_t number = segments_number(name);
	const struct segment_entry *e = number == 0 ? NULL : find_segment(c, number);

	if (number == 0 || (e != NULL && !e->gone) ||
	    (c->nsegments > 0 && number > c->segment[c->nsegments - 1].number))
		return;
	note(c, name, "no catalogue names it: the next start deletes it, or leaves another database's alone");
}

static void
check_files(struct check *c)
{
	AUTO(fd_drop) int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);

	if (d == NULL) {
		fault(c, "directory", 0, "it cannot be listed: %s", strerror(errno));
		return;
	}
	(void)fd_keep(&fd);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		look_at_file(c, e->d_name);
	closedir(d);
}

/* --- all of it
 * --------------------------------------------------------------------------------------------------------------
 */

static bool
read_marks(struct check *c, char *err, size_t errsize)
{
	struct db_bytes v;
	struct db_txn x;
	uint32_t format = 0;

	db_begin(c->db, &x, false);
	if (db_get(&x, DB_META, history_format_at, &v) && v.n == sizeof(format))
		memcpy(&format, v.p, sizeof(format));
	if (db_get(&x, DB_META, history_secret_at, &v))
		segments_identity(v.p, v.n, c->identity);
	db_end(&x);
	if (format == HISTORY_FORMAT || format == HISTORY_FORMAT_BLOCKS)
		return true;
	snprintf(err, errsize, "data.mdb has format %" PRIu32 " and this Weir checks %u%s", format,
		 HISTORY_FORMAT, format > 0 && format < HISTORY_FORMAT ? ": a start brings it over" : "");
	return false;
}

static void
check_data(struct check *c)
{
	struct dictionary d = { c, names_new() };

	walk_table(c, DB_NAMES, look_at_name, &d);
	names_free(&d.names);
	walk_table(c, DB_JOURNAL, look_at_journal, c);
	walk_table(c, DB_SERIES_IDS, look_at_series_id, c);
	if (!list_segments(c))
		fault(c, "catalogue", 0, "it cannot be read");
	check_owners(c, DB_BLOCKS, "blocks");
	check_owners(c, DB_DEAD, "dead rows");
	c->count[ERRAND_DEAD_ROWS] = c->dead;
	tell_faults(c);
}

static int
check_open(struct check *c, char *err, size_t errsize)
{
	if (!db_has(c->db, DB_META) || !read_marks(c, err, errsize))
		return refuse(c, db_has(c->db, DB_META) ? err : "data.mdb is no database of store's");
	check_data(c);
	check_series(c);
	check_files(c);
	for (size_t i = 0; i < c->nsegments; i++)
		if (!c->segment[i].gone)
			check_segment(c, &c->segment[i]);

	struct errand_word w = { .kind = ERRAND_DONE };

	memcpy(w.count, c->count, sizeof(w.count));
	send_word(c, &w);
	return EXIT_OK;
}

int
check_database(int told)
{
	struct check c = { .told = told, .blocks = block_checker_new() };
	enum db_status status;
	char err[160] = "";
	int exit_status;

	looks_at(&c, DATA);
	c.db = db_open_beside(&status, err, sizeof(err));
	exit_status = c.db == NULL ? refuse(&c, err) : check_open(&c, err, sizeof(err));
	db_close(&c.db);
	block_checker_free(&c.blocks);
	free(c.segment);
	free(c.block);
	free(c.fault);
	return exit_status;
}

int
check_errand(int told)
{
	sandbox_enter(&sandbox_check);
	return check_database(told);
}
