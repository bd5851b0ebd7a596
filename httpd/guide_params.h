/*
 * The parameters of the guide's API, one row each: by query, as a form or as a JSON object. ntopng's clients
 * send what they like: what is not known is passed over, what is known is judged. Pure.
 */
#ifndef WEIR_HTTPD_GUIDE_PARAMS_H
#define WEIR_HTTPD_GUIDE_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

enum guide_param {
	GUIDE_IFID,
	GUIDE_IFFILTER,
	GUIDE_TYPE,
	GUIDE_HOST,
	GUIDE_VLAN,
	GUIDE_PAGE,
	GUIDE_PER_PAGE,
	GUIDE_SORT,
	GUIDE_ORDER,
	GUIDE_MODE,
	GUIDE_VERSION,
	GUIDE_ASN,
	GUIDE_COUNTRY,
	GUIDE_OS,
	GUIDE_MAC,
	GUIDE_CIDR,
	GUIDE_NETWORK,
	GUIDE_POOL,
	GUIDE_PROTOCOL,
	GUIDE_APPLICATION,
	GUIDE_L4,
	GUIDE_PORT,
	GUIDE_VERBOSE,
	GUIDE_LIMIT,
	GUIDE_HOST_FLOWS,
	GUIDE_SCHEMA,
	GUIDE_QUERY,
	GUIDE_BEGIN,
	GUIDE_END,
	GUIDE_STATS_MODE,
	GUIDE_BREED,
	GUIDE_USERNAME,
	GUIDE_PARAM_COUNT
};

#define GUIDE_VALUE_MAX    256 /* bytes of a value, its end included */
#define GUIDE_ERROR_MAX    200
#define GUIDE_MEMBERS_MAX  64 /* parameters of one request, known or not */
#define GUIDE_PER_PAGE_MAX 1000
#define GUIDE_ROWS_MAX     10000 /* how far into a list pages reach */

struct guide_params {
	char *value[GUIDE_PARAM_COUNT]; /* NULL: not given, or empty, which ntopng takes for the same */
};

/* Starts with *p zeroed or filled by an earlier call. Each is false with a sentence that begins with the name
 * of the parameter. text: "a=1&b=2", or the JSON of an object. */
bool guide_params_query(struct guide_params *p, const char *text, char err[static GUIDE_ERROR_MAX]);
bool guide_params_json(struct guide_params *p, const char *text, size_t len,
		       char err[static GUIDE_ERROR_MAX]);
void guide_params_free(struct guide_params *p);

const char *guide_param_name(enum guide_param which);
/* A number from lo to hi; *v stays where it is not given. */
bool guide_number(const struct guide_params *p, enum guide_param which, int64_t lo, int64_t hi, int64_t *v,
		  char err[static GUIDE_ERROR_MAX]);
/* "true" or "1"; anything else is no. */
bool guide_flag(const struct guide_params *p, enum guide_param which);
/* host: an address, with "@VLAN" behind it or with vlan beside. False where it is none. */
bool guide_host(const struct guide_params *p, struct ip_addr *ip, uint16_t *vlan);
/* A value of ts_query, "ifid:0,protocol:TLS"; false where there is none of that key. */
bool guide_query_value(const char *query, const char *key, char out[static GUIDE_VALUE_MAX]);

#endif
