/* series.mdb: its keys, how far it is, blocks of minutes, and what goes. See series_store.h. */
#include "series_store.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "series_parts.h"

/* What a key is of. */
#define DAMAGED_TOLD 64u /* of what is damaged, one line each */
#define KEY_META     'm'
#define KEY_BLOCK    'b'
#define KEY_PACK     'p'

#define GRACE_S    10   /* a minute is over so long behind its end: late records were waited for */
#define AHEAD      2    /* minutes: what is further ahead than this is not waited for */
#define LATE_S     60   /* what came for minutes that were over waits so long for more */
#define TRIM_PACKS 256u /* with a turn */
#define PRESSURE   85u  /* percent of the size: the oldest goes from here on */

static const uint8_t state_key[] = { KEY_META, 's' }, identity_key[] = { KEY_META, 'i' };
static const struct db_bytes state_at = { state_key, sizeof(state_key) },
			     identity_at = { identity_key, sizeof(identity_key) };

/* --- keys
 * ------------------------------------------------------------------------------------------------------------------
 */

struct series_db_key
series_pack_key(unsigned resolution, int64_t span, const struct series_key *key, bool after)
{
	struct series_db_key k = { .n = SERIES_KEY_BYTES + after };
	struct wcur c = wcur_of(k.b, sizeof(k.b));

	wcur_u8(&c, KEY_PACK);
	wcur_u8(&c, (uint8_t)resolution);
	wcur_be64(&c, (uint64_t)span);
	wcur_be32(&c, key->tenant);
	wcur_be32(&c, key->subject);
	wcur_be32(&c, key->number);
	return k;
}

bool
series_pack_key_read(struct db_bytes b, unsigned *resolution, int64_t *span, struct series_key *key)
{
	struct rcur c = rcur_of(b.p, b.n);
	bool pack = rcur_u8(&c) == KEY_PACK;

	*resolution = rcur_u8(&c);
	*span = (int64_t)rcur_be64(&c);
	*key = (struct series_key){ rcur_be32(&c), 0, 0 };
	key->subject = rcur_be32(&c);
	key->number = rcur_be32(&c);
	return pack && !c.bad && rcur_left(&c) == 0 && *resolution < CHUNK_RESOLUTIONS && *span >= 0;
}

struct series_db_key
series_block_key(uint64_t number)
{
	struct series_db_key k = { .n = 9 };
	struct wcur c = wcur_of(k.b, sizeof(k.b));

	wcur_u8(&c, KEY_BLOCK);
	wcur_be64(&c, number);
	return k;
}

bool
series_find_pack(struct db_cursor *c, unsigned resolution, int64_t span, const struct series_key *key,
		 struct series_key *low, struct db_bytes *v)
{
	struct series_db_key behind = series_pack_key(resolution, span, key, true);
	struct db_bytes at;
	unsigned res;
	int64_t when;

	return db_seek_before(c, series_bytes(&behind), &at, v) &&
	       series_pack_key_read(at, &res, &when, low) && res == resolution && when == span;
}

/* --- the state
 * -------------------------------------------------------------------------------------------------------------
 */

#define STATE_LEN (7 * 8 + 1 + 12)

void
series_state_put(struct db_txn *x, const struct series_state *s)
{
	uint8_t b[STATE_LEN];
	struct wcur c = wcur_of(b, sizeof(b));

	wcur_be64(&c, s->all);
	wcur_be64(&c, s->upto);
	wcur_be64(&c, (uint64_t)s->minute);
	wcur_be64(&c, s->block);
	wcur_be64(&c, s->folded);
	wcur_u8(&c, s->folding);
	wcur_be64(&c, s->fold_block);
	wcur_be32(&c, s->fold_key.tenant);
	wcur_be32(&c, s->fold_key.subject);
	wcur_be32(&c, s->fold_key.number);
	db_put(x, DB_ONLY, state_at, (struct db_bytes){ b, wcur_len(&c) });
}

