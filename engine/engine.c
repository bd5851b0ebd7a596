/* Everything a worker allocates, once, before the first packet. */
#include "engine.h"

#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

/* One detection module an address space: the numbers of modules of all points. */
static unsigned
number_modules(struct engine *e)
{
	unsigned modules = 0;

	for (unsigned i = 0; i < e->npoints; i++) {
		unsigned j = 0;

		while (e->boot->points[j].space != e->boot->points[i].space)
			j++;
		e->point[i].module = j < i ? e->point[j].module : modules++;
	}
	return modules == 0 ? 1 : modules;
}

static void
announce(void *ctx, enum name_kind kind, unsigned number, unsigned value, const char *text)
{
	struct engine *e = ctx;

	records_name(&e->records, kind, number, value, text);
}

static void
announce_own(struct engine *e)
{
	static const char *const places[] = { "",
#define X(id, name, loss) name,
					      PLACE_TABLE(X)
#undef X
	};
	static_assert(sizeof(places) / sizeof(places[0]) == PLACE_COUNT, "name every place");

	for (unsigned i = 1; i < UNDECODED_COUNT; i++)
		records_name(&e->records, NAME_UNDECODED, i, 0, undecoded_name((enum undecoded)i));
	for (unsigned i = 1; i < PLACE_COUNT; i++)
		records_name(&e->records, NAME_PLACE, i, 0, places[i]);
}

static void
read_local_networks(struct engine *e)
{
	static const char *const usual[] = { "10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16",
					     "169.254.0.0/16", "127.0.0.0/8",   "100.64.0.0/10",
					     "fe80::/10",      "fc00::/7",      "::1/128" };
	const struct settings *s = &e->boot->settings;
	unsigned n = s->local_networks.n > 0 ? s->local_networks.n : (unsigned)ARRAY_LEN(usual);

	for (unsigned i = 0; i < n && i < ARRAY_LEN(e->local); i++) {
		const char *text = s->local_networks.n > 0 ? s->local_networks.item[i] : usual[i];

		if (!prefix_parse(text, &e->local[e->hosts.nlocal]))
			fatalx("local_networks: \"%s\" is no network; write it as 10.0.0.0/8", text);
		e->hosts.nlocal++;
	}
	e->hosts.local = e->local;
}

static void
point_init(struct engine *e, unsigned i)
{
	struct point *p = &e->point[i];

	p->boot = &e->boot->points[i];
	p->index = i;
	p->live = p->boot->kind != POINT_FILE;
	p->batch.bytes = mem_pages(BATCH_BYTES);
	p->count.point = p->boot->id;
	p->count.worker = e->worker;
	for (unsigned j = 0; j < 2; j++)
		p->touched[j].number = mem_pages(sizeof(uint32_t) * e->flows.max);
	p->dirty.number = mem_pages(sizeof(uint32_t) * e->hosts.max);
	p->told_state = true;
	wheel_init(&p->wheel, e->idle_ns);
}

struct engine *
engine_new(const struct boot *b)
{
	const struct settings *s = &b->settings;
	int protocols = b->flags & BOOT_HAS_PROTOCOLS ? BOOT_FD_PROTOCOLS : -1;
	struct engine *e = mem_pages(sizeof(*e));
	uint64_t seed[4];

	if (sodium_init() == -1)
		fatalx("libsodium: no random numbers");
	randombytes_buf(seed, sizeof(seed));
	e->boot = b;
	e->worker = b->instance;
	e->idle_ns = s->idle_timeout_ms * NS_PER_MS;
	e->active_ns = s->active_timeout_ms * NS_PER_MS;
	e->closed_ns = s->closed_timeout_ms * NS_PER_MS;
	e->updates = (uint32_t)s->updates;
	e->wall_ns = clock_utc_ns();
	e->outer = strcmp(s->tunnels, "outer") == 0;
	e->seed[0] = seed[0];
	e->seed[1] = seed[1];
	e->fragments.seed = seed[2];
	flow_table_init(&e->flows, (uint32_t)s->max_flows);
	texts_init(&e->texts, (uint32_t)(s->max_flows * 2 + 2 * s->max_hosts),
		   (uint32_t)(s->max_flows + 2 * s->max_hosts), seed[3]);
	texts_init(&e->meanings, UINT16_MAX, UINT16_MAX, seed[3]); /* flow.meaning is as wide */
	host_table_init(&e->hosts, (uint32_t)s->max_hosts, &e->texts, e->seed);
	learned_init(&e->learned, (uint32_t)s->max_hosts, &e->texts, seed[3]);
	device_table_init(&e->devices, (uint32_t)s->max_devices, seed[2]);
	e->geo = geo_new();
	records_init(&e->records, (size_t)s->record_ring);
	handover_init(&e->handover, b);
	read_local_networks(e);
	announce_own(e);
	e->npoints = b->npoints;
	for (unsigned i = 0; i < e->npoints; i++)
		point_init(e, i);
	if (s->dpi)
		e->dpi = dpi_new(number_modules(e), (uint32_t)(s->max_flows / 4), protocols, announce, e);
	if (protocols != -1)
		close(protocols);
	for (unsigned i = 0; i < BOOT_GEO_FILES; i++)
		if (b->flags & BOOT_HAS_GEO(i))
			hosts_take_geo(e, i, BOOT_FD_GEO + (int)i);
	report_again_from_start(e);
	return e;
}

void
engine_free(struct engine **ep)
{
	struct engine *e = *ep;

	if (e == NULL)
		return;
	for (uint32_t n = 0; e->dpi != NULL && n < e->flows.fresh; n++)
		if ((e->flows.flow[n].flags & FLOW_USED) && e->flows.flow[n].dpi != DPI_NONE)
			dpi_release(e->dpi, e->flows.flow[n].dpi);
	dpi_free(&e->dpi);
	for (unsigned i = 0; i < e->npoints; i++) {
		struct point *p = &e->point[i];

		ring_consumer_free(&p->ring);
		ring_consumer_free(&p->next_ring);
		munmap(p->batch.bytes, BATCH_BYTES);
		for (unsigned j = 0; j < 2; j++)
			munmap(p->touched[j].number, sizeof(uint32_t) * e->flows.max);
		munmap(p->dirty.number, sizeof(uint32_t) * e->hosts.max);
	}
	records_free(&e->records);
	geo_free(&e->geo);
	device_table_free(&e->devices);
	learned_free(&e->learned);
	handover_free(&e->handover);
	host_table_free(&e->hosts);
	texts_free(&e->texts);
	texts_free(&e->meanings);
	flow_table_free(&e->flows);
	munmap(e, sizeof(*e));
	*ep = NULL;
}

bool
engine_finish(struct engine *e)
{
	for (unsigned i = 0; i < e->npoints; i++) {
		struct point *p = &e->point[i];

		if (!second_close_last(e, p))
			return false;
		while (p->flows > 0) {
			if (!records_room(&e->records, FRAME_ROOM))
				return false;
			track_end(e, p, wheel_earliest(&p->wheel), END_SHUTDOWN);
		}
		if (!second_step(e, p, UINT32_MAX))
			return false;
		(void)hosts_tell(e, p, UINT32_MAX);
		report_drops(e, p);
	}
	report_drops(e, NULL);
	return true;
}
