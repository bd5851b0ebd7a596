/* A store in a directory of its own, with engines made of ring producers in this process, a policy of three
 * tenants, and askers who hold any grant that a test wants. */
#ifndef WEIR_TESTS_STORE_WORLD_H
#define WEIR_TESTS_STORE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/boot.h"
#include "ipc/ring.h"
#include "ipc/wire.h"
#include "policy/grant.h"
#include "policy/snapshot.h"
#include "store.h"

/* Observation points of the boot document. */
enum { ETH0 = 11, ETH1 = 12, FILE1 = 13 };
/* Tenants: alpha owns eth0 and the file; beta has 10.2.0.0/16 and gamma 10.3.0.0/16, both seen on eth1. */
enum { ALPHA = 1, BETA = 2, GAMMA = 3 };
/* Announced numbers of the engines. */
enum { APP_DNS = 5, APP_TLS = 7, CAT_WEB = 3, RISK_A = 2, RISK_B = 40, REASON_ARP = 4, PLACE_RING = 9 };

struct world {
	struct boot boot;
	struct store *s;
	char dir[64];
	uint8_t sign_public[32], sign_secret[64];
	struct ring_producer *ring[2];
	int64_t utc;            /* a full second in the recent past: what tests count from */
	uint32_t first_segment; /* numbers of its segments are above it, and below the next world's */
	uint64_t snapshot;
	uint64_t flows_per_s[4], retention_s[4], series[4],
	    keep_minutes_s[4];              /* quotas of the tenants, by number: for world_policy */
	const struct watched_item *watched; /* [nwatched], likewise; the caller's */
	size_t nwatched;
	/* The answer to the last question. */
	enum answer_status status;
	uint32_t row_kind, nrows;
	uint8_t *rows; /* lengths, structures and strings, as they came */
	size_t rows_len, rows_cap;
	bool has_cursor, complete;
	uint8_t cursor[CURSOR_MAX];
	uint16_t cursor_len;
	unsigned messages;
	size_t longest;
};

/* size: of the map; flags: BOOT_*. The store is open, has keys, snapshot and an empty set of grants. A
 * process has one working directory: of worlds that are there at once, that of the one which was opened last,
 * and the segments of all are in it. None commits while another is opened or freed. */
struct world *world_new(uint64_t size, uint32_t flags);
void world_free(struct world *w);
/* A history without a store, in the working directory, with names of its own; fails the test where it does
 * not open. Both are the caller's: history_close, names_free. */
struct history *world_history(const struct history_limits *l, struct names **names);
/* All in the working directory. */
void world_delete_files(void);
/* As a restart of store: what is on disk is all that stays. */
void world_reopen(struct world *w);
void world_close(struct world *w);
void world_open(struct world *w);

/* The same policy anew, with narrowings. */
void world_policy(struct world *w, const struct narrowing *narrowings, size_t n);

/* An engine (0 or 1) offers a ring and announces its names. */
void world_engine(struct world *w, unsigned i, int64_t run);
void world_put(struct world *w, unsigned i, uint16_t kind, const void *rec, size_t len, const char *text);
/* Questions are worked on beside the loop from here on, and long ones in parts. */
void world_threads(struct world *w);
/* A turn of serve's loop, as far as questions go. */
void world_turn(struct world *w);
/* Takes all that was put. */
void world_pump(struct world *w);
/* Commits and asserts that it could. */
void world_commit(struct world *w);
/* What is kept becomes blocks of one tenant each: as if the hour of what came was over, so that the next
 * commit begins a new segment; and after it, waits until all before is merged. */
void world_hour(struct world *w);
void world_merged(struct world *w);
/* The minute is over: what is derived of it is taken and committed. */
void world_minute(struct world *w);
/* The clock's minute, UTC. Lists of series say what came in the newest whole one: answers that are compared
 * are of one minute, or are asked for anew. */
int64_t world_minute_now(void);

/* A flow of sequence number n from 10.A.0.host to server, with counters. */
struct rec_flow world_flow(const struct world *w, uint64_t n, uint32_t point, const char *client,
			   const char *server);

/* A grant for an asker (PROC_HTTPD, 0), live in the store. tenant TENANT_PLATFORM gives a platform
 * administrator. */
size_t world_grant(struct world *w, uint32_t tenant, uint8_t out[GRANT_BYTES_MAX]);
/* As it, changed by the caller before it is signed; live: whether store is told. */
size_t world_grant_as(struct world *w, struct grant *g, bool live, uint8_t out[GRANT_BYTES_MAX]);
struct grant world_grant_plain(struct world *w, uint32_t tenant);

struct wire_question world_question(enum question_kind kind);
enum answer_status world_ask(struct world *w, uint32_t tenant, const struct wire_question *q);
enum answer_status world_ask_with(struct world *w, const struct wire_question *q, const uint8_t *grant,
				  size_t len);
/* With a filter's wire form. */
enum answer_status world_ask_filtered(struct world *w, const struct wire_question *q, const uint8_t *grant,
				      size_t len, const void *filter, size_t filter_len);
/* The n-th row of the answer: its structure; *strings the bytes behind it. */
const void *world_row(const struct world *w, uint32_t n, size_t struct_size, const char **strings);

#endif
