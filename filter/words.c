#include "filter/words.h"

#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* Other names of fields, as the field's tools have them, and tests in one word. */
static const struct {
	const char *text;
	struct word word;
} more[] = {
	{ "host", { WORD_FIELD, FILTER_ADDRESS, 0, false } },
	{ "net", { WORD_FIELD, FILTER_ADDRESS, 0, true } },
	{ "network", { WORD_FIELD, FILTER_ADDRESS, 0, true } },
	{ "protocol", { WORD_FIELD, FILTER_PROTOCOL, 0, false } },
	{ "geo", { WORD_FIELD, FILTER_COUNTRY, 0, false } },
	{ "interface", { WORD_FIELD, FILTER_INTERFACE, 0, false } },
	{ "application", { WORD_FIELD, FILTER_APPLICATION, 0, false } },
	{ "router", { WORD_FIELD, FILTER_EXPORTER, 0, false } },
	{ "asn", { WORD_FIELD, FILTER_AS, 0, false } },
	{ "tcp", { WORD_BARE, FILTER_PROTOCOL, IPPROTO_TCP, false } },
	{ "udp", { WORD_BARE, FILTER_PROTOCOL, IPPROTO_UDP, false } },
	{ "icmp", { WORD_BARE, FILTER_PROTOCOL, IPPROTO_ICMP, false } },
	{ "icmp6", { WORD_BARE, FILTER_PROTOCOL, IPPROTO_ICMPV6, false } },
	{ "sctp", { WORD_BARE, FILTER_PROTOCOL, IPPROTO_SCTP, false } },
	{ "ipv4", { WORD_BARE, FILTER_FAMILY, 4, false } },
	{ "inet", { WORD_BARE, FILTER_FAMILY, 4, false } },
	{ "ipv6", { WORD_BARE, FILTER_FAMILY, 6, false } },
	{ "inet6", { WORD_BARE, FILTER_FAMILY, 6, false } },
};

static const struct filter_word grammar[] = {
	{ "and", "both sides hold", false },
	{ "or", "one of the sides holds", false },
	{ "not", "what follows does not hold", false },
	{ "src", "of the client, which opened the flow", false },
	{ "dst", "of the server", false },
	{ "in", "one of a list: port in [ 80 443 ]", false },
	{ "tcp", "proto tcp", false },
	{ "udp", "proto udp", false },
	{ "icmp", "proto icmp", false },
	{ "ipv4", "family 4", false },
	{ "ipv6", "family 6", false },
};

static bool
is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

struct word
word_of(const char *text, size_t len)
{
	for (size_t i = 0; i < FILTER_FIELD_COUNT; i++)
		if (is_word(text, len, filter_fields[i].word))
			return (struct word){ i == FILTER_ANY ? WORD_BARE : WORD_FIELD, (enum filter_field)i,
					      0, false };
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		if (is_word(text, len, more[i].text))
			return more[i].word;
	return (struct word){ WORD_PLAIN, FILTER_ANY, 0, false };
}

bool
filter_word_at(size_t i, struct filter_word *w)
{
	if (i < FILTER_FIELD_COUNT) {
		const struct filter_field_row *r = &filter_fields[i];

		*w = (struct filter_word){ r->word, r->help, r->ends != FILTER_ONE };
		return true;
	}
	i -= FILTER_FIELD_COUNT;
	if (i >= ARRAY_LEN(grammar))
		return false;
	*w = grammar[i];
	return true;
}
