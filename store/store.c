/* Makes the store's parts and takes them apart. */
#include "store.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "as_names.h"
#include "ask.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "lru.h"
#include "minutes.h"
#include "orders.h"
#include "parked.h"
#include "part_memory.h"
#include "subject_series.h"
#include "vendors.h"
#include "walks.h"
#include "watched.h"

#define SUBJECTS_MAX 131072u
#define HOSTS_MAX    4194304u
#define DEVICES_MAX  2097152u

static uint64_t
clamp(uint64_t v, uint64_t least, uint64_t most)
{
	return v < least ? least : v > most ? most : v;
}

static void
remember_applied(void *ctx, const struct batch_applied *a)
{
	struct store *s = ctx;

	if (s->nloaded < BATCH_APPLIED_MAX)
		s->loaded[s->nloaded++] = *a;
}

static void
open_history(struct store *s, const struct settings *set)
{
	static const uint8_t label[] = "weir cursor";
	struct history_limits limits;
	enum db_status status;
	char err[512] = "";

	history_limits_of(set, (s->boot->flags & BOOT_ANALYZE) != 0, &limits);
	s->history = history_open(&limits, s->names, &status, err, sizeof(err));
	if (s->history == NULL)
		fatal_status(status == DB_DAMAGED || status == DB_NEWER ? EXIT_BAD_INPUT : EXIT_FAILED, "%s",
			     err);
	for (enum name_kind k = NAME_APPLICATION; k < NAME_KIND_COUNT; k++)
		s->names_saved[k] = names_count(s->names, k);
	history_applied(s->history, remember_applied, s);
	crypto_generichash(s->cursor_key, sizeof(s->cursor_key), label, sizeof(label),
			   history_secret(s->history), FLOW_ID_SECRET);
	s->writer = writer_new(s->history);
}

/* Small stores get small batches: a block is written before an old segment makes room for it. */
static void
make_batches(struct store *s)
{
	uint64_t size = (uint64_t)s->boot->settings.store_size;
	size_t rows = (size_t)clamp(size / 16, 1u << 20, 12u << 20);
	uint32_t deltas = (uint32_t)clamp(size / 4096, 4096, 262144);

	for (size_t i = 0; i < ARRAY_LEN(s->batch); i++)
		batch_init(&s->batch[i], rows, deltas);
	s->open = &s->batch[0];
	s->open->generation = ++s->generations;
}

static void
make_engines(struct store *s)
{
	const struct settings *set = &s->boot->settings;

	s->engine = mem_calloc(STORE_ENGINES_MAX, sizeof(*s->engine));
	for (uint32_t i = 0; i < s->boot->npeers && s->nengines < STORE_ENGINES_MAX; i++) {
		if (s->boot->peers[i].proc != PROC_ENGINE)
			continue;

		struct engine *e = &s->engine[s->nengines];

		e->index = s->nengines++;
		e->instance = s->boot->peers[i].instance;
		live_init(&e->live, (uint32_t)set->max_flows);
	}
}

bool
store_is_local(const struct store *s, const struct ip_addr *ip)
{
	for (uint32_t i = 0; i < s->nlocal; i++)
		if (prefix_contains(&s->local[i], ip))
			return true;
	return false;
}

void
store_clock(struct store *s)
{
	s->now_ns = clock_utc_ns();
	s->now_boot_ns = clock_boot_ns();
}

static void
make_platform_subjects(struct store *s)
{
	struct series_key all = { TENANT_PLATFORM, SERIES_TENANT, 0 };

	s->platform_total = subjects_get(s->subjects, &all);
	subject_admit(s, subjects_at(s->subjects, s->platform_total), s->open);
	for (uint32_t i = 0; i < s->points.n; i++) {
		struct series_key k = { TENANT_PLATFORM, SERIES_POINT, s->points.point[i].boot->id };

		s->points.point[i].subject = subjects_get(s->subjects, &k);
		subject_admit(s, subjects_at(s->subjects, s->points.point[i].subject), s->open);
	}
}