static bool
read_state(struct db_txn *x, struct series_state *s)
{
	struct db_bytes v;

	*s = (struct series_state){ 0 };
	if (!db_get(x, DB_ONLY, state_at, &v))
		return true;

	struct rcur c = rcur_of(v.p, v.n);

	s->all = rcur_be64(&c);
	s->upto = rcur_be64(&c);
	s->minute = (int64_t)rcur_be64(&c);
	s->block = rcur_be64(&c);
	s->folded = rcur_be64(&c);
	s->folding = rcur_u8(&c) != 0;
	s->fold_block = rcur_be64(&c);
	s->fold_key.tenant = rcur_be32(&c);
	s->fold_key.subject = rcur_be32(&c);
	s->fold_key.number = rcur_be32(&c);
	return !c.bad && rcur_left(&c) == 0 && s->minute >= 0;
}

void
series_says(struct series_store *s, enum db_status status, const struct db_txn *x)
{
	if (status == DB_OK && s->failing)
		log_info("points of series are written again");
	if (status != DB_OK && !s->failing)
		log_error("points of series cannot be written to %s: %s; they wait in the journal",
			  SERIES_FILE, db_why(x));
	s->failing = status != DB_OK;
}

void
series_damaged(struct series_store *s, unsigned resolution, int64_t span, const struct series_key *key)
{
	const int64_t from = span * chunk_span_s(resolution);

	/* A question tells of the same one each time: after the first ones every thousandth is enough. */
	const uint64_t before = atomic_fetch_add(&s->damaged, 1);

	if (before >= DAMAGED_TOLD && before % 1000 != 0)
		return;
	if (key == NULL)
		log_error("%s: a pack of series of %" PRIu32 " s from %" PRId64 " on is damaged and left out",
			  SERIES_FILE, chunk_resolutions[resolution].seconds, from);
	else
		log_error("%s: a chunk of %" PRIu32 " s from %" PRId64 " on, of tenant %" PRIu32
			  ", is damaged and left out",
			  SERIES_FILE, chunk_resolutions[resolution].seconds, from, key->tenant);
}

/* --- blocks of minutes
 * -------------------------------------------------------------------------------------------------------
 */

#define MINUTES_SEED  UINT64_C(0x5765697242)
#define MINUTES_FRONT 12u /* a check over the rest, and how many records there are */

static bool
write_block(struct series_store *s, const struct series_state *after, uint32_t n)
{
	struct series_db_key k = series_block_key(after->block);
	struct wcur c = wcur_of(s->block.p, MINUTES_FRONT);
	struct db_txn x;

	wcur_be64(&c, 0);
	wcur_be32(&c, n);
	c = wcur_of(s->block.p, MINUTES_FRONT);
	wcur_be64(&c, hash_bytes(s->block.p + 8, s->block.len - 8, MINUTES_SEED));
	db_begin(s->db, &x, true);
	db_put(&x, DB_ONLY, series_bytes(&k), (struct db_bytes){ s->block.p, s->block.len });
	series_state_put(&x, after);

	enum db_status status = db_end(&x);

	series_says(s, status, &x);
	return status == DB_OK;
}

/* Writes minutes that are over as a block. */
static void
close_minutes(struct series_store *s)
{
	struct series_state after = s->state;
	int64_t minute = (s->now_s - GRACE_S) / 60;
	uint32_t n;

	minute = minute > s->state.minute ? minute : s->state.minute;

	bool all = series_open_newest(s->open) > minute + AHEAD;

	if (!series_open_is_over(s->open, all ? INT64_MAX : minute))
		return;
	/* Only late ones: more may come. */
	if (!all && minute == s->state.minute && s->now_s >= s->closed_s && s->now_s < s->closed_s + LATE_S)
		return;
	s->block.len = 0;
	(void)bytes_room(&s->block, MINUTES_FRONT);
	s->block.len = MINUTES_FRONT;
	series_open_over(s->open, all ? INT64_MAX : minute, &s->block, &n);
	after.block++;
	after.upto = s->taken;
	after.minute = minute;
	if (all)
		after.all = s->taken;
	s->closed_s = s->now_s;
	if (!write_block(s, &after, n))
		return;
	s->state = after;
	series_open_close(s->open);
}

