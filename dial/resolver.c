#include "resolver.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

#define DNS_PORT     53
#define CACHE_ROWS   8192 /* a power of two */
#define LIFE_LEAST_S 60
#define LIFE_MOST_S  86400
#define LIFE_NONE_S  600 /* of "it has no name" */
#define ANEW_S       5   /* after this long with questions the sockets are made anew */

/* What was answered of an address: the newest of those that share its place. */
struct cached {
	struct ip_addr ip;
	int64_t until_ns; /* clock_boot_ns; 0: empty */
	uint8_t len;
	char name[RESOLVED_MAX];
};

struct ask {
	struct resolver *r;
	struct evdns_request *request; /* NULL: free */
	struct ip_addr ip;
	uint64_t ticket;
	resolved_fn *fn;
	void *ctx;
};

struct resolver {
	struct event_base *base;
	struct evdns_base *dns;
	struct event *anew;
	const struct settings *settings;
	uint64_t seed;
	bool used; /* since the sockets were made */
	struct cached *cache;
	struct ask ask[RESOLVER_ASKS];
};

/* --- names --- */

/* An address written as a name (in-addr.arpa, ip6.arpa) names nothing. */
static bool
is_reverse(const char *name, size_t len)
{
	static const char end[] = ".arpa";

	return len >= sizeof(end) - 1 && strcmp(name + len - (sizeof(end) - 1), end) == 0;
}

size_t
resolved_name(const char *text, char out[static RESOLVED_MAX + 1])
{
	size_t len = strnlen(text, RESOLVED_MAX + 2);

	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len == 0 || len > RESOLVED_MAX || text[0] == '.')
		return 0;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!(isascii(c) && isalnum(c)) && strchr("-_.", c) == NULL)
			return 0;
		if (c == '.' && text[i - 1] == '.')
			return 0;
		out[i] = (char)tolower(c);
	}
	out[len] = '\0';
	return is_reverse(out, len) ? 0 : len;
}

/* --- what was answered --- */

static struct cached *
place_of(struct resolver *r, const struct ip_addr *ip)
{
	return &r->cache[hash_bytes(ip, sizeof(*ip), r->seed) & (CACHE_ROWS - 1)];
}

static void
remember(struct resolver *r, const struct ip_addr *ip, const char *name, size_t len, int ttl_s)
{
	struct cached *c = place_of(r, ip);
	int64_t life_s = ttl_s < LIFE_LEAST_S ? LIFE_LEAST_S : ttl_s > LIFE_MOST_S ? LIFE_MOST_S : ttl_s;

	c->ip = *ip;
	c->until_ns = clock_boot_ns() + life_s * NS_PER_S;
	c->len = (uint8_t)len;
	memcpy(c->name, name, len);
}

static const struct cached *
remembered(struct resolver *r, const struct ip_addr *ip)
{
	const struct cached *c = place_of(r, ip);

	return c->until_ns > clock_boot_ns() && ip_equal(&c->ip, ip) ? c : NULL;
}

/* --- asking --- */

static void
on_answer(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct ask *a = arg;
	char name[RESOLVED_MAX + 1] = "";
	size_t len = 0;

	a->request = NULL;
	if (result == DNS_ERR_SHUTDOWN || result == DNS_ERR_CANCEL)
		return;
	if (result == DNS_ERR_NONE && type == DNS_PTR && count >= 1)
		len = resolved_name(((char **)addresses)[0], name);
	/* A server that does not answer may do so later: nothing is remembered of that. */
	if (result == DNS_ERR_NONE || result == DNS_ERR_NOTEXIST)
		remember(a->r, &a->ip, name, len, len > 0 ? ttl : LIFE_NONE_S);
	a->fn(a->ctx, a->ticket, name, len);
}

static struct evdns_request *
ask_servers(struct resolver *r, struct ask *a)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (ip_is_v4(&a->ip)) {
		memcpy(&v4, a->ip.b + 12, sizeof(v4));
		return evdns_base_resolve_reverse(r->dns, &v4, DNS_QUERY_NO_SEARCH, on_answer, a);
	}
	memcpy(&v6, a->ip.b, sizeof(v6));
	return evdns_base_resolve_reverse_ipv6(r->dns, &v6, DNS_QUERY_NO_SEARCH, on_answer, a);
}

bool
resolver_ask(struct resolver *r, const struct ip_addr *ip, uint64_t ticket, resolved_fn *fn, void *ctx)
{
	const struct cached *c = remembered(r, ip);
	struct ask *a = NULL;

	if (c != NULL) {
		fn(ctx, ticket, c->name, c->len);
		return true;
	}
	for (size_t i = 0; i < RESOLVER_ASKS && a == NULL; i++)
		if (r->ask[i].request == NULL)
			a = &r->ask[i];
	if (a == NULL)
		return false;
	*a = (struct ask){ .r = r, .ip = *ip, .ticket = ticket, .fn = fn, .ctx = ctx };
	a->request = ask_servers(r, a);
	if (a->request == NULL)
		fn(ctx, ticket, "", 0);
	else
		r->used = true;
	return true;
}

/* --- addresses of a name --- */

