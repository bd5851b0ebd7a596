/* A sequence tracker that is cheap enough for every segment: one remembered hole a direction. */
#include "tcp.h"

#include "base/clock.h"

static uint32_t
wrapped_us(int64_t ns)
{
	return (uint32_t)(ns / 1000);
}

static void
count(uint16_t *counter, struct tcp_seen *seen)
{
	if (++*counter == UINT16_MAX)
		seen->measured |= TCP_FULL;
}

static int32_t
seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* Something that the highest sequence number has passed already: late, or sent again. */
static void
old_data(struct tcp_track *t, struct tcp_seen *seen, const struct packet *k, unsigned side, uint32_t len,
	 int64_t now_ns)
{
	struct tcp_side *s = &t->side[side];
	bool in_hole =
	    s->hole[0] != s->hole[1] && seq_diff(k->seq, s->hole[0]) >= 0 && seq_diff(k->seq, s->hole[1]) < 0;

	if (in_hole && wrapped_us(now_ns) - t->hole_us[side] <= TCP_REORDER_US) {
		count(&t->out_of_order[side], seen);
		if (t->lost[side] > 0)
			t->lost[side]--;
	} else if (in_hole || len > 1 || seq_diff(s->next, k->seq) > 1) { /* else a keep-alive */
		count(&t->retransmissions[side], seen);
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
sequence(struct tcp_track *t, struct tcp_seen *seen, const struct packet *k, unsigned side, int64_t now_ns)
{
	struct tcp_side *s = &t->side[side];
	uint32_t len = k->payload + ((k->tcp_flags & TCP_SYN) != 0) + ((k->tcp_flags & TCP_FIN) != 0);
	int32_t ahead = seq_diff(k->seq, s->next);

	if (!(seen->known & TCP_KNOWN_NEXT(side))) {
		seen->known |= TCP_KNOWN_NEXT(side);
		s->next = k->seq + len;
		s->hole[0] = s->hole[1] = s->next;
		return;
	}
	if (len == 0 || (k->tcp_flags & TCP_RST))
		return;
	if (ahead < 0 && seq_diff(k->seq + len, s->next) <= 0) {
		old_data(t, seen, k, side, len, now_ns);
		return;
	}
	if (ahead > 0) {
		count(&t->lost[side], seen);
		s->hole[0] = s->next;
		s->hole[1] = k->seq;
		t->hole_us[side] = wrapped_us(now_ns);
	} else if (ahead < 0) { /* part of it was seen before */
		count(&t->retransmissions[side], seen);
	}
	s->next = k->seq + len;
}

/* Times of SYN, SYN-ACK and the first ACK give the round trip on each side of us. */
static void
handshake(struct tcp_track *t, struct tcp_seen *seen, uint8_t *state, const struct packet *k, unsigned side,
	  int64_t now_ns)
{
	uint32_t now = wrapped_us(now_ns), *us = t->handshake_us;
	bool marked = (seen->measured & (TCP_MARKED | TCP_MEASURED)) == TCP_MARKED;

	if (k->tcp_flags & TCP_SYN) {
		if ((k->tcp_flags & TCP_ACK) && side == SERVER && marked && us[SERVER] == 0 &&
		    (seen->known & TCP_KNOWN_ISN(CLIENT)))
			us[SERVER] = now - us[CLIENT] + 1;
		if (!(seen->measured & TCP_MEASURED))
			us[CLIENT] = now;
		seen->measured |= TCP_MARKED;
		t->side[side].isn = k->seq;
		seen->known |= TCP_KNOWN_ISN(side);
		return;
	}
	if (*state != FLOW_NEW || !(k->tcp_flags & TCP_ACK))
		return;
	if (side == CLIENT && marked && (seen->known & TCP_KNOWN_ISN(SERVER))) {
		us[CLIENT] = now - us[CLIENT] + 1;
		seen->measured |= TCP_MEASURED;
	}
	if ((seen->known & TCP_KNOWN_NEXT(CLIENT)) && (seen->known & TCP_KNOWN_NEXT(SERVER)))
		*state = FLOW_ESTABLISHED;
}

uint32_t
tcp_handshake(const struct tcp_track *t, const struct tcp_seen *seen, unsigned side)
{
	return side == SERVER || (seen->measured & TCP_MEASURED) ? t->handshake_us[side] : 0;
}

void
tcp_next_slice(struct tcp_track *t, struct tcp_seen *seen)
{
	for (unsigned side = 0; side < 2; side++) {
		t->retransmissions[side] = t->out_of_order[side] = 0;
		t->lost[side] = t->zero_windows[side] = 0;
		seen->flags[side] = 0;
	}
	seen->measured &= (uint8_t)~TCP_FULL;
}

static void
closing(struct tcp_seen *seen, uint8_t *state, const struct packet *k, unsigned side)
{
	if (k->tcp_flags & TCP_FIN)
		seen->known |= TCP_KNOWN_FIN(side);
	if (*state == FLOW_CLOSED || *state == FLOW_RESET)
		return;
	if (k->tcp_flags & TCP_RST)
		*state = FLOW_RESET;
	else if ((seen->known & TCP_KNOWN_FIN(CLIENT)) && (seen->known & TCP_KNOWN_FIN(SERVER)))
		*state = FLOW_CLOSED;
	else if (k->tcp_flags & TCP_FIN)
		*state = FLOW_CLOSING;
}

void
tcp_segment(struct tcp_track *t, struct tcp_seen *seen, uint8_t *state, const struct packet *k, unsigned side,
	    int64_t now_ns)
{
	const uint8_t zero = TCP_KNOWN_ZERO_WINDOW(side);

	seen->flags[side] |= k->tcp_flags;
	sequence(t, seen, k, side, now_ns);
	if ((k->tcp_flags & TCP_SYN) || *state == FLOW_NEW)
		handshake(t, seen, state, k, side, now_ns);
	if (k->tcp_flags & (TCP_FIN | TCP_RST))
		closing(seen, state, k, side);
	if (k->window == 0 && !(k->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST))) {
		if (!(seen->known & zero))
			count(&t->zero_windows[side], seen);
		seen->known |= zero;
	} else {
		seen->known &= (uint8_t)~zero;
	}
}

bool
tcp_is_reuse(const struct tcp_track *t, const struct tcp_seen *seen, uint8_t state, const struct packet *k,
	     unsigned side)
{
	if ((k->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return false;
	if (seen->known & TCP_KNOWN_ISN(side))
		return t->side[side].isn != k->seq;
	/* The old one's beginning was not seen: only its end tells. A SYN of the other side is a simultaneous
	 * open. */
	return state == FLOW_CLOSED || state == FLOW_RESET || (seen->known & TCP_KNOWN_NEXT(side)) != 0;
}