/* The records of a block, *count of them; bad where it is damaged. */
static struct rcur
open_block(struct db_bytes v, uint32_t *count)
{
	struct rcur c = rcur_of(v.p, v.n);
	uint64_t check = rcur_be64(&c);

	if (c.bad || check != hash_bytes(c.p, rcur_left(&c), MINUTES_SEED))
		c.bad = true;
	*count = rcur_be32(&c);
	return c;
}

/* False where it is damaged. */
static bool
take_block(struct series_store *s, uint64_t number, struct db_bytes v)
{
	uint32_t count;
	struct rcur c = open_block(v, &count);
	struct record_place at = { 0 };
	struct series_record r;
	bool good = !c.bad;

	for (; good && count > 0; count--) {
		good = record_get(&c, &at, &r) && r.kind == RECORD_POINT;
		if (good && !(s->state.folding && number <= s->state.fold_block &&
			      series_key_compare(&r.key, &s->state.fold_key) <= 0))
			series_open_take(s->open, &r, 1);
	}
	return good;
}

static void
take_blocks(struct series_store *s, struct db_txn *x)
{
	struct series_db_key from = series_block_key(s->state.folded + 1);
	struct db_bytes key, v;
	struct db_cursor c;

	db_cursor_open(x, DB_ONLY, &c);
	for (bool more = db_seek(&c, series_bytes(&from), &key, &v); more; more = db_next(&c, &key, &v)) {
		struct rcur k = rcur_of(key.p, key.n);

		if (rcur_u8(&k) != KEY_BLOCK)
			break;
		if (take_block(s, rcur_be64(&k), v))
			continue;
		if (atomic_fetch_add(&s->damaged, 1) < DAMAGED_TOLD)
			log_error("%s: a block of minutes is damaged and left out", SERIES_FILE);
	}
	db_cursor_close(&c);
}

/* --- opening
 * ----------------------------------------------------------------------------------------------------------------
 */

void
series_identity(const uint8_t *secret, size_t len, uint8_t identity[static SERIES_IDENTITY])
{
	static const uint8_t label[] = "weir series";

	crypto_generichash(identity, SERIES_IDENTITY, label, sizeof(label), secret, len);
}

/* Whose it is; nobody's yet where it was just made: it becomes ours. False: another database's. */
static bool
is_ours(struct db_txn *x, const uint8_t *identity, uint8_t *other)
{
	struct db_bytes v;

	if (!db_get(x, DB_ONLY, identity_at, &v)) {
		db_put(x, DB_ONLY, identity_at, (struct db_bytes){ identity, SERIES_IDENTITY });
		return true;
	}
	memset(other, 0, SERIES_IDENTITY);
	memcpy(other, v.p, v.n < SERIES_IDENTITY ? v.n : SERIES_IDENTITY);
	return v.n == SERIES_IDENTITY && memcmp(v.p, identity, v.n) == 0;
}

/* What another data.mdb left behind may be wanted again, with it. */
static void
set_aside(const uint8_t *other)
{
	char name[32];

	snprintf(name, sizeof(name), "series-%02x%02x%02x%02x.mdb", other[0], other[1], other[2], other[3]);
	if (rename(SERIES_FILE, name) != 0)
		fatal("%s belongs to another data.mdb and cannot be renamed to %s", SERIES_FILE, name);
	log_warn("%s belongs to another data.mdb: it is called %s from now on, and left alone", SERIES_FILE,
		 name);
}

static enum db_status
open_ours(struct series_store *s, const uint8_t *identity, char *err, size_t errsize)
{
	const enum db_mode mode = s->limits.keep_everything ? DB_QUICK : DB_DURABLE;
	enum db_status status;
	uint8_t other[SERIES_IDENTITY];
	struct db_txn x;
	bool ours = false;

	for (int i = 0; i < 2 && !ours; i++) {
		s->db = db_open_file(SERIES_FILE, s->limits.size, mode, &status, err, errsize);
		if (s->db == NULL)
			return status;
		db_begin(s->db, &x, true);
		ours = is_ours(&x, identity, other);
		status = db_end(&x);
		if (status != DB_OK) {
			snprintf(err, errsize, "%s in the store's directory cannot be read: %s", SERIES_FILE,
				 db_why(&x));
			return status;
		}
		if (ours)
			break;
		db_close(&s->db);
		set_aside(other);
	}
	return ours ? DB_OK : DB_DAMAGED;
}

