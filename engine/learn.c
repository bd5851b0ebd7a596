/* What the bytes above the transport header mean: application, risks and names from inspection, names from
 * DNS. */
#include <string.h>

#include "dns.h"
#include "engine.h"

#define PORT_DNS 53

/* A text that is already there stays: it is compared by number. */
static bool
learn_text(struct engine *e, uint32_t *have, const char *text, size_t len)
{
	uint32_t n = text_hold(&e->texts, text, len);

	if (n == 0 || n == *have) {
		text_drop(&e->texts, n);
		return false;
	}
	text_drop(&e->texts, *have);
	*have = n;
	return true;
}

static void
learn(struct engine *e, struct point *p, struct flow *f, const struct dpi_result *r)
{
	unsigned client = (f->flags & FLOW_SWAPPED) != 0;
	bool changed = f->application != r->application || f->category != r->category ||
		       f->risks != r->risks || f->confidence != r->confidence || r->done;

	f->application = r->application;
	f->category = r->category;
	f->confidence = r->confidence;
	f->risks = r->risks;
	f->score = r->score;
	changed |= learn_text(e, &f->info, r->info, r->info_len);
	if (learn_text(e, &f->server_name, r->server_name, r->server_name_len)) {
		changed = true;
		if (r->is_tls)
			hosts_name(e, p, &f->key.ip[!client], f->key.vlan[0], HOST_NAME_TLS, r->server_name,
				   r->server_name_len);
	}
	if (changed)
		f->flags &= (uint8_t)~FLOW_TOLD;
}

static void
release(struct engine *e, struct flow *f)
{
	f->flags |= FLOW_DPI_DONE;
	if (f->dpi != DPI_NONE)
		dpi_release(e->dpi, f->dpi);
	f->dpi = DPI_NONE;
}

static void
guess(struct engine *e, struct point *p, struct flow *f)
{
	unsigned client = (f->flags & FLOW_SWAPPED) != 0;
	const struct ip_addr ip[2] = { f->key.ip[client], f->key.ip[!client] };
	const uint16_t port[2] = { f->key.port[client], f->key.port[!client] };
	struct dpi_result r;

	dpi_guess(e->dpi, p->module, f->key.protocol, ip, port, &r);
	learn(e, p, f, &r);
	f->flags |= FLOW_DPI_DONE;
}

void
learn_application(struct engine *e, struct point *p, struct flow *f, const struct packet *k)
{
	struct dpi_result r;

	if (f->dpi_packets < UINT8_MAX)
		f->dpi_packets++;
	if (k->fragment == FRAGMENT_LATER || !k->l3_whole)
		return;
	if (k->key.protocol == IP_TCP && k->payload == 0) /* says nothing of the application */
		return;
	if (f->dpi == DPI_NONE) {
		f->dpi = dpi_begin(e->dpi);
		if (f->dpi == DPI_NONE) {
			e->dpi_refused++;
			guess(e, p, f);
			return;
		}
	}
	if (!dpi_packet(e->dpi, p->module, f->dpi, k, f->dpi_packets, p->now_ns, &r))
		return;
	learn(e, p, f, &r);
	if (r.done)
		release(e, f);
}

void
learn_finish(struct engine *e, struct point *p, struct flow *f)
{
	struct dpi_result r;

	if (e->dpi == NULL || (f->flags & FLOW_DPI_DONE))
		return;
	if (f->dpi == DPI_NONE) {
		guess(e, p, f);
		return;
	}
	dpi_giveup(e->dpi, p->module, f->dpi, &r);
	learn(e, p, f, &r);
	release(e, f);
}

void
learn_names(struct engine *e, struct point *p, const struct packet *k)
{
	struct dns_answers a;

	if (!dns_parse(k->app, k->app_len, &a))
		return;
	for (unsigned i = 0; i < a.n; i++)
		hosts_name(e, p, &a.ip[i], k->key.vlan[0], HOST_NAME_DNS, a.name, a.name_len);
}
