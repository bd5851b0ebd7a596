/*
 * The connections of browsers: how many there are in all and of one address, and how long each may take.
 * evhttp limits none of this. A connection that must go is shut down, and evhttp then frees it as if its
 * client had left.
 */
#ifndef WEIR_HTTPD_CLIENTS_H
#define WEIR_HTTPD_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct bufferevent;
struct client;
struct clients;
struct evconnlistener;
struct event_base;
struct tally;
struct tls;

/* What a connection is doing; each has its absolute deadline but CLIENT_LIVE, which live.c watches. */
enum client_state {
	CLIENT_READING,   /* the handshake, or a request of which bytes have come */
	CLIENT_ANSWERING, /* from the whole request to the last byte of the answer */
	CLIENT_IDLE,      /* between requests */
	CLIENT_LIVE,      /* a stream of events */
	CLIENT_STATES
};

struct clients_limits {
	size_t connections; /* of all workers */
	size_t of_address;  /* the same, of one IPv4 address or IPv6 /64 */
	size_t here;        /* of this process: what descriptors can be had for */
	int64_t idle_ms;    /* one that asks for nothing for so long is closed */
};

/* tally is the caller's and outlives them. */
struct clients *clients_new(struct event_base *base, struct tally *tally,
			    const struct clients_limits *limits);
/* Counts on without events, while the last connections go with their event base; then the rest. */
void clients_stop(struct clients *cs);
void clients_free(struct clients **cs);
/* Where connections come from: it is paused while too many come at once. NULL: from nowhere any more. */
void clients_listen(struct clients *cs, struct evconnlistener *listener);

/* Holds new ones back, in the kernel's queue, or lets them come: at first they are held. */
void clients_hold(struct clients *cs, bool hold);

/* A new connection, which is counted from now on; its bufferevent. */
struct bufferevent *clients_accept(struct clients *cs, struct tls *t);
/* The connection's memory goes: for tls_new. */
void clients_gone(void *client);

struct client *client_of(struct bufferevent *bev);
void client_enter(struct client *c, enum client_state state);
/* The client's address; false where it is gone or was cut off already. */
bool client_ip(struct client *c, struct ip_addr *ip);
/* Its socket: to be looked at, not read. */
int client_socket(const struct client *c);
/* Shuts the connection down; evhttp notices and frees it. */
void client_cut(struct client *c);

/* An answer of len bytes and its head come: makes room for them in one piece, where they are short. */
void client_expect(struct client *c, size_t len);
/* What waits to be sent, all of one answer: goes out at once, in one record, where it is short and nothing
 * else is in the way, and else as the client takes it. */
void client_push(struct client *c);

/* Cuts every connection that waits for nothing: at the end. */
void clients_cut_idle(struct clients *cs);
size_t clients_count(const struct clients *cs);

#endif
