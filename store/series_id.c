/* What a series is of, as text and back. */
#include "series_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ipc/wire.h"
#include "names.h"

static const char unknown_name[] = "Unknown", unknown_country[] = "ZZ";

bool
series_id_is_numbered(const struct series_id *id)
{
	return id->number != SERIES_OTHER &&
	       (id->subject == SERIES_HOST || id->subject == SERIES_NETWORK ||
		id->subject == SERIES_EXPORTER || id->subject == SERIES_EXPORTER_INTERFACE);
}

struct series_id
series_id_other(const struct series_id *id)
{
	return (struct series_id){ .tenant = id->tenant, .subject = id->subject, .number = SERIES_OTHER };
}

uint32_t
series_country(const char country[2])
{
	const char *c = country[0] == 0 ? unknown_country : country;

	return (uint32_t)(uint8_t)c[0] << 8 | (uint8_t)c[1];
}

/* The kind of names that a subject's numbers are of. */
static enum name_kind
kind_of(uint32_t subject)
{
	switch (subject) {
	case SERIES_APPLICATION:
		return NAME_APPLICATION;
	case SERIES_CATEGORY:
		return NAME_CATEGORY;
	default:
		return NAME_PLACE;
	}
}

static void
network_text(const struct series_id *id, char out[static SERIES_TEXT_MAX])
{
	struct ip_prefix p = { .addr = id->ip, .bits = (uint8_t)id->number };

	prefix_format(&p, out);
}
_Static_assert(PREFIX_TEXT_MAX <= SERIES_TEXT_MAX, "room for it");

const char *
series_id_text(const struct names *names, const struct series_id *id, char out[static SERIES_TEXT_MAX])
{
	char ip[IP_TEXT_MAX];

	out[0] = '\0';
	if (id->number == SERIES_OTHER) {
		str_copy(out, SERIES_TEXT_MAX, SERIES_OTHER_TEXT);
		return out;
	}
	switch (id->subject) {
	case SERIES_APPLICATION:
	case SERIES_CATEGORY:
	case SERIES_WEIR:
		str_copy(out, SERIES_TEXT_MAX,
			 id->number == 0 ? unknown_name
					 : names_text(names, kind_of(id->subject), (uint16_t)id->number));
		break;
	case SERIES_HOST:
	case SERIES_EXPORTER:
		ip_format(&id->ip, out);
		break;
	case SERIES_NETWORK:
		network_text(id, out);
		break;
	case SERIES_AS:
	case SERIES_POINT:
		snprintf(out, SERIES_TEXT_MAX, "%u", id->number);
		break;
	case SERIES_COUNTRY:
		snprintf(out, SERIES_TEXT_MAX, "%c%c", (char)(id->number >> 8), (char)id->number);
		break;
	case SERIES_EXPORTER_INTERFACE:
		snprintf(out, SERIES_TEXT_MAX, "%u@%s", id->number, ip_format(&id->ip, ip));
		break;
	default:
		break;
	}
	return out;
}

/* --- and back
 * -------------------------------------------------------------------------------------------------------------
 */

static bool
number_parse(const char *text, size_t len, uint32_t *number)
{
	uint64_t n = 0;

	if (len == 0 || len > 10 || (text[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	*number = (uint32_t)n;
	return n < SERIES_OTHER;
}

static bool
name_parse(const struct names *names, enum name_kind kind, const char *text, uint32_t *number)
{
	*number = names_find(names, kind, text, strlen(text));
	return *number != 0 || (kind != NAME_PLACE && strcmp(text, unknown_name) == 0);
}

static bool
network_parse(const char *text, struct series_id *id)
{
	struct ip_prefix p;

	if (!prefix_parse(text, &p))
		return false;
	id->ip = p.addr;
	id->number = p.bits;
	return true;
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
country_parse(const char *text, uint32_t *number)
{
	if (strlen(text) != 2 || !is_upper(text[0]) || !is_upper(text[1]))
		return false;
	*number = series_country(text);
	return true;
}

static bool
interface_parse(const char *text, struct series_id *id)
{
	const char *at = strchr(text, '@');

	return at != NULL && number_parse(text, (size_t)(at - text), &id->number) &&
	       ip_parse(at + 1, &id->ip);
}

bool
series_id_parse(const struct names *names, const char *text, struct series_id *id)
{
	id->space = id->number = 0;
	memset(&id->ip, 0, sizeof(id->ip));
	if (strcmp(text, SERIES_OTHER_TEXT) == 0) {
		id->number = SERIES_OTHER;
		return true;
	}
	switch (id->subject) {
	case SERIES_APPLICATION:
	case SERIES_CATEGORY:
	case SERIES_WEIR:
		return name_parse(names, kind_of(id->subject), text, &id->number);
	case SERIES_HOST:
	case SERIES_EXPORTER:
		return ip_parse(text, &id->ip);
	case SERIES_NETWORK:
		return network_parse(text, id);
	case SERIES_AS:
		return number_parse(text, strlen(text), &id->number);
	case SERIES_COUNTRY:
		return country_parse(text, &id->number);
	case SERIES_EXPORTER_INTERFACE:
		return interface_parse(text, id);
	default:
		return false;
	}
}
