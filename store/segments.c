/* Segments: see segments.h. A table of those that are open, under one lock. */
#include "segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"

#define OPEN_MAX_SEGMENTS 32u
#define NAME_LEN          SEGMENT_NAME_LEN

static const char identity_key[] = "identity";

struct open_segment {
	struct db *db; /* NULL: a free place */
	uint32_t number;
	unsigned users;
	bool writing;  /* it stays open */
	uint64_t used; /* when: larger is later */
};

struct generation {
	unsigned readers;
	uint32_t *retired; /* while it was now: its readers, and those before, may know of them */
	size_t n, cap;
};

struct segments {
	pthread_mutex_t lock;
	struct open_segment open[OPEN_MAX_SEGMENTS];
	uint64_t uses;
	/* Readers of now and those before, who are waited for apart: somebody always reads. */
	struct generation generation[2];
	unsigned now;
	bool durable;
	uint8_t identity[SEGMENT_IDENTITY];
};

static void
name_of(uint32_t number, const char *behind, char name[static NAME_LEN])
{
	snprintf(name, NAME_LEN, "flows-%08" PRIx32 ".mdb%s", number, behind);
}

void
segments_name(uint32_t number, char name[static SEGMENT_NAME_LEN])
{
	name_of(number, "", name);
}

void
segments_identity(const uint8_t *secret, size_t len, uint8_t identity[static SEGMENT_IDENTITY])
{
	static const uint8_t label[] = "weir segments";

	crypto_generichash(identity, SEGMENT_IDENTITY, label, sizeof(label), secret, len);
}

struct segments *
segments_new(const uint8_t identity[static SEGMENT_IDENTITY], bool durable)
{
	struct segments *s = mem_calloc(1, sizeof(*s));

	if (pthread_mutex_init(&s->lock, NULL) != 0)
		fatal("cannot make a lock");
	s->durable = durable;
	memcpy(s->identity, identity, sizeof(s->identity));
	return s;
}

void
segments_free(struct segments **sp)
{
	struct segments *s = *sp;

	if (s == NULL)
		return;
	for (size_t i = 0; i < OPEN_MAX_SEGMENTS; i++)
		db_close(&s->open[i].db);
	pthread_mutex_destroy(&s->lock);
	for (int i = 0; i < 2; i++)
		free(s->generation[i].retired);
	free(s);
	*sp = NULL;
}

/* --- open ones, under the lock
 * --------------------------------------------------------------------------------------------- */

static struct open_segment *
find(struct segments *s, uint32_t number)
{
	for (size_t i = 0; i < OPEN_MAX_SEGMENTS; i++)
		if (s->open[i].db != NULL && s->open[i].number == number)
			return &s->open[i];
	return NULL;
}

/* A place for one more: a free one, or that of the one which was not used for longest. */
static struct open_segment *
place(struct segments *s)
{
	struct open_segment *best = NULL;

	for (size_t i = 0; i < OPEN_MAX_SEGMENTS; i++) {
		struct open_segment *o = &s->open[i];

		if (o->db == NULL)
			return o;
		if (o->users == 0 && !o->writing && (best == NULL || o->used < best->used))
			best = o;
	}
	if (best != NULL)
		db_close(&best->db);
	return best;
}

static void
opened(struct segments *s, struct open_segment *o, struct db *db, uint32_t number)
{
	*o = (struct open_segment){ .db = db, .number = number, .used = ++s->uses };
}

/* --- writing
 * ----------------------------------------------------------------------------------------------------------------
 */

bool
segments_is_ours(struct db *db, const uint8_t identity[static SEGMENT_IDENTITY])
{
	struct db_bytes v;
	struct db_txn x;

	db_begin(db, &x, false);

	bool ours = db_get(&x, DB_ONLY, (struct db_bytes){ identity_key, sizeof(identity_key) }, &v) &&
		    v.n == SEGMENT_IDENTITY && memcmp(v.p, identity, SEGMENT_IDENTITY) == 0;

	db_end(&x);
	return ours;
}

static bool
is_empty(struct db *db)
{
	struct db_cursor c;
	struct db_bytes key;
	struct db_txn x;

	db_begin(db, &x, false);
	db_cursor_open(&x, DB_ONLY, &c);

	bool any = db_seek(&c, (struct db_bytes){ "", 1 }, &key, NULL);

	db_cursor_close(&c);
	return db_end(&x) == DB_OK && !any;
}

/* A file that is there must be so after a power cut too. */
static void
sync_directory(void)
{
	AUTO(fd_drop) int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 || fsync(fd) == -1)
		log_warn("the store's directory cannot be synced: %s", strerror(errno));
}

static enum db_status
sign(struct segments *s, struct db *db, char *err, size_t errsize)
{
	struct db_txn x;

	if (segments_is_ours(db, s->identity))
		return DB_OK;
	if (!is_empty(db)) {
		str_copy(err, errsize,
			 "it is there already, with something of another database: move it away");
		return DB_FOREIGN;
	}
	db_begin(db, &x, true);
	db_put(&x, DB_ONLY, (struct db_bytes){ identity_key, sizeof(identity_key) },
	       (struct db_bytes){ s->identity, sizeof(s->identity) });

	enum db_status status = db_end(&x);

	if (status == DB_OK && s->durable)
		sync_directory();
	if (status != DB_OK)
		str_copy(err, errsize, db_why(&x));
	return status;
}

