/* The sequence tracker: order, losses, repetitions, handshake times, states, reuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tcp.h"

struct fixture {
	struct tcp_track t;
	struct tcp_seen seen;
	uint8_t state;
	int64_t now;
};

static void
say(struct fixture *x, unsigned side, uint8_t flags, uint32_t seq, uint32_t payload)
{
	struct packet k = { .tcp_flags = flags, .seq = seq, .payload = payload, .window = 1000 };

	tcp_segment(&x->t, &x->seen, &x->state, &k, side, x->now);
	x->now += NS_PER_MS;
}

static void
open_connection(struct fixture *x)
{
	memset(x, 0, sizeof(*x));
	x->now = NS_PER_S;
	say(x, CLIENT, TCP_SYN, 100, 0);
	x->now += 9 * NS_PER_MS;
	say(x, SERVER, TCP_SYN | TCP_ACK, 500, 0);
	x->now += 4 * NS_PER_MS;
	say(x, CLIENT, TCP_ACK, 101, 0);
}

static void
test_handshake(void **state)
{
	struct fixture x;

	(void)state;
	open_connection(&x);
	assert_in_range(tcp_handshake(&x.t, &x.seen, SERVER), 10000, 10001);
	assert_in_range(tcp_handshake(&x.t, &x.seen, CLIENT), 5000, 5001);
	assert_int_equal(x.state, FLOW_ESTABLISHED);
	say(&x, CLIENT, TCP_PSH | TCP_ACK, 101, 50);
	say(&x, SERVER, TCP_ACK, 501, 1000);
	say(&x, SERVER, TCP_ACK, 1501, 1000);
	assert_int_equal(x.t.retransmissions[0] + x.t.retransmissions[1], 0);
	assert_int_equal(x.t.out_of_order[1] + x.t.lost[1], 0);
	assert_int_equal(x.seen.flags[CLIENT], TCP_SYN | TCP_ACK | TCP_PSH);
}

static void
test_retransmission(void **state)
{
	struct fixture x;

	(void)state;
	open_connection(&x);
	say(&x, CLIENT, TCP_ACK, 101, 50);
	say(&x, CLIENT, TCP_ACK, 101, 50);
	assert_int_equal(x.t.retransmissions[CLIENT], 1);
	say(&x, CLIENT, TCP_ACK, 101, 100); /* old and new together */
	assert_int_equal(x.t.retransmissions[CLIENT], 2);
	say(&x, CLIENT, TCP_ACK, 201, 10);
	assert_int_equal(x.t.retransmissions[CLIENT], 2);
	say(&x, CLIENT, TCP_ACK, 210, 1); /* keep-alive */
	assert_int_equal(x.t.retransmissions[CLIENT], 2);
}

static void
test_out_of_order(void **state)
{
	struct fixture x;

	(void)state;
	open_connection(&x);
	say(&x, SERVER, TCP_ACK, 501, 100);
	say(&x, SERVER, TCP_ACK, 701, 100); /* 601 is missing */
	assert_int_equal(x.t.lost[SERVER], 1);
	say(&x, SERVER, TCP_ACK, 601, 100); /* and comes 1 ms late */
	assert_int_equal(x.t.lost[SERVER], 0);
	assert_int_equal(x.t.out_of_order[SERVER], 1);
	assert_int_equal(x.t.retransmissions[SERVER], 0);
}

static void
test_lost_and_sent_again(void **state)
{
	struct fixture x;

	(void)state;
	open_connection(&x);
	say(&x, SERVER, TCP_ACK, 501, 100);
	say(&x, SERVER, TCP_ACK, 701, 100);
	x.now += 200 * NS_PER_MS;
	say(&x, SERVER, TCP_ACK, 601, 100);
	assert_int_equal(x.t.lost[SERVER], 1);
	assert_int_equal(x.t.out_of_order[SERVER], 0);
	assert_int_equal(x.t.retransmissions[SERVER], 1);
}

