#include "filter/value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "present/present.h"

#define WORD_MAX 255 /* bytes of a value */

/* What a value may be at most, by field; the others: what 64 bits hold. */
static uint64_t
most(enum filter_field f)
{
	switch (f) {
	case FILTER_PORT:
		return UINT16_MAX;
	case FILTER_AS:
	case FILTER_IN_INTERFACE:
	case FILTER_OUT_INTERFACE:
		return UINT32_MAX;
	case FILTER_DSCP:
		return 63;
	case FILTER_TTL:
	case FILTER_ICMP_TYPE:
	case FILTER_ICMP_CODE:
		return UINT8_MAX;
	case FILTER_VLAN:
		return 4094;
	default:
		return UINT64_MAX >> 1;
	}
}

/* --- numbers --- */

/* The digits that s begins with; *end behind them. False where there are none or they are too many. */
static bool
digits(const char *s, uint64_t *n, const char **end)
{
	*n = 0;
	for (*end = s; isdigit((unsigned char)**end); (*end)++)
		if (__builtin_mul_overflow(*n, UINT64_C(10), n) ||
		    __builtin_add_overflow(*n, (uint64_t)(**end - '0'), n))
			return false;
	return *end != s;
}

struct unit {
	const char *text;
	uint64_t times;
};

static bool
scaled(const char *s, const struct unit *units, size_t nunits, uint64_t *n)
{
	const char *end;

	if (!digits(s, n, &end))
		return false;
	if (*end == '\0')
		return true;
	for (size_t i = 0; i < nunits; i++)
		if (strcasecmp(end, units[i].text) == 0)
			return !__builtin_mul_overflow(*n, units[i].times, n);
	return false;
}

static bool
take_number(struct parse *p, const struct subject *s, const struct span *where, const char *word,
	    struct filter_test *t)
{
	static const struct unit sizes[] = {
		{ "k", 1000 }, { "m", 1000000 }, { "g", 1000000000 }, { "t", UINT64_C(1000000000000) }
	};
	static const struct unit times[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	const struct filter_field_row *row = &filter_fields[s->field];
	bool good;

	if (row->type == FILTER_TYPE_SIZE)
		good = scaled(word, sizes, ARRAY_LEN(sizes), &t->number);
	else
		good = scaled(word, times, row->type == FILTER_TYPE_MILLISECONDS ? ARRAY_LEN(times) : 0,
			      &t->number);
	if (!good)
		tree_error(p, where, "%s takes a whole number%s", row->word,
			   row->type == FILTER_TYPE_SIZE           ? ", which may end in k, m, g or t"
			   : row->type == FILTER_TYPE_MILLISECONDS ? ", which may end in ms, s, m or h"
								   : "");
	else if (t->number > most(s->field))
		tree_error(p, where, "%s is at most %llu", row->word, (unsigned long long)most(s->field));
	return !p->failed;
}

/* --- addresses --- */

static bool
take_address(struct parse *p, const struct subject *s, const struct span *where, const char *word,
	     struct filter_test *t)
{
	struct ip_prefix prefix;

	if (!prefix_parse(word, &prefix)) {
		tree_error(p, where,
			   "no address or network: write it as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32");
		return false;
	}
	if (s->is_network && strchr(word, '/') == NULL) {
		tree_error(p, where, "a network is written with its bits: %.60s/24", word);
		return false;
	}
	t->ip = prefix.addr;
	t->bits = prefix.bits;
	return true;
}

static bool
take_mac(struct parse *p, const struct span *where, const char *word, struct filter_test *t)
{
	unsigned ndigits = 0;

	for (const char *c = word; *c != '\0'; c++) {
		if (isxdigit((unsigned char)*c) && ndigits < 12) {
			unsigned v = isdigit((unsigned char)*c)
					 ? (unsigned)(*c - '0')
					 : (unsigned)(tolower((unsigned char)*c) - 'a' + 10);

			t->number = t->number << 4 | v;
			ndigits++;
		} else if ((*c != ':' && *c != '-') || ndigits % 2 != 0 || ndigits == 0 || ndigits == 12) {
			ndigits = 0;
			break;
		}
	}
	if (ndigits != 12)
		tree_error(p, where, "no MAC address: write it as 00:11:22:aa:bb:cc");
	return !p->failed;
}

/* --- names of numbers --- */

static const char *
protocol_text(unsigned i, char out[static 8])
{
	return protocol_name((uint8_t)i, out);
}

static const char *
state_text(unsigned i, char out[static 8])
{
	(void)out;
	return flow_state_name((uint8_t)i);
}

static const char *
end_reason_text(unsigned i, char out[static 8])
{
	(void)out;
	return end_reason_name((uint8_t)i);
}

static const char *
breed_text(unsigned i, char out[static 8])
{
	(void)out;
	return breed_name((uint8_t)i);
}

/* A name that present/ gives to one of the numbers below n. */
static bool
take_named(struct parse *p, const struct subject *s, const struct span *where, const char *word,
	   struct filter_test *t)
{
	static const struct {
		const char *(*text)(unsigned i, char out[static 8]);
		unsigned n;
	} names[] = {
		[FILTER_TYPE_PROTOCOL] = { protocol_text, 256 },
		[FILTER_TYPE_STATE] = { state_text, FLOW_STATE_COUNT },
		[FILTER_TYPE_END_REASON] = { end_reason_text, END_REASON_COUNT },
		[FILTER_TYPE_BREED] = { breed_text, BREED_COUNT },
	};
	const struct filter_field_row *row = &filter_fields[s->field];
	const char *end;
	char buf[8];

