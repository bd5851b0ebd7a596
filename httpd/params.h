/* The query parameters of the API, one row each: strictly parsed, bounded, a bad one named. Pure. */
#ifndef WEIR_HTTPD_PARAMS_H
#define WEIR_HTTPD_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipc/wire.h"
#include "representation.h"

enum param {
	PARAM_SORT,
	PARAM_ORDER,
	PARAM_LIMIT,
	PARAM_CURSOR,
	PARAM_INTERFACE,
	PARAM_HOST,
	PARAM_APPLICATION,
	PARAM_FROM,
	PARAM_TO,
	PARAM_SUBJECT,
	PARAM_KEY,
	PARAM_RESOLUTION,
	PARAM_PERCENTILE,
	PARAM_VLAN,
	PARAM_SPACE,
	PARAM_TENANT,
	PARAM_USER,
	PARAM_OWNER,
	PARAM_ALL,
	PARAM_OTHERS,
	PARAM_ACTOR,
	PARAM_KIND,
	PARAM_FILTER,
	PARAM_BY,
	PARAM_MEASURE,
	PARAM_MEASURES,
	PARAM_BUCKET,
	PARAM_PREFIX,
	PARAM_PREFIX6,
	PARAM_SEARCH, /* "q" */
	PARAM_PLACE,  /* a cursor too: authd's, in its own spelling */
	PARAM_FORMAT,
	PARAM_COUNT
};
#define PARAM(p)    (UINT64_C(1) << PARAM_##p)
#define SORTABLE(s) (1u << SORT_##s)

#define FILTER_PARAM_MAX 2000 /* bytes of a filter's text */

struct params {
	uint64_t given; /* PARAM() bits */
	enum sort_key sort;
	bool ascending;
	uint32_t limit;
	uint8_t cursor[CURSOR_MAX];
	uint16_t cursor_len;
	char interface[64];
	struct ip_addr host;
	char application[64];
	int64_t from_ns, to_ns; /* UTC, above 0 */
	enum series_subject subject;
	char key[64];
	char search[64];
	uint32_t resolution_s;
	uint16_t percentile;
	uint16_t vlan;
	uint32_t space;
	char tenant[TENANT_TEXT_MAX];
	char user[ACCOUNT_NAME_MAX]; /* owner too */
	bool all, others;
	char actor[ACCOUNT_NAME_MAX + 16]; /* with what it is: "user:alice" */
	char kind[64];
	char place[128];
	char filter[FILTER_PARAM_MAX + 1];
	struct wire_grouping grouping; /* by, measure, measures, bucket, prefix, prefix6 */
	enum representation as;        /* format */
};

/*
 * Parses query (the text behind '?', or NULL) into p, which starts zeroed but for `as`, what the request's
 * headers want. Only the parameters in allowed
 * (PARAM() bits) and, for sort, the keys in sorts (SORTABLE() bits) are known. False with a sentence naming
 * the parameter in err.
 */
bool params_parse(const char *query, uint64_t allowed, uint32_t sorts, struct params *p, char *err,
		  size_t errsize);

/* As it is written. */
const char *subject_name(enum series_subject subject);
/* The finest resolution of series, in seconds and not below `least`, that gives at most 1,000 points. */
uint32_t series_resolution(int64_t span_s, uint32_t least);

static inline bool
params_has(const struct params *p, enum param which)
{
	return (p->given >> which & 1) != 0;
}

#endif
