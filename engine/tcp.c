/* A sequence tracker that is cheap enough for every segment: one remembered hole a direction. */
#include "tcp.h"

#include "base/clock.h"

static int32_t
seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* Something that the highest sequence number has passed already: late, or sent again. */
static void
old_data(struct tcp_track *t, struct flow_tcp *count, const struct packet *k, unsigned side, uint32_t len,
	 int64_t now_ns)
{
	struct tcp_side *s = &t->side[side];
	bool in_hole =
	    s->hole[0] != s->hole[1] && seq_diff(k->seq, s->hole[0]) >= 0 && seq_diff(k->seq, s->hole[1]) < 0;

	if (in_hole && now_ns - t->hole_ns[side] <= TCP_REORDER_NS) {
		count->out_of_order[side]++;
		if (count->lost[side] > 0)
			count->lost[side]--;
	} else if (in_hole || len > 1 || seq_diff(s->next, k->seq) > 1) { /* else a keep-alive */
		count->retransmissions[side]++;
	}
	if (!in_hole)
		return;
	/* What is left of the hole: its larger part, because only one is remembered. */
	uint32_t before = k->seq - s->hole[0];
	uint32_t end = k->seq + len;
	uint32_t after = seq_diff(s->hole[1], end) > 0 ? s->hole[1] - end : 0;

	if (after >= before)
		s->hole[0] = after > 0 ? end : s->hole[1];
	else
		s->hole[1] = k->seq;
}

static void
sequence(struct tcp_track *t, struct flow_tcp *count, const struct packet *k, unsigned side, int64_t now_ns)
{
	struct tcp_side *s = &t->side[side];
	uint32_t len = k->payload + ((k->tcp_flags & TCP_SYN) != 0) + ((k->tcp_flags & TCP_FIN) != 0);
	int32_t ahead = seq_diff(k->seq, s->next);

	if (!(t->known & TCP_KNOWN_NEXT(side))) {
		t->known |= TCP_KNOWN_NEXT(side);
		s->next = k->seq + len;
		s->hole[0] = s->hole[1] = s->next;
		return;
	}
	if (len == 0 || (k->tcp_flags & TCP_RST))
		return;
	if (ahead < 0 && seq_diff(k->seq + len, s->next) <= 0) {
		old_data(t, count, k, side, len, now_ns);
		return;
	}
	if (ahead > 0) {
		count->lost[side]++;
		s->hole[0] = s->next;
		s->hole[1] = k->seq;
		t->hole_ns[side] = now_ns;
	} else if (ahead < 0) { /* part of it was seen before */
		count->retransmissions[side]++;
	}
	s->next = k->seq + len;
}

/* Times of SYN, SYN-ACK and the first ACK give the round trip on each side of us. */
static void
handshake(struct tcp_track *t, struct flow_tcp *count, uint8_t *state, const struct packet *k, unsigned side,
	  int64_t now_ns)
{
	if (k->tcp_flags & TCP_SYN) {
		bool answer = (k->tcp_flags & TCP_ACK) != 0;

		if (answer && side == SERVER && t->mark_ns != 0 && (t->known & TCP_KNOWN_ISN(CLIENT)) &&
		    count->handshake_us[SERVER] == 0)
			count->handshake_us[SERVER] = (uint32_t)((now_ns - t->mark_ns) / 1000) + 1;
		t->mark_ns = now_ns;
		t->side[side].isn = k->seq;
		t->known |= TCP_KNOWN_ISN(side);
		return;
	}
	if (*state != FLOW_NEW || !(k->tcp_flags & TCP_ACK))
		return;
	if (side == CLIENT && (t->known & TCP_KNOWN_ISN(SERVER)) && t->mark_ns != 0 &&
	    count->handshake_us[CLIENT] == 0)
		count->handshake_us[CLIENT] = (uint32_t)((now_ns - t->mark_ns) / 1000) + 1;
	if ((t->known & TCP_KNOWN_NEXT(CLIENT)) && (t->known & TCP_KNOWN_NEXT(SERVER)))
		*state = FLOW_ESTABLISHED;
}

static void
closing(struct tcp_track *t, uint8_t *state, const struct packet *k, unsigned side)
{
	if (k->tcp_flags & TCP_FIN)
		t->known |= TCP_KNOWN_FIN(side);
	if (*state == FLOW_CLOSED || *state == FLOW_RESET)
		return;
	if (k->tcp_flags & TCP_RST)
		*state = FLOW_RESET;
	else if ((t->known & TCP_KNOWN_FIN(CLIENT)) && (t->known & TCP_KNOWN_FIN(SERVER)))
		*state = FLOW_CLOSED;
	else if (k->tcp_flags & TCP_FIN)
		*state = FLOW_CLOSING;
}

void
tcp_segment(struct tcp_track *t, struct flow_tcp *count, uint8_t *state, const struct packet *k,
	    unsigned side, int64_t now_ns)
{
	const uint8_t zero = TCP_KNOWN_ZERO_WINDOW(side);

	count->flags[side] |= k->tcp_flags;
	sequence(t, count, k, side, now_ns);
	if ((k->tcp_flags & TCP_SYN) || *state == FLOW_NEW)
		handshake(t, count, state, k, side, now_ns);
	if (k->tcp_flags & (TCP_FIN | TCP_RST))
		closing(t, state, k, side);
	if (k->window == 0 && !(k->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST))) {
		if (!(t->known & zero))
			count->zero_windows[side]++;
		t->known |= zero;
	} else {
		t->known &= (uint8_t)~zero;
	}
}

bool
tcp_is_reuse(const struct tcp_track *t, uint8_t state, const struct packet *k, unsigned side)
{
	if ((k->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return false;
	if (t->known & TCP_KNOWN_ISN(side))
		return t->side[side].isn != k->seq;
	/* The old one's beginning was not seen: only its end tells. A SYN of the other side is a simultaneous
	 * open. */
	return state == FLOW_CLOSED || state == FLOW_RESET || (t->known & TCP_KNOWN_NEXT(side)) != 0;
}
