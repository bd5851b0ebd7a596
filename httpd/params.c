#include "params.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "guard.h"

#define VALUE_MAX (FILTER_PARAM_MAX + 1)
#define LIMIT_MAX INT64_C(1000000000) /* rows of a table that is sent whole */
#define PAGE_MAX  1000
#define TIME_MAX  INT64_C(9000000000) /* seconds: fits into nanoseconds of 64 bits */

/* Digits alone, from lo to hi. */
static bool
number(const char *text, int64_t lo, int64_t hi, int64_t *v)
{
	size_t n = strspn(text, "0123456789");
	int64_t x = 0;

	if (n < 1 || n > 12 || text[n] != '\0')
		return false;
	for (size_t i = 0; i < n; i++)
		x = x * 10 + (text[i] - '0');
	*v = x;
	return x >= lo && x <= hi;
}

/* Unix seconds, with at most nine digits of fraction. */
static bool
moment(const char *text, int64_t *ns)
{
	char whole[16] = "", fraction[10] = "000000000";
	size_t n = strcspn(text, "."), m = 0;
	int64_t s, f;

	if (n >= sizeof(whole))
		return false;
	memcpy(whole, text, n);
	if (text[n] == '.') {
		m = strlen(text + n + 1);
		if (m < 1 || m > 9)
			return false;
		memcpy(fraction, text + n + 1, m);
	}
	if (!number(whole, 0, TIME_MAX, &s) || !number(fraction, 0, NS_PER_S - 1, &f))
		return false;
	*ns = s * NS_PER_S + f;
	if (*ns == 0)
		*ns = 1; /* 0 means live, 1970 does not */
	return true;
}

static bool
set_sort(struct params *p, const char *v)
{
	static const struct {
		const char *name;
		enum sort_key key;
	} keys[] = { { "bytes", SORT_BYTES }, { "packets", SORT_PACKETS }, { "rate", SORT_RATE },
		     { "first", SORT_FIRST }, { "last", SORT_LAST },       { "score", SORT_SCORE },
		     { "flows", SORT_FLOWS } };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(keys[i].name, v) == 0) {
			p->sort = keys[i].key;
			return true;
		}
	return false;
}

static bool
set_order(struct params *p, const char *v)
{
	p->ascending = strcmp(v, "asc") == 0;
	return p->ascending || strcmp(v, "desc") == 0;
}

static bool
set_limit(struct params *p, const char *v)
{
	int64_t n;

	if (!number(v, 1, LIMIT_MAX, &n))
		return false;
	p->limit = (uint32_t)n;
	return true;
}

static bool
set_cursor(struct params *p, const char *v)
{
	size_t n = 0;

	if (!base64url_parse(v, strlen(v), p->cursor, sizeof(p->cursor), &n))
		return false;
	p->cursor_len = (uint16_t)n;
	return n > 0;
}

static bool
set_interface(struct params *p, const char *v)
{
	return v[0] != '\0' && str_copy(p->interface, sizeof(p->interface), v);
}

static bool
set_host(struct params *p, const char *v)
{
	return ip_parse(v, &p->host);
}

static bool
set_application(struct params *p, const char *v)
{
	return v[0] != '\0' && str_copy(p->application, sizeof(p->application), v);
}

static bool
set_from(struct params *p, const char *v)
{
	return moment(v, &p->from_ns);
}

static bool
set_to(struct params *p, const char *v)
{
	return moment(v, &p->to_ns);
}

uint32_t
series_resolution(int64_t span_s, uint32_t least)
{
	static const uint32_t resolutions[] = { 1, 60, 300, 3600, 86400 };
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(resolutions) && (resolutions[i] < least || span_s / resolutions[i] > 1000))
		i++;
	return resolutions[i];
}

const char *
subject_name(enum series_subject subject)
{
	static const char *const names[] = {
		[SERIES_TENANT] = "tenant",
		[SERIES_POINT] = "interface",
		[SERIES_APPLICATION] = "application",
		[SERIES_CATEGORY] = "category",
		[SERIES_HOST] = "host",
		[SERIES_NETWORK] = "network",
		[SERIES_AS] = "as",
		[SERIES_COUNTRY] = "country",
		[SERIES_EXPORTER] = "exporter",
		[SERIES_EXPORTER_INTERFACE] = "exporter_interface",
		[SERIES_WEIR] = "weir",
	};
	static_assert(ARRAY_LEN(names) == SERIES_SUBJECT_COUNT, "name every subject");

	return names[subject];
}

static bool
set_subject(struct params *p, const char *v)
{
	for (enum series_subject i = SERIES_TENANT; i < SERIES_SUBJECT_COUNT; i++)
		if (strcmp(subject_name(i), v) == 0) {
			p->subject = i;
			return true;
		}
	return false;
}

static bool
set_key(struct params *p, const char *v)
{
	return v[0] != '\0' && str_copy(p->key, sizeof(p->key), v);
}

