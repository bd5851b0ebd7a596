/* msg.def: directions, sizes, descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ipc/msg.h"
#include "ipc/wire.h"

static void
rules_hold(void **state)
{
	(void)state;
	assert_true(msg_admit(MSG_LOGIN, PROC_HTTPD, PROC_AUTHD, sizeof(struct wire_login), 0));
	assert_false(msg_admit(MSG_LOGIN, PROC_ENGINE, PROC_AUTHD, sizeof(struct wire_login), 0));
	assert_false(msg_admit(MSG_LOGIN, PROC_HTTPD, PROC_STORE, sizeof(struct wire_login), 0));
	assert_false(msg_admit(MSG_LOGIN, PROC_HTTPD, PROC_AUTHD, sizeof(struct wire_login) - 1, 0));
	assert_false(msg_admit(MSG_LOGIN, PROC_HTTPD, PROC_AUTHD, sizeof(struct wire_login) + 1, 0));
	assert_false(msg_admit(MSG_LOGIN, PROC_HTTPD, PROC_AUTHD, sizeof(struct wire_login), 1));
	assert_true(msg_admit(MSG_PACKET_RING, PROC_CAPTURE, PROC_ENGINE, sizeof(struct wire_ring_offer), 1));
	assert_false(
	    msg_admit(MSG_PACKET_RING, PROC_CAPTURE, PROC_ENGINE, sizeof(struct wire_ring_offer), 0));
	assert_false(msg_admit(MSG_COUNT, PROC_HTTPD, PROC_AUTHD, 0, 0));
	assert_false(msg_admit(UINT32_MAX, PROC_HTTPD, PROC_AUTHD, 0, 0));
}

/* The table that a reviewer reads: which process may say anything at all to which. */
static void
doors_are_the_ones_of_the_house(void **state)
{
	static const struct {
		enum proc from, to;
	} doors[] = {
		{ PROC_CAPTURE, PROC_ENGINE }, { PROC_ENGINE, PROC_CAPTURE },  { PROC_ENGINE, PROC_ENGINE },
		{ PROC_ENGINE, PROC_STORE },   { PROC_STORE, PROC_ENGINE },    { PROC_AUTHD, PROC_STORE },
		{ PROC_STORE, PROC_AUTHD },    { PROC_HTTPD, PROC_AUTHD },     { PROC_AUTHD, PROC_HTTPD },
		{ PROC_HTTPD, PROC_STORE },    { PROC_STORE, PROC_HTTPD },     { PROC_WEIR, PROC_AUTHD },
		{ PROC_AUTHD, PROC_WEIR },     { PROC_WEIR, PROC_STORE },      { PROC_STORE, PROC_WEIR },
		{ PROC_WEIR, PROC_ENGINE },    { PROC_STORE, PROC_DIAL },      { PROC_DIAL, PROC_STORE },
		{ PROC_WEIR, PROC_HTTPD },     { PROC_AUTHD, PROC_DIRECTORY }, { PROC_DIRECTORY, PROC_AUTHD },
		{ PROC_DIRECTORY, PROC_DIAL }, { PROC_DIAL, PROC_DIRECTORY },  { PROC_HTTPD, PROC_KEY },
		{ PROC_KEY, PROC_HTTPD },      { PROC_WEIR, PROC_KEY },        { PROC_KEY, PROC_WEIR }
	};

	(void)state;
	for (uint32_t id = 0; id < MSG_COUNT; id++) {
		const struct msg_rule *r = msg_rule((enum msg_id)id);
		size_t i = 0;

		if (id == MSG_HELLO)
			continue;
		while (i < sizeof(doors) / sizeof(doors[0]) &&
		       (doors[i].from != r->from || doors[i].to != r->to))
			i++;
		if (i == sizeof(doors) / sizeof(doors[0]))
			fail_msg("%s goes from %s to %s", msg_name((enum msg_id)id), proc_name(r->from),
				 proc_name(r->to));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_hold),
		cmocka_unit_test(doors_are_the_ones_of_the_house),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
