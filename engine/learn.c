/* What the bytes above the transport header mean: application, risks and names from inspection. */
#include <string.h>

#include "base/cursor.h"
#include "engine.h"

/* Where there is no room for one more meaning, at least the application stays. */
static bool
learn_meaning(struct engine *e, struct flow *f, const struct dpi_meaning *m)
{
	uint32_t n = text_hold_bytes(&e->meanings, m, sizeof(*m));
	struct dpi_meaning plain = { .application = m->application, .category = m->category };

	if (n == 0)
		n = text_hold_bytes(&e->meanings, &plain, sizeof(plain));
	if (n == 0 || n == f->meaning) {
		text_drop(&e->meanings, n);
		return false;
	}
	text_drop(&e->meanings, f->meaning);
	f->meaning = (uint16_t)n;
	return true;
}

static_assert(2 + FLOW_TEXT_MAX <= TEXT_LONGEST, "what is learned of a flow is one text");

/* Two lengths, then the strings as report.c sends them: server name, info, attributes. What is already there
 * stays: it is compared by number. Where there is no room for all, the names alone are tried. */
static bool
learn_text(struct engine *e, struct flow *f, const struct dpi_result *r)
{
	uint8_t text[TEXT_LONGEST];
	struct wcur c = wcur_of(text, sizeof(text));
	size_t names;
	uint32_t n;

	if (r->server_name_len + r->info_len + r->attributes_len == 0)
		return false;
	wcur_u8(&c, (uint8_t)r->server_name_len);
	wcur_u8(&c, (uint8_t)r->info_len);
	wcur_put(&c, r->server_name, r->server_name_len);
	wcur_put(&c, r->info, r->info_len);
	names = wcur_len(&c);
	wcur_put(&c, r->attributes, r->attributes_len);
	n = text_hold_bytes(&e->texts, text, wcur_len(&c));
	if (n == 0 && r->attributes_len > 0)
		n = text_hold_bytes(&e->texts, text, names);
	if (n == 0 || n == f->text) {
		text_drop(&e->texts, n);
		return false;
	}
	text_drop(&e->texts, f->text);
	f->text = n;
	return true;
}

void
learn_forget(struct engine *e, struct flow *f)
{
	text_drop(&e->texts, f->text);
	text_drop(&e->meanings, f->meaning);
	f->text = f->meaning = 0;
}

static void
learn(struct engine *e, struct point *p, struct flow *f, const struct dpi_result *r)
{
	unsigned client = (f->flags & FLOW_SWAPPED) != 0;
	bool changed = learn_meaning(e, f, &r->meaning) || r->done;

	if (learn_text(e, f, r)) {
		changed = true;
		if (r->is_tls && r->server_name_len > 0)
			hosts_learn(e, p, HOST_NAME_TLS, &f->key.ip[!client], f->key.vlan[0],
				    &f->key.ip[client], &f->key.ip[!client], r->server_name,
				    r->server_name_len);
	}
	if (r->os_len > 0)
		hosts_learn(e, p, LEARNED_OS, &f->key.ip[client], f->key.vlan[0], &f->key.ip[client],
			    &f->key.ip[!client], r->os, r->os_len);
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

/* Segments without payload say nothing of the application and are not shown, so that a flood of them costs
 * nothing; but inspection wants to know how the connection began. */
static void
introduce(struct engine *e, const struct point *p, const struct flow *f, uint32_t state)
{
	unsigned client = (f->flags & FLOW_SWAPPED) != 0;
	const struct ip_addr ip[2] = { f->key.ip[client], f->key.ip[!client] };
	const uint16_t port[2] = { f->key.port[client], f->key.port[!client] };
	bool opened = (f->seen.flags[CLIENT] & TCP_SYN) != 0;

	dpi_introduce(e->dpi, p->module, state, f->key.protocol, ip, port, opened ? TCP_SYN : TCP_ACK,
		      f->last_ns);
}

/* For a flow without state: what can be said of its addresses and ports. */
static void
guess(struct engine *e, struct point *p, struct flow *f)
{
	uint32_t state = dpi_spare(e->dpi);

	introduce(e, p, f, state);
	learn(e, p, f, dpi_giveup(e->dpi, p->module, state));
	dpi_release(e->dpi, state);
	f->flags |= FLOW_DPI_DONE;
}

static bool
begin(struct engine *e, struct point *p, struct flow *f)
{
	f->dpi = dpi_begin(e->dpi);
	if (f->dpi == DPI_NONE) {
		e->dpi_refused++;
		guess(e, p, f);
		return false;
	}
	if (f->key.protocol == IP_TCP && (f->seen.flags[CLIENT] & TCP_SYN))
		introduce(e, p, f, f->dpi);
	return true;
}

void
learn_application(struct engine *e, struct point *p, struct flow *f, const struct packet *k)
{
	const struct dpi_result *r;

	if (f->dpi_packets < UINT8_MAX)
		f->dpi_packets++;
	if (!fragment_is_whole(k->fragment) || !k->l3_whole)
		return;
	if (k->key.protocol == IP_TCP && k->payload == 0 && f->dpi == DPI_NONE)
		return;
	if (f->dpi == DPI_NONE && !begin(e, p, f))
		return;
	r = dpi_packet(e->dpi, p->module, f->dpi, k, f->dpi_packets, p->now_ns);
	if (r == NULL)
		return;
	learn(e, p, f, r);
	if (r->done)
		release(e, f);
}

void
learn_finish(struct engine *e, struct point *p, struct flow *f)
{
	if (e->dpi == NULL || (f->flags & FLOW_DPI_DONE))
		return;
	if (f->dpi == DPI_NONE) {
		guess(e, p, f);
		return;
	}
	learn(e, p, f, dpi_giveup(e->dpi, p->module, f->dpi));
	release(e, f);
}
