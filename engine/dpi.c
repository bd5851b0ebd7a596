/* The only file that knows nDPI. Written for 4.2 (Debian 12); later releases differ in the functions under
 * "differences". */
#include "dpi.h"

#include <ndpi_api.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

#define NDPI_VERSION_IS(major, minor)                                                                        \
	(NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

/* As nDPI's own reader: packets of a flow that are looked at before giving up. */
#define PACKETS_TCP   80
#define PACKETS_OTHER 24

#define APPLICATIONS 8192 /* slots of the dictionary, a power of two, twice NAME_NUMBER_MAX */

struct application {
	uint32_t protocols; /* master << 16 | application */
	uint16_t number;    /* 0: empty slot */
};

struct dpi {
	unsigned modules;
	struct ndpi_detection_module_struct **module;
	size_t state_size;
	uint8_t *pool;
	uint32_t *free;
	uint32_t states, nfree;
	dpi_announce *announce;
	void *ctx;
	struct application application[APPLICATIONS];
	uint16_t applications;
	uint8_t confidence_of[NDPI_CONFIDENCE_MAX];
};

/* --- differences between releases
 * ------------------------------------------------------------------------------------- */

static struct ndpi_detection_module_struct *
module_new(void)
{
#if NDPI_VERSION_IS(4, 10)
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(NULL);
#else
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(ndpi_no_prefs);
#endif

	if (m == NULL)
		fatalx("nDPI: no memory for a detection module");
#if !NDPI_VERSION_IS(5, 0)
	NDPI_PROTOCOL_BITMASK all;

	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(m, &all);
#endif
	ndpi_finalize_initialization(m);
	return m;
}

static ndpi_protocol
process(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f, const uint8_t *l3, uint16_t len,
	uint64_t ms)
{
#if NDPI_VERSION_IS(4, 4)
	return ndpi_detection_process_packet(m, f, l3, len, ms, NULL);
#else
	return ndpi_detection_process_packet(m, f, l3, len, ms);
#endif
}

static ndpi_protocol
giveup(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f)
{
#if NDPI_VERSION_IS(5, 0)
	return ndpi_detection_giveup(m, f);
#elif NDPI_VERSION_IS(4, 10)
	uint8_t guessed;

	return ndpi_detection_giveup(m, f, &guessed);
#else
	uint8_t guessed;

	return ndpi_detection_giveup(m, f, 1, &guessed);
#endif
}

/* Up to 4.8 the check of URLs for injections is left to whoever uses the library. */
static void
check_url(struct ndpi_flow_struct *f)
{
#if !NDPI_VERSION_IS(4, 10)
	ndpi_risk_enum risk = f->http.url != NULL ? ndpi_validate_url(f->http.url) : NDPI_NO_RISK;

	if (risk != NDPI_NO_RISK)
		NDPI_SET_BIT(f->risk, risk);
#else
	(void)f;
#endif
}

static uint16_t
master_of(ndpi_protocol p)
{
#if NDPI_VERSION_IS(4, 12)
	return p.proto.master_protocol;
#else
	return p.master_protocol;
#endif
}

static uint16_t
application_of(ndpi_protocol p)
{
#if NDPI_VERSION_IS(4, 12)
	return p.proto.app_protocol;
#else
	return p.app_protocol;
#endif
}

static bool
more_is_possible(struct ndpi_detection_module_struct *m, struct ndpi_flow_struct *f, ndpi_protocol p)
{
#if NDPI_VERSION_IS(5, 0)
	(void)m;
	(void)f;
	return p.state != NDPI_STATE_CLASSIFIED;
#else
	(void)p;
	return ndpi_extra_dissection_possible(m, f);
#endif
}

/* Which of its levels count as by inspection, partly, or guessed. */
static void
confidence_init(uint8_t *of)
{
	for (unsigned i = 1; i < NDPI_CONFIDENCE_MAX; i++)
		of[i] = 2;
	of[NDPI_CONFIDENCE_MATCH_BY_PORT] = 1;
	of[NDPI_CONFIDENCE_MATCH_BY_IP] = 1;
	of[NDPI_CONFIDENCE_DPI] = 3;
}

/* --- names
 * --------------------------------------------------------------------------------------------------------------
 */

static void
announce_risks(struct dpi *d)
{
	const unsigned end = NDPI_MAX_RISK; /* grows with nDPI's releases; flows have 64 bits for them */

	for (unsigned r = 1; r < (end < 64 ? end : 64); r++) {
		uint16_t client, server;

		d->announce(d->ctx, NAME_RISK, r, ndpi_risk2score((ndpi_risk)1 << r, &client, &server),
			    ndpi_risk2str((ndpi_risk_enum)r));
	}
}

static void
announce_categories(struct dpi *d)
{
	for (unsigned c = 1; c < NDPI_PROTOCOL_NUM_CATEGORIES; c++) {
		const char *name = ndpi_category_get_name(d->module[0], (ndpi_protocol_category_t)c);

		if (name != NULL && name[0] != '\0')
			d->announce(d->ctx, NAME_CATEGORY, c, 0, name);
	}
}

/* Numbers are given to combinations in the order in which they are met, and never taken back: there are fewer
 * than 4096 on any network. Past that, new ones stay unknown. */
static uint16_t
application_number(struct dpi *d, ndpi_protocol p)
{
	uint32_t protocols = (uint32_t)master_of(p) << 16 | application_of(p);
	uint32_t i = (uint32_t)(hash_mix(protocols, UINT64_C(0x9e3779b97f4a7c15)) % APPLICATIONS);
	char name[NAME_TEXT_MAX + 1];

	if (protocols == 0)
		return 0;
	for (; d->application[i].number != 0; i = (i + 1) % APPLICATIONS)
		if (d->application[i].protocols == protocols)
			return d->application[i].number;
	if (d->applications == NAME_NUMBER_MAX - 1)
		return 0;
	ndpi_protocol2name(d->module[0], p, name, sizeof(name));
	d->application[i] = (struct application){ protocols, ++d->applications };
	d->announce(d->ctx, NAME_APPLICATION, d->applications, 0, name);
	return d->applications;
}

/* --- life
 * ---------------------------------------------------------------------------------------------------------------
 */

struct dpi *
dpi_new(unsigned modules, uint32_t states, dpi_announce *announce, void *ctx)
{
	struct dpi *d = mem_calloc(1, sizeof(*d));

	d->modules = modules;
	d->announce = announce;
	d->ctx = ctx;
	d->module = mem_calloc(modules, sizeof(struct ndpi_detection_module_struct *));
	for (unsigned i = 0; i < modules; i++)
		d->module[i] = module_new();
	d->state_size = (sizeof(struct ndpi_flow_struct) + 63) & ~(size_t)63;
	d->pool = mem_pages(d->state_size * (states + 1u)); /* and a spare one */
	;
	d->free = mem_pages(sizeof(d->free[0]) * states);
	d->states = states;
	while (d->nfree < states) {
		d->free[d->nfree] = states - 1 - d->nfree;
		d->nfree++;
	}
	confidence_init(d->confidence_of);
	announce_risks(d);
	announce_categories(d);
	return d;
}

static struct ndpi_flow_struct *
state_at(const struct dpi *d, uint32_t state)
{
	return (struct ndpi_flow_struct *)(void *)(d->pool + d->state_size * state);
}

void
dpi_free(struct dpi **dp)
{
	struct dpi *d = *dp;

	if (d == NULL)
		return;
	for (unsigned i = 0; i < d->modules; i++)
		ndpi_exit_detection_module(d->module[i]);
	munmap(d->pool, d->state_size * (d->states + 1u));
	munmap(d->free, sizeof(d->free[0]) * d->states);
	free(d->module);
	free(d);
	*dp = NULL;
}

uint32_t
dpi_begin(struct dpi *d)
{
	uint32_t state;

	if (d->nfree == 0)
		return DPI_NONE;
	state = d->free[--d->nfree];
	memset(state_at(d, state), 0, sizeof(struct ndpi_flow_struct));
	return state;
}

void
dpi_release(struct dpi *d, uint32_t state)
{
	ndpi_free_flow_data(state_at(d, state));
	if (state != d->states)
		d->free[d->nfree++] = state;
}

/* --- detection
 * ------------------------------------------------------------------------------------------------------------
 */

static void
result_text(char *out, size_t *len, const char *text)
{
	*len = text == NULL ? 0 : strnlen(text, DPI_TEXT_MAX);
	memcpy(out, text == NULL ? "" : text, *len);
}

static void
result_of(struct dpi *d, unsigned module, struct ndpi_flow_struct *f, ndpi_protocol p, bool done,
	  struct dpi_result *out)
{
	struct ndpi_detection_module_struct *m = d->module[module];
	uint16_t client, server;
	unsigned category = (unsigned)p.category;

	if (category == 0)
		category = (unsigned)ndpi_get_proto_category(m, p);
	out->meaning = (struct dpi_meaning){ 0 };
	out->meaning.application = application_number(d, p);
	out->meaning.category = category < NAME_NUMBER_MAX ? (uint16_t)category : 0;
	out->meaning.confidence = out->meaning.application != 0 && f->confidence < NDPI_CONFIDENCE_MAX
				      ? d->confidence_of[f->confidence]
				      : 0;
	if (done)
		check_url(f);
	out->meaning.risks = f->risk;
	out->meaning.score = f->risk != 0 ? ndpi_risk2score(f->risk, &client, &server) : 0;
	out->done = done;
	out->is_tls = master_of(p) == NDPI_PROTOCOL_TLS || application_of(p) == NDPI_PROTOCOL_TLS ||
		      master_of(p) == NDPI_PROTOCOL_QUIC || application_of(p) == NDPI_PROTOCOL_QUIC;
	result_text(out->server_name, &out->server_name_len, (const char *)f->host_server_name);
	result_text(out->info, &out->info_len, ndpi_get_flow_info(f, &p));
	if (out->info_len == 0 && application_of(p) == NDPI_PROTOCOL_SSH)
		result_text(out->info, &out->info_len, f->protos.ssh.client_signature);
	if (out->info_len == 0)
		result_text(out->info, &out->info_len, f->flow_extra_info);
}

bool
dpi_packet(struct dpi *d, unsigned module, uint32_t state, const struct packet *k, unsigned nth,
	   int64_t ts_ns, struct dpi_result *out)
{
	struct ndpi_detection_module_struct *m = d->module[module];
	struct ndpi_flow_struct *f = state_at(d, state);
	bool enough = nth > (k->key.protocol == IP_TCP ? PACKETS_TCP : PACKETS_OTHER);
	uint16_t len = k->l3_len > UINT16_MAX ? UINT16_MAX : (uint16_t)k->l3_len;
	ndpi_protocol p = process(m, f, k->l3, len, (uint64_t)(ts_ns / NS_PER_MS));
	bool known = application_of(p) != NDPI_PROTOCOL_UNKNOWN;

	enough |= f->fail_with_unknown;
	if (!enough && !known)
		return false;
	if (!enough && more_is_possible(m, f, p)) {
		result_of(d, module, f, p, false, out);
		return true;
	}
	if (!known)
		p = giveup(m, f);
	result_of(d, module, f, p, true, out);
	return true;
}

void
dpi_giveup(struct dpi *d, unsigned module, uint32_t state, struct dpi_result *out)
{
	struct ndpi_flow_struct *f = state_at(d, state);

	result_of(d, module, f, giveup(d->module[module], f), true, out);
}

static bool
write_ip(struct wcur *c, uint8_t protocol, const struct ip_addr ip[static 2], uint16_t len)
{
	if (ip_is_v4(&ip[0]) && ip_is_v4(&ip[1])) {
		wcur_be16(c, 0x4500);
		wcur_be16(c, (uint16_t)(20 + len));
		wcur_be32(c, 0x4000); /* do not fragment */
		wcur_u8(c, 64);
		wcur_u8(c, protocol);
		wcur_be16(c, 0);
		wcur_put(c, ip[CLIENT].b + 12, 4);
		return wcur_put(c, ip[SERVER].b + 12, 4);
	}
	wcur_be32(c, UINT32_C(6) << 28);
	wcur_be16(c, len);
	wcur_u8(c, protocol);
	wcur_u8(c, 64);
	wcur_put(c, ip[CLIENT].b, 16);
	return wcur_put(c, ip[SERVER].b, 16);
}

void
dpi_introduce(struct dpi *d, unsigned module, uint32_t state, uint8_t protocol,
	      const struct ip_addr ip[static 2], const uint16_t port[static 2], uint8_t tcp_flags,
	      int64_t ts_ns)
{
	uint8_t packet[60] = { 0 };
	struct wcur c = wcur_of(packet, sizeof(packet));
	uint16_t len = protocol == IP_TCP ? 20 : 8;

	write_ip(&c, protocol, ip, len);
	wcur_be16(&c, port[CLIENT]);
	wcur_be16(&c, port[SERVER]);
	if (protocol == IP_TCP) {
		wcur_be64(&c, 0);
		wcur_u8(&c, 0x50);
		wcur_u8(&c, tcp_flags);
		wcur_be16(&c, UINT16_MAX);
		wcur_be32(&c, 0);
	} else {
		wcur_be16(&c, len);
		wcur_be16(&c, 0);
	}
	(void)process(d->module[module], state_at(d, state), packet, (uint16_t)wcur_len(&c),
		      (uint64_t)(ts_ns / NS_PER_MS));
}

uint32_t
dpi_spare(struct dpi *d)
{
	memset(state_at(d, d->states), 0, sizeof(struct ndpi_flow_struct));
	return d->states;
}
