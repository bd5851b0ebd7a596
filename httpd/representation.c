#include "representation.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const struct {
	const char *names[2], *type, *suffix; /* names: in lower case, as Accept may have them */
} kinds[REPRESENTATIONS] = {
	[AS_JSON] = { { "application/json" }, "application/json", "json" },
	[AS_NDJSON] = { { "application/x-ndjson", "application/ndjson" }, "application/x-ndjson", "ndjson" },
	[AS_CSV] = { { "text/csv" }, "text/csv; charset=utf-8; header=present", "csv" },
};

const char *
representation_type(enum representation as)
{
	return kinds[as].type;
}

const char *
representation_suffix(enum representation as)
{
	return kinds[as].suffix;
}

/* How exactly a media range names a type: 0 not at all, 3 in full. */
static unsigned
names(const char *range, size_t len, const char *type)
{
	size_t major = strcspn(type, "/");

	if (len == 3 && memcmp(range, "*/*", 3) == 0)
		return 1;
	if (len == major + 2 && strncasecmp(range, type, major + 1) == 0 && range[len - 1] == '*')
		return 2;
	return len == strlen(type) && strncasecmp(range, type, len) == 0 ? 3 : 0;
}

/* The weight among a range's parameters, in thousandths; 1000 where there is none. */
static unsigned
weight(const char *parameters, size_t len)
{
	for (size_t i = 0; i + 2 < len; i++) {
		unsigned value = 0, scale = 1000;

		if (parameters[i] != ';')
			continue;
		do
			i++;
		while (i + 2 < len && (parameters[i] == ' ' || parameters[i] == '\t'));
		if ((parameters[i] != 'q' && parameters[i] != 'Q') || parameters[i + 1] != '=')
			continue;
		for (i += 2; i < len && scale > 0; i++) {
			if (parameters[i] == '.')
				continue;
			if (parameters[i] < '0' || parameters[i] > '9')
				break;
			value += scale * (unsigned)(parameters[i] - '0');
			scale /= 10;
		}
		return value > 1000 ? 1000 : value;
	}
	return 1000;
}

/* What Accept gives a kind: the weight of the range that names it most exactly. */
static unsigned
liking(const char *accept, enum representation as)
{
	unsigned best = 0, q = 0;

	for (const char *at = accept + strspn(accept, ", \t"); *at != '\0'; at += strspn(at, ", \t")) {
		size_t len = strcspn(at, ","), range = strcspn(at, ",; \t");

		for (size_t i = 0; i < ARRAY_LEN(kinds[as].names) && kinds[as].names[i] != NULL; i++) {
			unsigned exact = names(at, range, kinds[as].names[i]);

			if (exact > best) {
				best = exact;
				q = weight(at + range, len - range);
			}
		}
		at += len;
	}
	return q;
}

enum representation
representation_of(const char *accept)
{
	enum representation best = AS_JSON;
	unsigned most = 0;

	for (enum representation as = AS_JSON; accept != NULL && as < REPRESENTATIONS; as++) {
		unsigned q = liking(accept, as);

		if (q > most) {
			most = q;
			best = as;
		}
	}
	return best;
}
