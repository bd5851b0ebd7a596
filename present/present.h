/*
 * Rows of store's answers as the outside sees them: the JSON shapes of docs/API.md, written in one place for
 * the API and for `weir analyze --json`. Pure: no I/O, no state.
 *
 * Use: answer_open() on the body of an ANSWER (or CLI_ANSWER_ROWS), then answer_next() until it returns 0,
 * and one of the present_* functions for each row. store is a peer like any other: sizes, kinds and string
 * lengths are checked here, and a lie gives false (or -1), after which the channel is to be ended.
 *
 * Every present_* writes one JSON value; key is its name within an object, NULL within an array
 * (base/json_write.h).
 */
#ifndef WEIR_PRESENT_PRESENT_H
#define WEIR_PRESENT_PRESENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/json_write.h"
#include "ipc/wire.h"

#define ROW_TEXTS_MAX 9

/* A string of a row: not terminated, belongs to the answer's body, may hold any bytes (json_string_n makes
 * them harmless). */
struct row_text {
	const char *s;
	size_t len; /* 0: unknown */
};

/* One row, copied out of the answer. `text` holds its strings in the order of wire.h. */
struct row {
	enum row_kind kind;
	union {
		struct row_point point;
		struct row_host host;
		struct row_flow flow;
		struct row_flow_event flow_event; /* begins with a row_flow: what takes one takes this row */
		struct row_application application;
		struct row_series series;
		struct row_series_of series_of;
		struct row_totals totals;
		struct row_counter counter;
		struct wire_component component;
		struct row_device device;
		struct row_group group;
	};
	struct row_text text[ROW_TEXTS_MAX];
};

/* A host's score: of all its flows. */
static inline uint16_t
present_host_score(const struct row_host *h)
{
	return h->score_client > h->score_server ? h->score_client : h->score_server;
}

/* Index into row.text by kind of row. */
enum {
	HOST_TEXT_NAMES,
	HOST_TEXT_APPLICATIONS,
	HOST_TEXT_RISKS,
	HOST_TEXT_VENDOR,
	HOST_TEXT_AS_NAME,
	HOST_TEXT_CITY,
	HOST_TEXT_OS
};
enum { DEVICE_TEXT_VENDOR, DEVICE_TEXT_POINT };
enum {
	FLOW_TEXT_APPLICATION,
	FLOW_TEXT_CATEGORY,
	FLOW_TEXT_SERVER_NAME,
	FLOW_TEXT_INFO,
	FLOW_TEXT_RISKS,
	FLOW_TEXT_CLIENT_NAME,
	FLOW_TEXT_SERVER_HOST,
	FLOW_TEXT_POINT,
	FLOW_TEXT_ATTRIBUTES /* a list: ipc/attribute.h; judged by answer_next */
};
enum { APPLICATION_TEXT_NAME, APPLICATION_TEXT_CATEGORY };
enum { SERIES_OF_TEXT_KEY, SERIES_OF_TEXT_NAME };
enum { COUNTER_TEXT_NAME, COUNTER_TEXT_POINT };
/* Those of the keys are 0..GROUP_DIMENSIONS_MAX - 1. */
enum { GROUP_TEXT_BUCKETS = GROUP_DIMENSIONS_MAX /* struct group_bucket, any number of whole ones */ };

struct answer {
	struct wire_answer head; /* a copy, its lengths checked */
	struct rcur rows;
	uint32_t left;
};

/* Opens the body of an answer, which must outlive a and its rows. False where the head is a lie. */
bool answer_open(struct answer *a, const void *body, size_t len);
/* The first of a row's items that are one a line: a host's surest name; len 0: there is none. */
struct row_text row_text_line(const struct row_text *t);
/* 1: *r is the next row; 0: no more (and nothing is left over behind the last); -1: a lie. */
int answer_next(struct answer *a, struct row *r);

/* --- one row: the shapes of docs/API.md
 * --------------------------------------------------------------------------------- */

void present_interface(struct json_writer *w, const char *key, const struct row *r); /* ROW_POINT */
void present_host(struct json_writer *w, const char *key, const struct row *r);      /* ROW_HOST */
void present_series_of(struct json_writer *w, const char *key, const struct row *r); /* ROW_SERIES_OF */
/* Likewise, as networks, countries and categories are listed; and AS, which have a name. */
void present_series_sum(struct json_writer *w, const char *key, const struct row *r);
void present_as(struct json_writer *w, const char *key, const struct row *r);
void present_device(struct json_writer *w, const char *key, const struct row *r);      /* ROW_DEVICE */
void present_flow(struct json_writer *w, const char *key, const struct row *r);        /* ROW_FLOW */
void present_application(struct json_writer *w, const char *key, const struct row *r); /* ROW_APPLICATION */
/* {"group": {dimension: key}, measure: value, "buckets": [[time, value], ...]}; of sums "groups", their
 * number, in the place of "group". ROW_GROUP */
void present_group(struct json_writer *w, const char *key, const struct row *r);
void present_series_point(struct json_writer *w, const struct row *r); /* ROW_SERIES: [time, bytes, ...] */
/* {"place"|"reason", "interface", "worker", "count"}: "reason" for COUNTER_UNDECODED, else "place". */
void present_counter(struct json_writer *w, const char *key, const struct row *r); /* ROW_COUNTER */
void present_component(struct json_writer *w, const char *key, const struct wire_component *c);

/* --- totals: one row and the counters that belong to it
 * ----------------------------------------------------------------- */

#define COUNTER_SUM_MAX 128

/* Counters of one class summed by name over interfaces and workers; names past the limit are summed as
 * "other". Start with zero. */
struct counter_sum {
	uint32_t n;
	struct {
		char name[64];
		uint64_t count;
	} at[COUNTER_SUM_MAX];
};

/* Adds a ROW_COUNTER of a count above 0. */
void counter_sum_add(struct counter_sum *s, const struct row *r);

/* {"packets","bytes","dropped":{place:count},"undecoded":{reason:count},"flows","hosts","bytes_per_second","packets_per_second"}
 */
void present_totals(struct json_writer *w, const char *key, const struct row_totals *t,
		    const struct counter_sum *drops, const struct counter_sum *undecoded);

/* --- names
 * --------------------------------------------------------------------------------------------------------------
 */

/* "TCP"; a number as text where it has no name (out is then used). */
const char *protocol_name(uint8_t protocol, char out[static 8]);
const char *flow_state_name(uint8_t state);
/* NULL where unknown. */
const char *breed_name(uint8_t breed);
const char *confidence_name(uint8_t confidence);
/* NULL for END_NONE: still active. */
const char *end_reason_name(uint8_t reason);
const char *component_state_name(uint32_t state);
const char *component_warning_text(uint32_t warning); /* NULL: none */
const char *point_state_name(uint32_t state);
/* 32 hexadecimal digits into out[33]; and back, false where text is none. */
const char *flow_id_format(const struct flow_id *id, char out[static 33]);
bool flow_id_parse(const char *text, struct flow_id *id);

#endif
