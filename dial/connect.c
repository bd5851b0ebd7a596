#include "connect.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ipc/wire.h"
#include "resolver.h"

#define EACH_LEAST_MS 1000 /* of an address, before the next one's turn */

struct opening {
	struct connector *c;
	bool used;
	uint64_t ticket;
	connected_fn *fn;
	void *ctx;
	uint16_t port;
	int64_t deadline_ns; /* clock_boot_ns */
	struct resolver_search *search;
	struct ip_addr ip[RESOLVER_ADDRESSES];
	size_t n, next;
	int fd; /* that connects; or -1 */
	struct event *event, *late;
	char why[120]; /* the last one did not */
	bool refused;  /* by a rule: the last one */
};

struct connector {
	struct event_base *base;
	struct resolver *resolver;
	const struct settings *settings;
	struct opening opening[DIAL_ASKS];
};

/* --- where to --- */

static bool
is_in(const char (*item)[50], uint32_t n, const struct ip_addr *ip)
{
	struct ip_prefix p;

	for (uint32_t i = 0; i < n; i++)
		if (prefix_parse(item[i], &p) && prefix_contains(&p, ip))
			return true;
	return false;
}

bool
connect_allowed(const struct settings *s, const struct ip_addr *ip)
{
	static const char ours[][50] = { "127.0.0.0/8", "::/127", "0.0.0.0/8", "169.254.0.0/16",
					 "fe80::/10" };

	if (ip_is_multicast_or_broadcast(ip))
		return false;
	if (is_in(s->dial_allow.item, s->dial_allow.n, ip))
		return true;
	return s->dial_refuse.n > 0 ? !is_in(s->dial_refuse.item, s->dial_refuse.n, ip)
				    : !is_in(ours, ARRAY_LEN(ours), ip);
}

/* --- one after another --- */

static void
let_go(struct opening *o)
{
	if (o->search != NULL)
		resolver_forget(o->search);
	if (o->event != NULL)
		event_free(o->event);
	if (o->late != NULL)
		event_free(o->late);
	if (o->fd != -1)
		close(o->fd);
	*o = (struct opening){ .fd = -1 };
}

static void
end(struct opening *o, int fd, const struct ip_addr *ip)
{
	const struct opening was = *o;

	if (fd != -1)
		o->fd = -1;
	let_go(o);
	was.fn(was.ctx, was.ticket, fd, ip, was.why, was.refused);
}

static int
begin_connect(const struct ip_addr *ip, uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool is_v4 = ip_is_v4(ip);
	int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc, why;

	if (fd == -1)
		return -1;
	memcpy(&v4.sin_addr, ip->b + 12, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, ip->b, sizeof(v6.sin6_addr));
	rc = is_v4 ? connect(fd, (const struct sockaddr *)&v4, sizeof(v4))
		   : connect(fd, (const struct sockaddr *)&v6, sizeof(v6));
	if (rc == 0 || errno == EINPROGRESS)
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

static void next_address(struct opening *o);

static void
note(struct opening *o, const struct ip_addr *ip, const char *why)
{
	char text[IP_TEXT_MAX];

	(void)snprintf(o->why, sizeof(o->why), "%s port %u: %s", ip_format(ip, text), o->port, why);
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct opening *o = arg;
	const struct ip_addr ip = o->ip[o->next - 1];
	socklen_t len = sizeof(int);
	int why = 0;

	event_free(o->event);
	o->event = NULL;
	if ((what & EV_TIMEOUT) != 0)
		why = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) == -1)
		why = errno;
	if (why == 0) {
		end(o, fd, &ip);
		return;
	}
	note(o, &ip, strerror(why));
	close(fd);
	o->fd = -1;
	next_address(o);
}

/* What is left of the time, shared among the addresses that are left. */
static struct timeval
share_of(const struct opening *o)
{
	int64_t left_ms = (o->deadline_ns - clock_boot_ns()) / 1000000,
		share = left_ms / (int64_t)(o->n - o->next + 1);

	share = share < EACH_LEAST_MS ? EACH_LEAST_MS : share;
	return (struct timeval){ share / 1000, share % 1000 * 1000 };
}

static void
next_address(struct opening *o)
{
	struct timeval share;

	while (o->next < o->n) {
		const struct ip_addr *ip = &o->ip[o->next++];

		if (!connect_allowed(o->c->settings, ip)) {
			note(o, ip, "dial.refuse holds it");
			o->refused = true;
			continue;
		}
		o->refused = false;
		o->fd = begin_connect(ip, o->port);
		if (o->fd == -1) {
			note(o, ip, strerror(errno));
			continue;
		}
		share = share_of(o);
		o->event = event_new(o->c->base, o->fd, EV_WRITE, on_ready, o);
		if (o->event != NULL && event_add(o->event, &share) == 0)
			return;
		note(o, ip, "no room for another event");
		break;
	}
	end(o, -1, NULL);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct opening *o = arg;

	(void)fd;
	(void)what;
	if (o->n == 0)
		str_copy(o->why, sizeof(o->why), "no name server said in time which addresses it has");
	else
		note(o, &o->ip[o->next == 0 ? 0 : o->next - 1], strerror(ETIMEDOUT));
	end(o, -1, NULL);
}

static void
on_addresses(void *ctx, const struct ip_addr *ip, size_t n)
{
	struct opening *o = ctx;

	o->search = NULL;
	memcpy(o->ip, ip, n * sizeof(*ip));
	o->n = n;
	if (n == 0)
		str_copy(o->why, sizeof(o->why), "no address of that name is known");
	next_address(o);
}

/* --- for others --- */

struct connector *
connector_new(struct event_base *base, struct resolver *r, const struct settings *s)
{
	struct connector *c = mem_calloc(1, sizeof(*c));

	c->base = base;
	c->resolver = r;
	c->settings = s;
	for (size_t i = 0; i < DIAL_ASKS; i++)
		c->opening[i].fd = -1;
	return c;
}

void
connector_free(struct connector **c)
{
	if (*c == NULL)
		return;
	connector_cancel_all(*c);
	free(*c);
	*c = NULL;
}

bool
connector_open(struct connector *c, const char *host, uint16_t port, uint32_t timeout_ms, uint64_t ticket,
	       connected_fn *fn, void *ctx)
{
	const struct timeval most = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	struct resolver_search *search;
	struct opening *o = NULL;

	for (size_t i = 0; i < DIAL_ASKS && o == NULL; i++)
		if (!c->opening[i].used)
			o = &c->opening[i];
	if (o == NULL)
		return false;
	*o = (struct opening){ .c = c,
			       .used = true,
			       .ticket = ticket,
			       .fn = fn,
			       .ctx = ctx,
			       .port = port,
			       .fd = -1,
			       .deadline_ns = clock_boot_ns() + (int64_t)timeout_ms * 1000000 };
	o->late = evtimer_new(c->base, on_late, o);
	if (o->late == NULL || evtimer_add(o->late, &most) == -1) {
		let_go(o);
		return false;
	}
	/* It may be over, and its place another's, when this returns NULL. */
	search = resolver_find(c->resolver, host, on_addresses, o);
	if (search != NULL)
		o->search = search;
	return true;
}

void
connector_cancel(struct connector *c, uint64_t ticket)
{
	for (size_t i = 0; i < DIAL_ASKS; i++)
		if (c->opening[i].used && c->opening[i].ticket == ticket)
			let_go(&c->opening[i]);
}

void
connector_cancel_all(struct connector *c)
{
	for (size_t i = 0; i < DIAL_ASKS; i++)
		if (c->opening[i].used)
			let_go(&c->opening[i]);
}