struct db *
segments_write(struct segments *s, uint32_t number, uint64_t size, enum db_status *status, char *err,
	       size_t errsize)
{
	char name[NAME_LEN];
	struct db *db = NULL;

	name_of(number, "", name);
	pthread_mutex_lock(&s->lock);

	struct open_segment *o = find(s, number);

	if (o != NULL) {
		db = o->db;
		*status = DB_OK;
	} else if ((o = place(s)) == NULL) {
		*status = DB_IO;
		snprintf(err, errsize, "too many segments are being read");
	} else {
		db = db_open_file(name, size, s->durable ? DB_DURABLE : DB_QUICK, status, err, errsize);
	}
	if (db != NULL && o->db == NULL) {
		*status = sign(s, db, err, errsize);
		if (*status == DB_OK)
			opened(s, o, db, number);
		else
			db_close(&db);
	}
	if (db != NULL)
		o->writing = true;
	pthread_mutex_unlock(&s->lock);
	return db;
}

void
segments_sealed(struct segments *s, uint32_t number)
{
	pthread_mutex_lock(&s->lock);

	struct open_segment *o = find(s, number);

	if (o != NULL)
		o->writing = false;
	pthread_mutex_unlock(&s->lock);
}

bool
segments_is_linked(uint32_t number)
{
	char name[NAME_LEN];
	struct stat st;

	name_of(number, "", name);
	return fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink > 1;
}

uint32_t
segments_free_number(uint32_t from)
{
	char name[NAME_LEN];
	struct stat st;

	for (;; from++) {
		name_of(from, "", name);
		if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT)
			return from;
	}
}

/* --- reading
 * ----------------------------------------------------------------------------------------------------------------
 */

struct db *
segments_read(struct segments *s, uint32_t number, enum db_status *status)
{
	char name[NAME_LEN], err[256];
	struct db *db = NULL;

	*status = DB_OK;
	pthread_mutex_lock(&s->lock);

	struct open_segment *o = find(s, number);

	if (o == NULL && (o = place(s)) != NULL) {
		name_of(number, "", name);
		db = db_open_file(name, 0, DB_READ_ONLY, status, err, sizeof(err));
		if (db != NULL)
			opened(s, o, db, number);
		else
			log_error("%s", err);
	}
	if (o != NULL && o->db != NULL) {
		db = o->db;
		o->users++;
		o->used = ++s->uses;
	}
	pthread_mutex_unlock(&s->lock);
	if (db == NULL && *status == DB_OK)
		*status = DB_IO;
	return db;
}

void
segments_end(struct segments *s, struct db *db)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < OPEN_MAX_SEGMENTS; i++)
		if (s->open[i].db == db)
			s->open[i].users--;
	pthread_mutex_unlock(&s->lock);
}

/* --- deleting
 * ---------------------------------------------------------------------------------------------------------------
 */

static void
delete_files(uint32_t number)
{
	static const char *const behind[] = { "", "-lock" };
	char name[NAME_LEN];

	for (size_t i = 0; i < ARRAY_LEN(behind); i++) {
		name_of(number, behind[i], name);
		if (unlinkat(AT_FDCWD, name, 0) == -1 && errno != ENOENT)
			log_error("%s cannot be deleted: %s", name, strerror(errno));
	}
}

static void
delete_retired(struct segments *s, struct generation *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct open_segment *o = find(s, g->retired[i]);

		if (o != NULL)
			db_close(&o->db);
		delete_files(g->retired[i]);
	}
	g->n = 0;
}

/* What retired among those before goes with the last of them; then, where more is to go, those of now become
 * those before: whoever comes later knows nothing of it. */
static void
settle(struct segments *s)
{
	struct generation *before = &s->generation[1 - s->now];

	while (before->readers == 0) {
		delete_retired(s, before);
		if (s->generation[s->now].n == 0)
			return;
		before = &s->generation[s->now];
		s->now = 1 - s->now;
	}
}

unsigned
segments_reader_begins(struct segments *s)
{
	pthread_mutex_lock(&s->lock);

	unsigned reader = s->now;

	s->generation[reader].readers++;
	pthread_mutex_unlock(&s->lock);
	return reader;
}

void
segments_reader_ends(struct segments *s, unsigned reader)
{
	pthread_mutex_lock(&s->lock);
	s->generation[reader].readers--;
	settle(s);
	pthread_mutex_unlock(&s->lock);
}

void
segments_retire(struct segments *s, uint32_t number)
{
	pthread_mutex_lock(&s->lock);

	struct generation *g = &s->generation[s->now];

	if (g->n == g->cap) {
		g->cap = g->cap == 0 ? 16 : g->cap * 2;
		g->retired = mem_reallocarray(g->retired, g->cap, sizeof(*g->retired));
	}
	g->retired[g->n++] = number;
	settle(s);
	pthread_mutex_unlock(&s->lock);
}

uint32_t
segments_number(const char *name)
{
	static const char prefix[] = "flows-";
	char again[NAME_LEN];

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return 0;

	uint32_t number = (uint32_t)strtoul(name + sizeof(prefix) - 1, NULL, 16);

	name_of(number, "", again);
	return strcmp(name, again) == 0 ? number : 0;
}

static void
sweep_one(struct segments *s, const char *name, uint32_t number)
{
	enum db_status status;
	char err[256];
	struct db *db = db_open_file(name, 0, DB_READ_ONLY, &status, err, sizeof(err));
	bool ours = db != NULL && segments_is_ours(db, s->identity);

	db_close(&db);
	if (ours)
		delete_files(number);
	else
		log_warn("%s belongs to another database than data.mdb: it is left alone", name);
}

void
segments_sweep(struct segments *s, bool (*keep)(void *ctx, uint32_t number), void *ctx)
{
	DIR *d = opendir(".");

	if (d == NULL)
		return;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		uint32_t number = segments_number(e->d_name);

		if (number != 0 && !keep(ctx, number))
			sweep_one(s, e->d_name, number);
	}
	closedir(d);
}
