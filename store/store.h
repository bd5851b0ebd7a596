/* The store as a whole: what its parts share. */
#ifndef WEIR_STORE_STORE_H
#define WEIR_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/local_networks.h"
#include "batch.h"
#include "components.h"
#include "devices.h"
#include "engine.h"
#include "grants.h"
#include "history.h"
#include "hosts.h"
#include "ipc/boot.h"
#include "known.h"
#include "own_counters.h"
#include "points.h"
#include "quota.h"
#include "recent.h"
#include "resolve.h"
#include "series_book.h"
#include "subjects.h"
#include "told_counters.h"
#include "writer.h"

#define STORE_ENGINES_MAX 16
#define STORE_THREADS_MAX 33 /* store.query_threads at most, and the one for what is short */

struct store {
	const struct boot *boot;
	int64_t now_ns; /* UTC, refreshed at each turn of the loop */
	int64_t now_boot_ns;

	struct names *names;
	struct history *history;
	struct writer *writer;
	struct jobs *jobs;      /* NULL in tests: what would run beside the loop is done at once */
	struct ask_task *tasks; /* questions that run there: ask_work.c */
	struct find *find[STORE_THREADS_MAX]; /* of each thread, by its number; NULL until it needs it */
	struct orders *orders;
	struct parked *parked;
	struct walks *walks;
	struct part_memories *part_memories;
	struct recents *recents;
	struct grants *grants;
	struct quotas quotas;
	/* Whose the flow is that is just about to begin: whose_admits has looked. */
	bool has_admitted;
	struct tenant_match admitted;

	struct points points;
	struct subjects *subjects;
	struct series_book *book;
	struct minutes *minutes;
	struct watched *watched;
	struct hosts *hosts;
	struct lru *known; /* known.h */
	struct places *places;
	struct lru *devices;
	struct as_names *as_names;
	struct vendors *vendors;
	struct resolve *resolve; /* NULL: nobody asks for names */
	struct engine *engine;   /* [nengines], by peer of the boot document */
	unsigned nengines;
	uint64_t rings; /* numbers given to rings */
	struct components components;
	struct own_counters counters;
	struct told_counters told;
	struct ip_prefix local[LOCAL_NETWORKS_MAX];
	uint32_t nlocal;
	uint32_t platform_total; /* subject: all frames of all points */

	/* commit.c */
	struct batch batch[2];
	struct batch *open,
	    *flight; /* being filled; being written or waiting for another attempt (NULL: none) */
	uint32_t generations;
	uint16_t names_saved[NAME_KIND_COUNT];
	int64_t last_commit_ns, retry_ns; /* clock_boot_ns */
	bool tidy_wanted; /* a commit is due even where there is nothing to write: the policy changed */
	bool degraded;
	char why[HISTORY_WHY_MAX]; /* of degraded, or of the last failed read */
	int64_t degraded_since_ns; /* UTC */
	uint64_t flows_stored;     /* slices on disk since we started */
	uint64_t packets_stored;   /* counted in them */

	/* What history says was applied before we started. */
	struct batch_applied *loaded;
	uint32_t nloaded;

	uint8_t cursor_key[32];
	struct peers *peers; /* NULL in tests */
};

/* Opens everything that has a file; dies with a sentence where it cannot. Call in the store's own directory,
 * before the sandbox. */
struct store *store_new(const struct boot *boot);
void store_free(struct store **s);
/* NULL where no peer of the boot document is this engine. */
struct engine *store_engine(struct store *s, unsigned instance);
void store_clock(struct store *s);
bool store_is_local(const struct store *s, const struct ip_addr *ip);

#endif
