#include "redirect.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/mem.h"
#include "guard.h"

#define GUESTS_MAX 64
#define HEAD_MAX   8192
#define TARGET_MAX 2048
#define HOST_MAX   262

struct guest {
	TAILQ_ENTRY(guest) entry; /* by arrival */
	struct redirect *set;
	struct bufferevent *bev;
	struct event *deadline;
	bool answered;
};

struct redirect {
	struct event_base *base;
	struct evconnlistener *listener;
	unsigned https_port;
	size_t n;
	TAILQ_HEAD(, guest) guests;
};

/* --- the answer
 * -------------------------------------------------------------------------------------------------------- */

static size_t
refuse(char out[static REDIRECT_ANSWER_MAX])
{
	static const char answer[] =
	    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

	memcpy(out, answer, sizeof(answer));
	return sizeof(answer) - 1;
}

/* The next line without its end; NULL at the end of the head. */
static const char *
next_line(const char **at, const char *end, size_t *len)
{
	const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));

	if (stop == NULL)
		return NULL;
	*at = stop + 1;
	*len = (size_t)(stop - line);
	if (*len > 0 && line[*len - 1] == '\r')
		(*len)--;
	return line;
}

/* "GET /path HTTP/1.1": the path, in visible ASCII. */
static bool
take_target(const char *line, size_t len, char target[static TARGET_MAX])
{
	const char *start = memchr(line, ' ', len), *stop;
	size_t n;

	if (start == NULL)
		return false;
	start++;
	stop = memchr(start, ' ', len - (size_t)(start - line));
	if (stop == NULL || (size_t)(line + len - stop) < 6 || memcmp(stop, " HTTP/", 6) != 0)
		return false;
	n = (size_t)(stop - start);
	if (n < 1 || n >= TARGET_MAX || start[0] != '/')
		return false;
	for (size_t i = 0; i < n; i++)
		if (start[i] <= 0x20 || start[i] >= 0x7f)
			return false;
	memcpy(target, start, n);
	target[n] = '\0';
	return true;
}

/* "Host: name[:port]": the name alone. */
static bool
take_host(const char *line, size_t len, char host[static HOST_MAX])
{
	char *port;
	size_t at = 5;

	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	if (len - at < 1 || len - at >= HOST_MAX || memchr(line + at, 0, len - at) != NULL)
		return false;
	memcpy(host, line + at, len - at);
	host[len - at] = '\0';
	if (!host_is_valid(host))
		return false;
	port = strrchr(host, ':');
	if (port != NULL && strchr(port, ']') == NULL)
		*port = '\0';
	return true;
}

size_t
redirect_answer(const char *head, size_t len, unsigned https_port, char out[static REDIRECT_ANSWER_MAX])
{
	const char *at = head, *line;
	char target[TARGET_MAX], host[HOST_MAX] = "", port[8] = "";
	unsigned hosts = 0;
	size_t n;
	int made;

	line = next_line(&at, head + len, &n);
	if (line == NULL || !take_target(line, n, target))
		return refuse(out);
	while ((line = next_line(&at, head + len, &n)) != NULL && n > 0) {
		if (n < 5 || strncasecmp(line, "host:", 5) != 0)
			continue;
		if (hosts++ > 0 || !take_host(line, n, host))
			return refuse(out);
	}
	if (hosts != 1)
		return refuse(out);
	if (https_port != 443)
		(void)snprintf(port, sizeof(port), ":%u", https_port);
	made = snprintf(out, REDIRECT_ANSWER_MAX,
			"HTTP/1.1 308 Permanent Redirect\r\nLocation: https://%s%s%s\r\nContent-Length: "
			"0\r\nConnection: close\r\n\r\n",
			host, port, target);
	return made > 0 && made < REDIRECT_ANSWER_MAX ? (size_t)made : refuse(out);
}

/* --- connections
 * ------------------------------------------------------------------------------------------------------- */

static void
guest_free(struct guest *g)
{
	struct redirect *r = g->set;

	TAILQ_REMOVE(&r->guests, g, entry);
	r->n--;
	event_free(g->deadline);
	bufferevent_free(g->bev);
	free(g);
}

static void
on_readable(struct bufferevent *bev, void *arg)
{
	struct guest *g = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	char out[REDIRECT_ANSWER_MAX];
	size_t len = evbuffer_get_length(in), n;

	if (end.pos == -1 && len < HEAD_MAX)
		return;
	if (end.pos != -1)
		len = (size_t)end.pos + 4;
	n = redirect_answer((const char *)evbuffer_pullup(in, (ev_ssize_t)len), len, g->set->https_port, out);
	(void)bufferevent_disable(bev, EV_READ);
	g->answered = true;
	if (bufferevent_write(bev, out, n) == -1)
		guest_free(g);
}

static void
on_written(struct bufferevent *bev, void *arg)
{
	struct guest *g = arg;

	(void)bev;
	if (g->answered)
		guest_free(g);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	guest_free(arg);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	guest_free(arg);
}

static void
on_guest(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	static const struct timeval patience = { 5, 0 };
	struct redirect *r = arg;
	struct guest *g = mem_calloc(1, sizeof(*g));

	(void)listener;
	(void)sa;
	(void)len;
	if (r->n >= GUESTS_MAX)
		guest_free(TAILQ_FIRST(&r->guests));
	g->set = r;
	g->bev = bufferevent_socket_new(r->base, fd, BEV_OPT_CLOSE_ON_FREE);
	g->deadline = event_new(r->base, -1, 0, on_deadline, g);
	if (g->bev == NULL || g->deadline == NULL || event_add(g->deadline, &patience) == -1)
		fatalx("no memory for a connection");
	TAILQ_INSERT_TAIL(&r->guests, g, entry);
	r->n++;
	bufferevent_setcb(g->bev, on_readable, on_written, on_event, g);
	bufferevent_setwatermark(g->bev, EV_READ, 0, HEAD_MAX);
	if (bufferevent_enable(g->bev, EV_READ | EV_WRITE) == -1)
		guest_free(g);
}

static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)listener;
	(void)arg;
}

struct redirect *
redirect_new(struct event_base *base, int listener, unsigned https_port)
{
	struct redirect *r = mem_calloc(1, sizeof(*r));

	r->base = base;
	r->https_port = https_port;
	TAILQ_INIT(&r->guests);
	if (evutil_make_socket_nonblocking(listener) == -1)
		fatal("cannot use the listening socket at descriptor %d", listener);
	r->listener = evconnlistener_new(base, on_guest, r, LEV_OPT_CLOSE_ON_EXEC, 0, listener);
	if (r->listener == NULL)
		fatalx("no memory for the HTTP port");
	evconnlistener_set_error_cb(r->listener, on_accept_error);
	return r;
}

void
redirect_stop(struct redirect *r)
{
	if (r != NULL)
		(void)evconnlistener_disable(r->listener);
}

bool
redirect_busy(const struct redirect *r)
{
	return r != NULL && r->n > 0;
}

void
redirect_free(struct redirect **r)
{
	struct guest *g, *next;

	if (*r == NULL)
		return;
	for (g = TAILQ_FIRST(&(*r)->guests); g != NULL; g = next) {
		next = TAILQ_NEXT(g, entry);
		guest_free(g);
	}
	evconnlistener_free((*r)->listener);
	free(*r);
	*r = NULL;
}