static enum db_status
read_all(struct series_store *s, char *err, size_t errsize)
{
	struct db_txn x;

	db_begin(s->db, &x, false);

	bool good = read_state(&x, &s->state);

	if (good)
		take_blocks(s, &x);

	enum db_status status = db_end(&x);

	if (status != DB_OK)
		snprintf(err, errsize, "%s in the store's directory cannot be read: %s", SERIES_FILE,
			 db_why(&x));
	else if (!good)
		snprintf(err, errsize,
			 "%s in the store's directory is damaged (no state): move it away or restore a copy, "
			 "then start again",
			 SERIES_FILE);
	return status == DB_OK && !good ? DB_DAMAGED : status;
}

struct series_store *
series_store_open(const struct series_limits *l, const uint8_t identity[static SERIES_IDENTITY],
		  enum db_status *status, char *err, size_t errsize)
{
	struct series_store *s = mem_calloc(1, sizeof(*s));

	s->limits = *l;
	s->work = chunk_work_new();
	s->open = series_open_new();
	s->closed_s = INT64_MIN / 2;
	s->dropped_s = INT64_MIN / 2;
	if (pthread_mutex_init(&s->reading, NULL) != 0 || pthread_mutex_init(&s->telling, NULL) != 0)
		fatal("cannot make a lock");
	*status = open_ours(s, identity, err, errsize);
	if (*status == DB_OK)
		*status = read_all(s, err, errsize);
	if (*status != DB_OK) {
		series_store_close(&s);
		return NULL;
	}
	series_fold_resume(s);
	return s;
}

void
series_store_close(struct series_store **sp)
{
	struct series_store *s = *sp;

	if (s == NULL)
		return;
	series_fold_free(s);
	series_drop_free(s);
	db_close(&s->db);
	series_open_free(&s->open);
	chunk_work_free(&s->work);
	series_readers_free(s);
	bytes_free(&s->block);
	pthread_mutex_destroy(&s->reading);
	pthread_mutex_destroy(&s->telling);
	free(s);
	*sp = NULL;
}

/* --- what commits add
 * -------------------------------------------------------------------------------------------------------
 */

static bool
is_in(const struct series_store *s, uint64_t number, int64_t minute)
{
	return number <= s->state.all || (number <= s->state.upto && minute < s->state.minute);
}

void
series_store_take(struct series_store *s, uint64_t number, const struct series_record *r, size_t n)
{
	for (size_t i = 0, first = 0; i <= n; i++) {
		if (i < n && !is_in(s, number, record_minute(&r[i])))
			continue;
		series_open_take(s->open, r + first, i - first);
		first = i + 1;
	}
	s->taken = number;
}

uint64_t
series_store_newest(const struct series_store *s)
{
	return s->state.upto > s->state.all ? s->state.upto : s->state.all;
}

bool
series_store_has(const struct series_store *s, uint64_t number, int64_t minute)
{
	return is_in(s, number, minute);
}

/* --- what goes
 * -------------------------------------------------------------------------------------------------------------
 */

/* Deletes packs of a resolution whose time was over at cutoff. */
static unsigned
trim(struct db_txn *x, unsigned resolution, int64_t cutoff_s, unsigned budget)
{
	static const struct series_key first;
	struct series_db_key from = series_pack_key(resolution, 0, &first, false);
	struct series_key k;
	struct db_bytes key;
	struct db_cursor c;
	unsigned n = 0, res;
	int64_t span;

	db_cursor_open(x, DB_ONLY, &c);
	for (bool more = db_seek(&c, series_bytes(&from), &key, NULL); more && n < budget;
	     more = db_next(&c, &key, NULL), n++) {
		if (!series_pack_key_read(key, &res, &span, &k) || res != resolution ||
		    (span + 1) * chunk_span_s(res) > cutoff_s)
			break;
		db_cursor_delete(&c);
	}
	db_cursor_close(&c);
	return n;
}