static bool
set_resolution(struct params *p, const char *v)
{
	int64_t n;

	if (!number(v, 1, 86400, &n) || (n != 1 && n != 60 && n != 300 && n != 3600 && n != 86400))
		return false;
	p->resolution_s = (uint32_t)n;
	return true;
}

static bool
set_percentile(struct params *p, const char *v)
{
	int64_t n;

	if (!number(v, 1, 100, &n))
		return false;
	p->percentile = (uint16_t)n;
	return true;
}

static bool
set_vlan(struct params *p, const char *v)
{
	int64_t n;

	if (!number(v, 0, 4095, &n))
		return false;
	p->vlan = (uint16_t)n;
	return true;
}

static bool
set_space(struct params *p, const char *v)
{
	int64_t n;

	if (!number(v, 0, UINT32_MAX, &n))
		return false;
	p->space = (uint32_t)n;
	return true;
}

static bool
set_tenant(struct params *p, const char *v)
{
	return v[0] != '\0' && str_copy(p->tenant, sizeof(p->tenant), v);
}

static bool
set_user(struct params *p, const char *v)
{
	return v[0] != '\0' && str_copy(p->user, sizeof(p->user), v);
}

static bool
flag(const char *v, bool *out)
{
	*out = strcmp(v, "true") == 0;
	return *out || strcmp(v, "false") == 0;
}

static bool
set_all(struct params *p, const char *v)
{
	return flag(v, &p->all);
}

static bool
set_others(struct params *p, const char *v)
{
	return flag(v, &p->others);
}

static bool
set_actor(struct params *p, const char *v)
{
	return v[0] != '\0' && str_copy(p->actor, sizeof(p->actor), v);
}

static bool
set_kind(struct params *p, const char *v)
{
	return v[0] != '\0' && str_copy(p->kind, sizeof(p->kind), v);
}

static bool
set_filter(struct params *p, const char *v)
{
	return str_copy(p->filter, sizeof(p->filter), v);
}

/* One word of a list after the other; false where one is not taken. */
static bool
words(struct wire_grouping *by, const char *list,
      bool (*take)(struct wire_grouping *by, const char *word, size_t len))
{
	for (const char *at = list;; at++) {
		size_t len = strcspn(at, ",");

		if (!take(by, at, len))
			return false;
		at += len;
		if (*at == '\0')
			return true;
	}
}

static bool
take_dimension(struct wire_grouping *by, const char *word, size_t len)
{
	enum dimension d = dimension_find(word, len);

	for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX && d != DIMENSION_NONE; i++) {
		if (by->dimension[i] == d)
			return false;
		if (by->dimension[i] == DIMENSION_NONE) {
			by->dimension[i] = (uint8_t)d;
			return true;
		}
	}
	return false;
}

static bool
take_measure(struct wire_grouping *by, const char *word, size_t len)
{
	enum measure m = measure_find(word, len);

	if (m != MEASURE_COUNT)
		by->measures |= MEASURE_BIT(m);
	return m != MEASURE_COUNT;
}

static bool
set_by(struct params *p, const char *v)
{
	return words(&p->grouping, v, take_dimension);
}

static bool
set_measure(struct params *p, const char *v)
{
	enum measure m = measure_find(v, strlen(v));

	p->grouping.measure = (uint8_t)m;
	return m != MEASURE_COUNT;
}

static bool
set_measures(struct params *p, const char *v)
{
	return words(&p->grouping, v, take_measure);
}

static bool
set_bucket(struct params *p, const char *v)
{
	int64_t n;

	if (!number(v, 1, UINT32_MAX, &n))
		return false;
	p->grouping.bucket_s = (uint32_t)n;
	return true;
}

static bool
set_prefix(struct params *p, const char *v)
{
	int64_t n;

	if (!number(v, 1, 32, &n))
		return false;
	p->grouping.bits_v4 = (uint8_t)n;
	return true;
}

static bool
set_prefix6(struct params *p, const char *v)
{
	int64_t n;

	if (!number(v, 1, 128, &n))
		return false;
	p->grouping.bits_v6 = (uint8_t)n;
	return true;
}

static bool
set_search(struct params *p, const char *v)
{
	return v[0] != '\0' && str_copy(p->search, sizeof(p->search), v);
}

static bool
set_place(struct params *p, const char *v)
{
	return v[0] != '\0' && str_copy(p->place, sizeof(p->place), v);
}

static bool
set_format(struct params *p, const char *v)
{
	for (enum representation as = AS_JSON; as < REPRESENTATIONS; as++)
		if (strcmp(representation_suffix(as), v) == 0) {
			p->as = as;
			return true;
		}
	return false;
}

