/*
 * A crowd of TLS clients for script/bench http, in the network namespace that it is started in:
 *
 *   bench_crowd listen PORT CLIENTS     each asks for /api/v1/live, and takes what comes off the wire
 *   bench_crowd dawdle PORT CLIENTS     each sends a byte of its request a second; as one goes, another comes
 *
 * The first line of its input is the Cookie header. It says "there" once all are connected and, when its
 * input ends, how many of them the server had ended.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX    19000
#define GREETING_MAX   64 /* handshakes at a time: the server is to be measured, not its queue */
#define EVENTS         256
#define TICK_MS        20
#define TICKS_A_SECOND (1000 / TICK_MS)

enum state { AWAY, GREETING, ASKED, LISTENING, DAWDLING };

struct client {
	int fd;
	SSL *ssl;
	enum state state;
};

struct crowd {
	bool dawdles;
	uint16_t port;
	unsigned n, here, greeting, ended;
	bool told;
	int epoll;
	SSL_CTX *ctx;
	char request[2048];
	struct client client[CLIENTS_MAX];
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
leave(struct crowd *c, struct client *k)
{
	c->greeting -= k->state == GREETING;
	c->here -= k->state >= LISTENING;
	c->ended += k->state >= LISTENING && c->told;
	SSL_free(k->ssl);
	(void)close(k->fd);
	*k = (struct client){ .fd = -1 };
}

static void
come(struct crowd *c, struct client *k)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(c->port) };
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = k };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	k->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (k->fd == -1)
		die("socket");
	if (connect(k->fd, (const struct sockaddr *)&to, sizeof(to)) == -1 && errno != EINPROGRESS)
		die("connect");
	k->ssl = SSL_new(c->ctx);
	if (k->ssl == NULL || SSL_set_fd(k->ssl, k->fd) != 1)
		die("SSL_new");
	SSL_set_connect_state(k->ssl);
	k->state = GREETING;
	c->greeting++;
	if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, k->fd, &e) == -1)
		die("epoll_ctl");
}

static bool
waits(struct client *k, int rc)
{
	int why = SSL_get_error(k->ssl, rc);

	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

/* From now on it takes bytes without looking at them: a client's memory is not what is measured. */
static void
listen_on(struct crowd *c, struct client *k)
{
	SSL_free(k->ssl);
	k->ssl = NULL;
	k->state = LISTENING;
	c->here++;
}

static void
greet(struct crowd *c, struct client *k)
{
	int rc = SSL_do_handshake(k->ssl);

	if (rc != 1) {
		if (!waits(k, rc))
			leave(c, k);
		return;
	}
	c->greeting--;
	k->state = c->dawdles ? DAWDLING : ASKED;
	c->here += c->dawdles;
	if (!c->dawdles && SSL_write(k->ssl, c->request, (int)strlen(c->request)) <= 0)
		leave(c, k);
}

static void
on_event(struct crowd *c, struct client *k)
{
	static char sink[65536];
	ssize_t n;

	if (k->state == GREETING)
		greet(c, k);
	if (k->state == ASKED || k->state == DAWDLING) {
		int rc = SSL_read(k->ssl, sink, sizeof(sink));

		if (rc <= 0) {
			if (!waits(k, rc))
				leave(c, k);
			return;
		}
		if (k->state == ASKED && memcmp(sink, "HTTP/1.1 200", 12) != 0) {
			fprintf(stderr, "%.*s\n", 200, sink);
			exit(1);
		}
		if (k->state == ASKED)
			listen_on(c, k);
	}
	if (k->state != LISTENING)
		return;
	while ((n = read(k->fd, sink, sizeof(sink))) > 0)
		;
	if (n == 0 || errno != EAGAIN)
		leave(c, k);
}

/* Those whose turn it is send a byte. */
static void
dawdle(struct crowd *c)
{
	static unsigned tick;
	unsigned turn = tick++ % TICKS_A_SECOND;

	for (unsigned i = turn; i < c->n; i += TICKS_A_SECOND) {
		struct client *k = &c->client[i];
		int rc = k->state != DAWDLING ? 1 : SSL_write(k->ssl, i % 2 == 0 ? "G" : "\r", 1);

		if (rc <= 0 && !waits(k, rc))
			leave(c, k);
	}
}

static void
tell(struct crowd *c)
{
	if (c->told || c->here < c->n)
		return;
	c->told = true;
	puts("there");
	(void)fflush(stdout);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
run(struct crowd *c)
{
	struct epoll_event e[EVENTS];
	int64_t next = now_ms();

	for (;;) {
		int n;

		/* Listeners who were ended stay away: how many is what is asked. */
		for (unsigned i = 0; i < c->n && c->greeting < GREETING_MAX; i++)
			if (c->client[i].state == AWAY && (c->dawdles || !c->told))
				come(c, &c->client[i]);
		n = epoll_wait(c->epoll, e, EVENTS, TICK_MS);
		for (int i = 0; i < n; i++) {
			if (e[i].data.ptr == NULL)
				return;
			on_event(c, e[i].data.ptr);
		}
		for (; c->dawdles && now_ms() >= next; next += TICK_MS)
			dawdle(c);
		tell(c);
	}
}

int
main(int argc, char **argv)
{
	static struct crowd c;
	struct epoll_event input = { .events = EPOLLIN };
	char cookie[1024] = "";

	if (argc != 4 || (strcmp(argv[1], "listen") != 0 && strcmp(argv[1], "dawdle") != 0)) {
		fprintf(stderr, "bench_crowd listen|dawdle PORT CLIENTS\n");
		return 64;
	}
	c.dawdles = strcmp(argv[1], "dawdle") == 0;
	c.port = (uint16_t)strtoul(argv[2], NULL, 10);
	c.n = (unsigned)strtoul(argv[3], NULL, 10);
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	if (c.n < 1 || c.n > CLIENTS_MAX || fgets(cookie, sizeof(cookie), stdin) == NULL)
		return 64;
	cookie[strcspn(cookie, "\n")] = '\0';
	(void)snprintf(c.request, sizeof(c.request),
		       "GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n\r\n", cookie);
	(void)signal(SIGPIPE, SIG_IGN);
	c.ctx = SSL_CTX_new(TLS_client_method());
	c.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c.ctx == NULL || c.epoll == -1 || epoll_ctl(c.epoll, EPOLL_CTL_ADD, 0, &input) == -1)
		die("epoll");
	SSL_CTX_set_verify(c.ctx, SSL_VERIFY_NONE, NULL); /* of a server that we started ourselves */
	SSL_CTX_set_mode(c.ctx, SSL_MODE_RELEASE_BUFFERS);
	for (unsigned i = 0; i < c.n; i++)
		c.client[i].fd = -1;
	run(&c);
	printf("%u\n", c.ended);
	return 0;
}