	for (unsigned i = 0; i < names[row->type].n; i++) {
		const char *name = names[row->type].text(i, buf);

		if (name != NULL && strcasecmp(name, word) == 0) {
			t->number = i;
			return true;
		}
	}
	if (row->type == FILTER_TYPE_PROTOCOL && digits(word, &t->number, &end) && *end == '\0' &&
	    t->number < 256)
		return true;
	tree_error(p, where, "no %s is called %.60s", row->word, word);
	return false;
}

static bool
take_flags(struct parse *p, const struct span *where, const char *word, struct filter_test *t)
{
	static const char letters[] = "FSRPAUEC"; /* RFC 9293 section 3.1, from the lowest bit on */

	for (const char *c = word; *c != '\0'; c++) {
		const char *hit = strchr(letters, toupper((unsigned char)*c));

		if (toupper((unsigned char)*c) == 'X') {
			t->number = 0xff;
		} else if (hit == NULL) {
			tree_error(p, where, "flags are letters of %s, or X for all of them", letters);
			return false;
		} else {
			t->number |= UINT64_C(1) << (hit - letters);
		}
	}
	return true;
}

/* --- names that store knows --- */

static bool
take_text(struct parse *p, const struct subject *s, const struct span *where, const char *word,
	  struct filter_test *t)
{
	struct filter_head *head = &p->program->head;
	size_t len = strlen(word);

	if (s->field == FILTER_COUNTRY &&
	    (len != 2 || !isalpha((unsigned char)word[0]) || !isalpha((unsigned char)word[1]))) {
		tree_error(p, where, "a country is two letters, as in NL");
		return false;
	}
	if (len > FILTER_TEXT_MAX - head->text_len) {
		tree_error(p, where, "the names of the filter are too long together");
		return false;
	}
	t->text_at = (uint16_t)head->text_len;
	t->text_len = (uint16_t)len;
	memcpy(p->program->text + head->text_len, word, len);
	head->text_len += (uint32_t)len;
	return true;
}

/* --- any --- */

/* The word without its quotes, terminated. */
static bool
unquoted(struct parse *p, const struct span *where, char word[static WORD_MAX + 1])
{
	const char *s = p->text + where->at;
	size_t len = where->len;

	if (len >= 2 && (s[0] == '"' || s[0] == '\'')) {
		s++;
		len -= 2;
	}
	if (len == 0 || len > WORD_MAX || memchr(s, '\0', len) != NULL) {
		tree_error(p, where, len == 0 ? "an empty value" : "no value of a filter is like this");
		return false;
	}
	memcpy(word, s, len);
	word[len] = '\0';
	return true;
}

bool
value_take(struct parse *p, const struct subject *s, const struct span *where, struct filter_test *t)
{
	char word[WORD_MAX + 1];

	if (!unquoted(p, where, word))
		return false;
	switch ((enum filter_type)filter_fields[s->field].type) {
	case FILTER_TYPE_NOTHING:
		break;
	case FILTER_TYPE_ADDRESS:
		return take_address(p, s, where, word, t);
	case FILTER_TYPE_NUMBER:
	case FILTER_TYPE_SIZE:
	case FILTER_TYPE_MILLISECONDS:
		return take_number(p, s, where, word, t);
	case FILTER_TYPE_PROTOCOL:
	case FILTER_TYPE_STATE:
	case FILTER_TYPE_END_REASON:
	case FILTER_TYPE_BREED:
		return take_named(p, s, where, word, t);
	case FILTER_TYPE_FLAGS:
		return take_flags(p, where, word, t);
	case FILTER_TYPE_MAC:
		return take_mac(p, where, word, t);
	case FILTER_TYPE_NAME:
	case FILTER_TYPE_DOMAIN:
		return take_text(p, s, where, word, t);
	}
	return true;
}