static const struct {
	const char *name;
	bool (*set)(struct params *p, const char *value);
	const char *expected;
} rows[PARAM_COUNT] = {
	[PARAM_SORT] = { "sort", set_sort, "a column that this list is sorted by" },
	[PARAM_ORDER] = { "order", set_order, "asc or desc" },
	[PARAM_LIMIT] = { "limit", set_limit, "a number from 1 to 1000" },
	[PARAM_CURSOR] = { "cursor", set_cursor, "the next_cursor of an earlier answer" },
	[PARAM_INTERFACE] = { "interface", set_interface, "the name of an interface" },
	[PARAM_HOST] = { "host", set_host, "an IP address" },
	[PARAM_APPLICATION] = { "application", set_application, "the name of an application" },
	[PARAM_FROM] = { "from", set_from, "Unix seconds" },
	[PARAM_TO] = { "to", set_to, "Unix seconds" },
	[PARAM_SUBJECT] = { "subject", set_subject,
			    "tenant, interface, application, category, host, network, as, country, exporter, "
			    "exporter_interface or weir" },
	[PARAM_KEY] = { "key", set_key,
			"of what the subject is: the name of an interface or application, an address ..." },
	[PARAM_RESOLUTION] = { "resolution", set_resolution, "1, 60, 300, 3600 or 86400" },
	[PARAM_PERCENTILE] = { "percentile", set_percentile, "a number from 1 to 100" },
	[PARAM_VLAN] = { "vlan", set_vlan, "a number from 0 to 4095" },
	[PARAM_SPACE] = { "space", set_space, "the number of an address space" },
	[PARAM_TENANT] = { "tenant", set_tenant, "the name of a tenant" },
	[PARAM_USER] = { "user", set_user, "the name of a user" },
	[PARAM_OWNER] = { "owner", set_user, "the name of a user" },
	[PARAM_ALL] = { "all", set_all, "true or false" },
	[PARAM_OTHERS] = { "others", set_others, "true or false" },
	[PARAM_ACTOR] = { "actor", set_actor, "who did it, as user:NAME" },
	[PARAM_KIND] = { "kind", set_kind, "a kind of audit entries" },
	[PARAM_FILTER] = { "filter", set_filter, "a filter of at most 2000 bytes" },
	[PARAM_BY] = { "by", set_by, "one to three different dimensions, as client_ip,application" },
	[PARAM_MEASURE] = { "measure", set_measure, "a measure, as bytes" },
	[PARAM_MEASURES] = { "measures", set_measures, "measures, as flows,packets" },
	[PARAM_BUCKET] = { "bucket", set_bucket, "a number of seconds" },
	[PARAM_PREFIX] = { "prefix", set_prefix, "a number from 1 to 32" },
	[PARAM_PREFIX6] = { "prefix6", set_prefix6, "a number from 1 to 128" },
	[PARAM_SEARCH] = { "q", set_search, "a text of 1 to 63 bytes" },
	[PARAM_PLACE] = { "cursor", set_place, "what next_cursor said" },
	[PARAM_FORMAT] = { "format", set_format, "json, ndjson or csv" },
};

/* Two rows have one name where it means something else elsewhere. */
static enum param
param_find(const char *name, size_t len, uint64_t allowed)
{
	unsigned i = 0;

	while (i < PARAM_COUNT && !((allowed >> i & 1) != 0 && strlen(rows[i].name) == len &&
				    memcmp(rows[i].name, name, len) == 0))
		i++;
	return (enum param)i;
}

static bool
refuse(char *err, size_t errsize, const char *name, size_t len, const char *why, const char *more)
{
	(void)snprintf(err, errsize, "%.*s: %s%s", (int)(len < 64 ? len : 64), name, why, more);
	return false;
}

static bool
set_one(const char *pair, size_t len, uint64_t allowed, uint32_t sorts, struct params *p, char *err,
	size_t errsize)
{
	const char *equals = memchr(pair, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - pair) : len;
	enum param which = param_find(pair, name_len, allowed);
	char value[VALUE_MAX];

	if (which == PARAM_COUNT)
		return refuse(err, errsize, pair, name_len, "no such parameter here", "");
	if (params_has(p, which))
		return refuse(err, errsize, pair, name_len, "given twice", "");
	if (equals == NULL || !percent_decode(equals + 1, len - name_len - 1, true, value, sizeof(value)) ||
	    !utf8_valid(value, strlen(value)) || !rows[which].set(p, value) ||
	    (which == PARAM_SORT && (sorts >> p->sort & 1) == 0))
		return refuse(err, errsize, pair, name_len, "is not ", rows[which].expected);
	p->given |= UINT64_C(1) << which;
	return true;
}

bool
params_parse(const char *query, uint64_t allowed, uint32_t sorts, struct params *p, char *err, size_t errsize)
{
	const char *at = query;

	while (at != NULL && *at != '\0') {
		size_t len = strcspn(at, "&");

		if (len > 0 && !set_one(at, len, allowed, sorts, p, err, errsize))
			return false;
		at += len + (at[len] == '&');
	}
	/* A page is bounded; what is sent to its end is not held. */
	if (params_has(p, PARAM_LIMIT) && p->as == AS_JSON && p->limit > PAGE_MAX)
		return refuse(err, errsize, "limit", 5, "is not ", rows[PARAM_LIMIT].expected);
	return true;
}
