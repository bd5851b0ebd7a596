/* A generator of flows: see flows.h. */
#include "flows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define CLIENTS 4096u
#define SERVERS 65536u
#define NAMES   20000u
#define ZIPF    1.1

struct flows {
	uint64_t dice, made;
	int64_t gap_ns;
	double *client_sum, *server_sum; /* of Zipf's weights */
};

/* splitmix64 */
static uint64_t
roll(struct flows *g)
{
	uint64_t z = g->dice += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Within (0, 1). */
static double
share(struct flows *g)
{
	return ((double)(roll(g) >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(struct flows *g)
{
	return sqrt(-2 * log(share(g))) * cos(6.283185307179586 * share(g));
}

static double *
zipf_sums(uint32_t n)
{
	double *sum = mem_calloc(n, sizeof(*sum)), all = 0;

	for (uint32_t i = 0; i < n; i++)
		sum[i] = all += pow(i + 1.0, -ZIPF);
	for (uint32_t i = 0; i < n; i++)
		sum[i] /= all;
	return sum;
}

static uint32_t
zipf(struct flows *g, const double *sum, uint32_t n)
{
	double at = share(g);
	uint32_t from = 0, to = n - 1;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (sum[middle] < at)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct flows *
flows_new(int64_t gap_ns)
{
	struct flows *g = mem_calloc(1, sizeof(*g));

	g->dice = 1;
	g->gap_ns = gap_ns;
	g->client_sum = zipf_sums(CLIENTS);
	g->server_sum = zipf_sums(SERVERS);
	return g;
}

static struct ip_addr
address(uint32_t v)
{
	return ip_from_v4(
	    (const uint8_t[4]){ (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v });
}

/* Spread over the whole range, the same for the same server. */
static uint32_t
server_address(uint32_t server)
{
	return 0x20000000u + (server * 2654435761u >> 2);
}

struct ip_addr
flows_server(uint32_t rank)
{
	return address(server_address(rank));
}

static uint64_t
log_normal(struct flows *g, double mean, double spread, uint64_t least, uint64_t most)
{
	double v = exp(mean + spread * normal(g));

	return v < (double)least ? least : v > (double)most ? most : (uint64_t)v;
}

static void
give_times(struct flows *g, struct rec_flow *f)
{
	uint64_t lasts = log_normal(g, 20, 2.5, 0, 60 * (uint64_t)NS_PER_S);

	f->last_ns = FLOWS_START_NS + (int64_t)g->made * g->gap_ns + (int64_t)(roll(g) % (20 * NS_PER_S));
	/* Clocks of captures count microseconds. */
	f->last_ns -= f->last_ns % 1000;
	f->first_ns = f->slice_ns = f->last_ns - (int64_t)(lasts - lasts % 1000);
}

static void
give_sizes(struct flows *g, struct rec_flow *f)
{
	for (int side = CLIENT; side <= SERVER; side++) {
		uint64_t payload = log_normal(g, side == CLIENT ? 6 : 8, 2, 0, 1u << 30);

		f->count.packets[side] = 3 + payload / (200 + roll(g) % 1200);
		f->count.payload[side] = payload;
		f->count.bytes[side] = payload + f->count.packets[side] * (f->protocol == 6 ? 66 : 42);
		f->ttl_min[side] = f->ttl_max[side] = (uint8_t)(side == CLIENT ? 64 : 48 + roll(g) % 12);
	}
}

static void
give_tcp(struct flows *g, struct rec_flow *f)
{
	f->tcp.flags[CLIENT] = f->tcp.flags[SERVER] = 0x1b;
	f->tcp.handshake_us[CLIENT] = (uint32_t)(100 + roll(g) % 400);
	f->tcp.handshake_us[SERVER] = (uint32_t)log_normal(g, 9.5, 0.8, 200, 2000000);
	f->latency_us = f->tcp.handshake_us[SERVER] + (uint32_t)log_normal(g, 8, 1, 100, 5000000);
	if (roll(g) % 12 == 0)
		f->tcp.retransmissions[SERVER] = (uint32_t)(1 + roll(g) % 5);
	f->state = FLOW_CLOSED;
	f->end_reason = END_CLOSED;
}

static void
give_name(struct rec_flow *f, char *text, uint32_t server)
{
	static const char *const kind[] = { "www", "cdn", "api", "mail", "static", "img", "login", "edge" };
	static const char *const word[] = {
		"cloud", "media", "shop", "news", "bank", "travel", "game", "data"
	};
	uint32_t n = server % NAMES;

	f->server_name_len = (uint16_t)snprintf(text, FLOW_TEXT_MAX, "%s%u.%s%u.example", kind[n % 8], n / 97,
						word[n / 8 % 8], n / 64);
}

void
flows_next(struct flows *g, struct rec_flow *f, char text[static FLOW_TEXT_MAX])
{
	uint32_t client = zipf(g, g->client_sum, CLIENTS), server = zipf(g, g->server_sum, SERVERS);
	bool dns = roll(g) % 5 == 0;

	*f = (struct rec_flow){
		.protocol = dns ? 17 : 6, .point = 1, .dpi_done = 1, .confidence = CONFIDENCE_INSPECTED
	};
	f->id.b[3] = 1;
	for (int i = 0; i < 8; i++)
		f->id.b[15 - i] = (uint8_t)(g->made >> (8 * i));
	f->ip[CLIENT] = address(0x0a000000u + client);
	f->ip[SERVER] = address(dns ? 0x0a00fffeu : server_address(server));
	f->port[CLIENT] = (uint16_t)(32768 + roll(g) % 28232);
	f->port[SERVER] = dns ? 53 : server % 9 == 0 ? 80 : 443;
	f->application = dns ? 5 : (uint16_t)(10 + server % 120);
	f->category = dns ? 14 : (uint16_t)(1 + server % 20);
	f->mac[CLIENT][5] = (uint8_t)client;
	f->mac[CLIENT][4] = (uint8_t)(client >> 8);
	f->mac[SERVER][0] = 2;
	f->state = FLOW_ESTABLISHED;
	f->end_reason = END_IDLE;
	give_times(g, f);
	give_sizes(g, f);
	if (!dns)
		give_tcp(g, f);
	give_name(f, text, server);
	g->made++;
}
