/* Connections that dial opens for others: to where it may, within a time, and to nobody who is gone. */
#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "connect.h"
#include "resolver.h"

static struct settings settings;
static struct event_base *base;
static struct resolver *resolver;
static struct connector *connector;
static struct {
	unsigned n;
	uint64_t ticket;
	int fd;
	char why[200];
	bool refused;
} heard;

static void
allow(const char *text)
{
	(void)strncpy(settings.dial_allow.item[settings.dial_allow.n++], text,
		      sizeof(settings.dial_allow.item[0]) - 1);
}

static int
setup(void **state)
{
	(void)state;
	settings_default(&settings);
	memset(&heard, 0, sizeof(heard));
	base = event_base_new();
	resolver = resolver_new(base, &settings);
	connector = connector_new(base, resolver, &settings);
	return base == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	connector_free(&connector);
	resolver_free(&resolver);
	event_base_free(base);
	return 0;
}

static void
hear(void *ctx, uint64_t ticket, int fd, const struct ip_addr *ip, const char *why, bool refused)
{
	(void)ctx;
	(void)ip;
	heard.n++;
	heard.ticket = ticket;
	heard.fd = fd;
	heard.refused = refused;
	(void)strncpy(heard.why, why, sizeof(heard.why) - 1);
	event_base_loopbreak(base);
}

static int
listening(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd != -1 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 1) == 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void
may(const char *text, bool allowed)
{
	struct ip_addr ip;

	assert_true(ip_parse(text, &ip));
	assert_int_equal(connect_allowed(&settings, &ip), allowed);
}

static void
addresses_are_held_against_the_settings(void **state)
{
	(void)state;
	may("192.0.2.1", true);
	may("2001:db8::1", true);
	may("127.0.0.1", false);
	may("127.8.0.1", false);
	may("::1", false);
	may("0.0.0.0", false);
	may("::", false);
	may("169.254.169.254", false);
	may("fe80::1", false);
	may("::ffff:127.0.0.1", false);
	may("224.0.0.1", false);
	allow("127.0.0.1/32");
	may("127.0.0.1", true);
	may("127.0.0.2", false);
	allow("224.0.0.0/4");
	may("224.0.0.1", false); /* never */
	settings.dial_refuse.n = 1;
	(void)strncpy(settings.dial_refuse.item[0], "10.0.0.0/8", sizeof(settings.dial_refuse.item[0]) - 1);
	may("10.1.2.3", false);
	may("169.254.169.254", true); /* a list of one's own replaces ours */
}

static void
what_is_refused_is_not_dialled(void **state)
{
	uint16_t port;
	int fd = listening(&port);

	(void)state;
	assert_true(connector_open(connector, "127.0.0.1", port, 1000, 7, hear, NULL));
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.ticket, 7);
	assert_int_equal(heard.fd, -1);
	assert_non_null(strstr(heard.why, "dial.refuse"));
	assert_true(heard.refused);
	close(fd);
}

static void
a_connection_is_handed_over(void **state)
{
	uint16_t port;
	int fd = listening(&port), there;
	char c = 0;

	(void)state;
	allow("127.0.0.1/32");
	assert_true(connector_open(connector, "127.0.0.1", port, 5000, 8, hear, NULL));
	while (heard.n == 0)
		assert_int_not_equal(event_base_loop(base, EVLOOP_ONCE), -1);
	assert_int_not_equal(heard.fd, -1);
	there = accept(fd, NULL, NULL);
	assert_true(there != -1 && write(there, "x", 1) == 1);
	while (read(heard.fd, &c, 1) != 1) {
	}
	assert_int_equal(c, 'x');
	close(there);
	close(heard.fd);
	close(fd);
	/* Nobody listens there now. */
	heard.n = 0;
	assert_true(connector_open(connector, "127.0.0.1", port, 5000, 9, hear, NULL));
	while (heard.n == 0)
		assert_int_not_equal(event_base_loop(base, EVLOOP_ONCE), -1);
	assert_int_equal(heard.fd, -1);
	assert_non_null(strstr(heard.why, "refused"));
	assert_false(heard.refused); /* not by a rule of ours */
}

static void
who_is_gone_is_not_called(void **state)
{
	uint16_t port;
	int fd = listening(&port);

	(void)state;
	allow("127.0.0.1/32");
	for (uint64_t i = 1; i <= 200; i++) { /* more than can be under way */
		assert_true(connector_open(connector, "127.0.0.1", port, 5000, i, hear, NULL));
		connector_cancel(connector, i);
	}
	assert_true(connector_open(connector, "127.0.0.1", port, 5000, 1, hear, NULL));
	connector_cancel_all(connector);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(heard.n, 0);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(addresses_are_held_against_the_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_refused_is_not_dialled, setup, teardown),
		cmocka_unit_test_setup_teardown(a_connection_is_handed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_gone_is_not_called, setup, teardown),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