static void
test_sequence_numbers_wrap(void **state)
{
	struct fixture x;

	(void)state;
	memset(&x, 0, sizeof(x));
	x.now = NS_PER_S;
	say(&x, CLIENT, TCP_ACK, UINT32_MAX - 49, 100);
	say(&x, CLIENT, TCP_ACK, 50, 100);
	say(&x, CLIENT, TCP_ACK, 150, 100);
	assert_int_equal(x.t.lost[CLIENT] + x.t.retransmissions[CLIENT] + x.t.out_of_order[CLIENT], 0);
	say(&x, CLIENT, TCP_ACK, UINT32_MAX - 49, 100);
	assert_int_equal(x.t.retransmissions[CLIENT], 1);
}

static void
test_zero_window_counts_once(void **state)
{
	struct fixture x;
	struct packet k = { .tcp_flags = TCP_ACK, .seq = 501, .window = 0 };

	(void)state;
	open_connection(&x);
	for (unsigned i = 0; i < 3; i++)
		tcp_segment(&x.t, &x.seen, &x.state, &k, SERVER, x.now);
	assert_int_equal(x.t.zero_windows[SERVER], 1);
	say(&x, SERVER, TCP_ACK, 501, 0); /* opens */
	tcp_segment(&x.t, &x.seen, &x.state, &k, SERVER, x.now);
	assert_int_equal(x.t.zero_windows[SERVER], 2);
}

/* Counters are as wide as a slice needs: who keeps them is told before one overflows. */
static void
test_full_counters_are_said(void **state)
{
	struct fixture x;

	(void)state;
	open_connection(&x);
	say(&x, CLIENT, TCP_ACK, 101, 50);
	for (unsigned i = 0; i < UINT16_MAX; i++) {
		assert_false(x.seen.measured & TCP_FULL);
		say(&x, CLIENT, TCP_ACK, 101, 50);
	}
	assert_int_equal(x.t.retransmissions[CLIENT], UINT16_MAX);
	assert_true(x.seen.measured & TCP_FULL);
	tcp_next_slice(&x.t, &x.seen);
	assert_false(x.seen.measured & TCP_FULL);
	assert_int_equal(x.t.retransmissions[CLIENT], 0);
	assert_int_equal(x.seen.flags[CLIENT], 0);
	assert_in_range(tcp_handshake(&x.t, &x.seen, SERVER), 10000, 10001);
	assert_in_range(tcp_handshake(&x.t, &x.seen, CLIENT), 5000, 5001);
	say(&x, CLIENT, TCP_ACK, 101, 50);
	assert_int_equal(x.t.retransmissions[CLIENT], 1);
}

static void
test_states(void **state)
{
	struct fixture x;

	(void)state;
	open_connection(&x);
	say(&x, CLIENT, TCP_FIN | TCP_ACK, 101, 0);
	assert_int_equal(x.state, FLOW_CLOSING);
	say(&x, SERVER, TCP_FIN | TCP_ACK, 501, 0);
	assert_int_equal(x.state, FLOW_CLOSED);
	say(&x, CLIENT, TCP_ACK, 102, 0);
	assert_int_equal(x.state, FLOW_CLOSED);
	open_connection(&x);
	say(&x, SERVER, TCP_RST, 501, 0);
	assert_int_equal(x.state, FLOW_RESET);
}

static void
test_reuse(void **state)
{
	struct packet again = { .tcp_flags = TCP_SYN, .seq = 100 },
		      other = { .tcp_flags = TCP_SYN, .seq = 9000 };
	struct fixture x;

	(void)state;
	open_connection(&x);
	assert_false(tcp_is_reuse(&x.t, &x.seen, x.state, &again, CLIENT)); /* the same SYN, sent again */
	assert_true(tcp_is_reuse(&x.t, &x.seen, x.state, &other, CLIENT));
	other.tcp_flags = TCP_SYN | TCP_ACK;
	assert_false(tcp_is_reuse(&x.t, &x.seen, x.state, &other, CLIENT));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_retransmission),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_lost_and_sent_again),
		cmocka_unit_test(test_sequence_numbers_wrap),
		cmocka_unit_test(test_zero_window_counts_once),
		cmocka_unit_test(test_full_counters_are_said),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_reuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