void
series_store_make_room(struct series_store *s)
{
	struct db_txn x;
	unsigned n = 0;

	db_begin(s->db, &x, true);
	for (unsigned r = CHUNK_KEPT; n == 0 && r < CHUNK_RESOLUTIONS; r++)
		n = trim(&x, r, s->now_s, TRIM_PACKS);
	if (db_end(&x) == DB_OK && n > 0)
		log_info("%s is as large as it may be: %u packs of its oldest points go", SERIES_FILE, n);
}

static void
trim_all(struct series_store *s)
{
	struct db_txn x;

	db_begin(s->db, &x, true);

	bool pressed = db_used(&x) > s->limits.size / 100 * PRESSURE;

	for (unsigned r = CHUNK_KEPT; !s->limits.keep_everything && r < CHUNK_RESOLUTIONS; r++)
		trim(&x, r, s->now_s - s->limits.keep_s[r], TRIM_PACKS);
	db_end(&x);
	if (pressed)
		series_store_make_room(s);
}

void
series_store_turn(struct series_store *s, int64_t now_s)
{
	int64_t minute = s->now_s / 60;

	s->now_s = now_s;
	s->fold_rest -= s->fold_rest > 0;
	db_clear_readers(s->db);
	if (s->fold == NULL)
		close_minutes(s);
	if (now_s / 60 != minute)
		trim_all(s);
}

enum db_status
series_store_clear(struct series_store *s)
{
	static const uint8_t first[] = { KEY_BLOCK };
	struct db_bytes key;
	struct db_cursor c;
	struct db_txn x;

	db_begin(s->db, &x, true);
	db_cursor_open(&x, DB_ONLY, &c);
	for (bool more = db_seek(&c, (struct db_bytes){ first, 1 }, &key, NULL); more;
	     more = db_next(&c, &key, NULL)) {
		struct rcur k = rcur_of(key.p, key.n);

		if (rcur_u8(&k) != KEY_META)
			db_cursor_delete(&c);
	}
	db_cursor_close(&c);
	return db_end(&x);
}

uint64_t
series_store_bytes(const struct series_store *s)
{
	return db_file_bytes(s->db);
}

uint64_t
series_store_damaged(const struct series_store *s)
{
	return atomic_load(&s->damaged);
}

uint64_t
series_store_refused(const struct series_store *s)
{
	return series_open_refused(s->open);
}

/* --- judging
 * ----------------------------------------------------------------------------------------------------------------
 */

static bool
pack_is_good(struct chunk_work *w, unsigned resolution, int64_t span, struct db_bytes v, uint64_t *chunks)
{
	struct chunk_point *p = mem_calloc(CHUNK_POINTS_MAX, sizeof(*p));
	struct series_key key, before = { 0 };
	const uint8_t *chunk;
	struct pack pack;
	size_t len;
	bool good = span < INT64_C(1) << 40 && pack_open(&pack, v.p, v.n);

	for (; good && pack_next(&pack, &key, &chunk, &len); before = key, ++*chunks)
		good = chunk_decode(w, resolution, span, chunk, len, p) > 0 &&
		       (*chunks == 0 || series_key_compare(&before, &key) < 0);
	free(p);
	return good && pack.left == 0;
}

bool
series_entry_is_good(struct chunk_work *w, struct db_bytes key, struct db_bytes v, uint64_t *chunks)
{
	struct rcur k = rcur_of(key.p, key.n);
	struct record_place at = { 0 };
	struct series_record r;
	struct series_key first;
	unsigned resolution;
	uint32_t n;
	int64_t span;

	*chunks = 0;
	switch (rcur_u8(&k)) {
	case KEY_META:
		return key.n == sizeof(state_key);
	case KEY_PACK:
		return series_pack_key_read(key, &resolution, &span, &first) &&
		       pack_is_good(w, resolution, span, v, chunks);
	case KEY_BLOCK:
		break;
	default:
		return false;
	}

	struct rcur c = open_block(v, &n);

	for (; n > 0 && record_get(&c, &at, &r); n--)
		++*chunks;
	return !c.bad && n == 0 && rcur_left(&c) == 0 && key.n == 9;
}
