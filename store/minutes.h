/*
 * Series that are not worth a point each second: once a minute, in steps that nothing waits for, what hosts
 * counted since is taken and becomes the minute of hosts, networks, autonomous systems and countries;
 * exporters add as their flows come (their interfaces by the second); Weir's own counters are looked at.
 */
#ifndef WEIR_STORE_MINUTES_H
#define WEIR_STORE_MINUTES_H

#include "store.h"

/* Counted once in each minute that store was there: its series is for everybody. */
#define MINUTES_RUNNING "store.running"

struct minutes *minutes_new(struct store *s);
void minutes_free(struct minutes **m);

/* UTC minute of now: where only files are read, of their newest second. Never 0. */
uint32_t minutes_now(const struct store *s);
/* Traffic has come to this second. Where only files are read, a minute that is over is taken at once. */
void minutes_clock(struct store *s, int64_t second);
/* A step, where one is due. True: there is more to do. */
bool minutes_turn(struct store *s);
/* All that is left, as far as the open batch has room. False: once it is written there is more. */
bool minutes_flush(struct store *s);

/* What a host counted for which there was no row. */
void minutes_unkept(struct store *s, const struct host_key *k, int share, const struct host_told *d);

/* Traffic of a second that an exporter told of: v as the tenant sees it, sent by the flow's [CLIENT],
 * [SERVER]. */
struct exported {
	struct ip_addr exporter;
	uint32_t in_interface, out_interface; /* 0 unknown */
};
void minutes_exported(struct store *s, uint32_t tenant, const struct exported *x,
		      const struct series_value *v, const struct flow_counters *sent, int64_t second);
/* A batch is on disk. */
void minutes_committed(struct store *s);

#endif