/* Descriptors of the launcher's, where it found the lists. In a test there are none. */
static void
read_vendors(struct store *s)
{
	size_t n = 0;

	for (int i = 0; i < BOOT_VENDOR_FILES; i++) {
		if ((s->boot->flags & BOOT_HAS_VENDORS(i)) == 0)
			continue;
		n += vendors_read_file(s->vendors, BOOT_FD_VENDORS + i);
		close(BOOT_FD_VENDORS + i);
	}
	log_debug("%zu assignments of MAC addresses to vendors", n);
}

static void
remember_series(void *ctx, const struct batch_series *b)
{
	series_book_load(ctx, b);
}

static void
open_book(struct store *s, const struct settings *set)
{
	s->book = series_book_new((uint32_t)set->series_max);
	history_series_ids(s->history, remember_series, s->book);
	series_book_loaded(s->book, (uint32_t)(s->now_ns / (60 * NS_PER_S)));
}

struct store *
store_new(const struct boot *boot)
{
	const struct settings *set = &boot->settings;
	struct store *s = mem_calloc(1, sizeof(*s));

	s->boot = boot;
	store_clock(s);
	s->names = names_new();
	s->loaded = mem_calloc(BATCH_APPLIED_MAX, sizeof(*s->loaded));
	open_history(s, set);
	s->grants = grants_new();
	s->orders = orders_new();
	s->parked = parked_new();
	s->walks = walks_new();
	s->part_memories = part_memories_new(PART_MEMORY_MAX);
	s->recents = recents_new();
	points_init(&s->points, boot);
	s->subjects = subjects_new(SUBJECTS_MAX);
	open_book(s, set);
	make_engines(s);

	size_t hosts = (size_t)clamp((uint64_t)set->max_hosts * 2 * (s->nengines == 0 ? 1 : s->nengines),
				     1024, HOSTS_MAX);

	s->hosts = hosts_new(hosts);
	s->known = known_new(hosts);
	s->places = places_new(hosts);
	s->devices = devices_new((size_t)clamp((uint64_t)set->max_devices * 2, 1024, DEVICES_MAX));
	s->as_names = as_names_new(AS_NAMES_MAX);
	s->vendors = vendors_new();
	s->resolve = resolve_new(s);
	read_vendors(s);
	s->nlocal = local_networks_read(set, s->local);
	s->watched = watched_new();
	s->minutes = minutes_new(s);
	make_batches(s);
	make_platform_subjects(s);
	return s;
}

struct engine *
store_engine(struct store *s, unsigned instance)
{
	for (unsigned i = 0; i < s->nengines; i++)
		if (s->engine[i].instance == instance)
			return &s->engine[i];
	return NULL;
}

static void
engine_free(struct engine *e)
{
	ring_consumer_free(&e->now.ring);
	ring_consumer_free(&e->next.ring);
	live_free(&e->live);
}

void
store_free(struct store **sp)
{
	struct store *s = *sp;

	if (s == NULL)
		return;
	ask_end_all(s);
	writer_free(&s->writer);
	parked_free(&s->parked);
	walks_free(&s->walks);
	part_memories_free(&s->part_memories);
	recents_free(&s->recents);
	orders_free(&s->orders);
	history_close(&s->history);
	for (unsigned i = 0; i < s->nengines; i++)
		engine_free(&s->engine[i]);
	free(s->engine);
	for (size_t i = 0; i < ARRAY_LEN(s->batch); i++)
		batch_free(&s->batch[i]);
	as_names_free(&s->as_names);
	vendors_free(&s->vendors);
	resolve_free(&s->resolve);
	lru_free(&s->devices);
	places_free(&s->places);
	lru_free(&s->known);
	minutes_free(&s->minutes);
	watched_free(&s->watched);
	hosts_free(&s->hosts);
	series_book_free(&s->book);
	subjects_free(&s->subjects);
	grants_free(&s->grants);
	quotas_free(&s->quotas);
	names_free(&s->names);
	free(s->loaded);
	free(s);
	*sp = NULL;
}
