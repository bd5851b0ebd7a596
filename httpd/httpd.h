/* What the files of weir-httpd share: the one context, passed to whoever needs it. */
#ifndef WEIR_HTTPD_HTTPD_H
#define WEIR_HTTPD_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ipc/boot.h"
#include "ipc/counting.h"

struct asks;
struct clients;
struct exports;
struct event;
struct event_base;
struct evconnlistener;
struct evhttp;
struct inquiry;
struct live;
struct peers;
struct redirect;
struct sessions;
struct tally;
struct tls;
struct zip;

#define HELD_MAX (256u << 20) /* of all workers: each has its part */

struct httpd {
	const struct boot *boot;
	struct event_base *base;
	struct peers *peers;
	struct tls *tls;
	struct zip *zip;
	struct tally *tally;
	struct clients *clients;
	struct evhttp *http;
	struct asks *asks;
	struct sessions *sessions;
	struct live *live;
	struct exports *exports;
	struct redirect *redirect;
	struct evconnlistener *listener;
	TAILQ_HEAD(, inquiry) watched; /* inquiries whose clients may leave */
	struct event *watch;
	struct event *rotation, *drain, *sigterm, *tick;
	struct process_counters counters;
	unsigned drain_steps;
	size_t held, held_max;       /* bytes of answers that wait for their rest */
	int64_t down_ns[PROC_COUNT]; /* UTC since when a peer is away; 0: it is there */
	int64_t started_ns;          /* clock_boot_ns */
	bool serving;                /* the port is open, where nothing is in the way */
	bool draining;               /* SIGTERM came: finish, take nothing new */
	uint64_t sign_ticket;        /* of the last handshake that key was asked to sign; */
	bool key_late;               /* it has not answered that one in time, and not yet */
};

/* serve.c: connects to the peers, and hands what they send to the asks that wait for it. */
void serve_open(struct httpd *h);
/* Whether a peer can be asked now. */
bool serve_has(const struct httpd *h, enum proc proc);

#endif