struct resolver_search {
	struct evdns_getaddrinfo_request *request;
	found_fn *fn; /* NULL: it was forgotten */
	void *ctx;
	bool begun, over;
};

static bool
address_of(const struct sockaddr *a, struct ip_addr *ip)
{
	if (a->sa_family == AF_INET) {
		struct sockaddr_in v4;
		uint8_t b[4];

		memcpy(&v4, a, sizeof(v4));
		memcpy(b, &v4.sin_addr, sizeof(b));
		*ip = ip_from_v4(b);
		return true;
	}
	if (a->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, a, sizeof(v6));
		memcpy(ip->b, &v6.sin6_addr, sizeof(ip->b));
		return true;
	}
	return false;
}

static void
on_found(int result, struct evutil_addrinfo *list, void *arg)
{
	struct resolver_search *s = arg;
	struct ip_addr ip[RESOLVER_ADDRESSES];
	size_t n = 0;

	for (struct evutil_addrinfo *a = result == 0 ? list : NULL; a != NULL && n < RESOLVER_ADDRESSES;
	     a = a->ai_next)
		if (address_of(a->ai_addr, &ip[n]))
			n++;
	if (list != NULL)
		evutil_freeaddrinfo(list);
	s->over = true;
	if (s->fn != NULL)
		s->fn(s->ctx, ip, n);
	if (s->begun)
		free(s);
}

struct resolver_search *
resolver_find(struct resolver *r, const char *host, found_fn *fn, void *ctx)
{
	const struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct resolver_search *s;
	struct ip_addr ip;

	if (ip_parse(host, &ip)) {
		fn(ctx, &ip, 1);
		return NULL;
	}
	s = mem_calloc(1, sizeof(*s));
	s->fn = fn;
	s->ctx = ctx;
	s->request = evdns_getaddrinfo(r->dns, host, NULL, &hints, on_found, s);
	if (s->over) {
		free(s);
		return NULL;
	}
	s->begun = true;
	r->used = true;
	return s;
}

void
resolver_forget(struct resolver_search *s)
{
	s->fn = NULL;
	evdns_getaddrinfo_cancel(s->request);
}

/* --- servers --- */

static bool
add_server(struct resolver *r, const char *text)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	struct ip_addr ip;

	if (!ip_parse(text, &ip))
		return false;
	if (ip_is_v4(&ip)) {
		memcpy(&v4.sin_addr, ip.b + 12, sizeof(v4.sin_addr));
		return evdns_base_nameserver_sockaddr_add(r->dns, (struct sockaddr *)&v4, sizeof(v4), 0) == 0;
	}
	memcpy(&v6.sin6_addr, ip.b, sizeof(v6.sin6_addr));
	return evdns_base_nameserver_sockaddr_add(r->dns, (struct sockaddr *)&v6, sizeof(v6), 0) == 0;
}

static unsigned
add_servers(struct resolver *r)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < r->settings->nameservers.n; i++) {
		if (add_server(r, r->settings->nameservers.item[i]))
			n++;
		else
			log_warn("name server %s cannot be used", r->settings->nameservers.item[i]);
	}
	r->used = false;
	return n;
}

static void
on_anew(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;

	(void)fd;
	(void)what;
	if (!r->used)
		return;
	/* What is under way is asked again. */
	if (evdns_base_clear_nameservers_and_suspend(r->dns) != 0 ||
	    (add_servers(r) == 0 && r->settings->nameservers.n > 0) || evdns_base_resume(r->dns) != 0)
		fatalx("the sockets to the name servers cannot be made anew");
}

static void
on_log(int is_warning, const char *line)
{
	(void)is_warning; /* that a server is slow is no news of ours */
	log_debug("evdns: %s", line);
}

struct resolver *
resolver_new(struct event_base *base, const struct settings *s)
{
	static const struct timeval each = { ANEW_S, 0 };
	struct resolver *r = mem_calloc(1, sizeof(*r));

	evdns_set_log_fn(on_log);
	r->base = base;
	r->settings = s;
	r->cache = mem_calloc(CACHE_ROWS, sizeof(*r->cache));
	randombytes_buf(&r->seed, sizeof(r->seed));
	r->dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	r->anew = event_new(base, -1, EV_PERSIST, on_anew, r);
	if (r->dns == NULL || r->anew == NULL || event_add(r->anew, &each) == -1)
		fatalx("no resolver");
	if (evdns_base_set_option(r->dns, "timeout:", "3") != 0 ||
	    evdns_base_set_option(r->dns, "attempts:", "2") != 0 ||
	    evdns_base_set_option(r->dns, "max-inflight:", "64") != 0)
		fatalx("no resolver");
	if (add_servers(r) == 0)
		log_info("no name server: only names of /etc/hosts have addresses");
	(void)evdns_base_load_hosts(r->dns, "/etc/hosts");
	return r;
}

void
resolver_free(struct resolver **rp)
{
	struct resolver *r = *rp;

	if (r == NULL)
		return;
	event_free(r->anew);
	evdns_base_free(r->dns, 0);
	/* libevent ends requests in the next turn of the loop: none comes, and with the process all is gone.
	 */
	free(r->cache);
	free(r);
	*rp = NULL;
}
