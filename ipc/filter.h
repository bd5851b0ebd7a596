/*
 * A filter as store takes it: tests that lead forwards only, so that a flow passes through it in at most as
 * many steps as it has tests. httpd and the command line compile text into it (filter/), store verifies and
 * runs it.
 *
 * On the wire: struct filter_head, ntests times struct filter_test, text_len bytes of strings.
 */
#ifndef WEIR_IPC_FILTER_H
#define WEIR_IPC_FILTER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define FILTER_TESTS_MAX 1024
#define FILTER_TEXT_MAX  4096 /* bytes of a program's strings together */

enum filter_field {
#define FILTER_FIELD(name, word, type, ends, help) FILTER_##name,
#include "ipc/filter.def"
#undef FILTER_FIELD
	FILTER_FIELD_COUNT
};

enum filter_type {
	FILTER_TYPE_NOTHING,
	FILTER_TYPE_ADDRESS,
	FILTER_TYPE_NUMBER,
	FILTER_TYPE_SIZE,
	FILTER_TYPE_MILLISECONDS,
	FILTER_TYPE_PROTOCOL,
	FILTER_TYPE_STATE,
	FILTER_TYPE_END_REASON,
	FILTER_TYPE_BREED,
	FILTER_TYPE_FLAGS,
	FILTER_TYPE_MAC,
	FILTER_TYPE_NAME,
	FILTER_TYPE_DOMAIN
};
enum filter_ends { FILTER_ONE, FILTER_ENDS, FILTER_SUM };

struct filter_field_row {
	const char *word;
	uint8_t type; /* enum filter_type */
	uint8_t ends; /* enum filter_ends */
	const char *help;
};
/* By enum filter_field. */
extern const struct filter_field_row filter_fields[FILTER_FIELD_COUNT];

/* Which end, or direction, a test looks at. */
enum filter_end { FILTER_EITHER, FILTER_CLIENT, FILTER_SERVER, FILTER_END_COUNT };
enum filter_compare { FILTER_EQUAL, FILTER_LESS, FILTER_MORE, FILTER_COMPARE_COUNT };

/* Where a test leads that does not lead to another one. */
#define FILTER_ACCEPT UINT16_MAX
#define FILTER_REJECT (UINT16_MAX - 1)

struct filter_test {
	uint8_t field;   /* enum filter_field */
	uint8_t end;     /* enum filter_end; FILTER_EITHER where the flow has one of it */
	uint8_t compare; /* enum filter_compare; FILTER_EQUAL but for numbers */
	uint8_t bits;    /* addresses: of the prefix, in the 128-bit form */
	uint16_t pass,
	    fail; /* the next test, a higher number than this one's; FILTER_ACCEPT, FILTER_REJECT */
	uint16_t text_at, text_len; /* names: within the strings */
	uint32_t reserved;
	uint64_t number;   /* numbers; a MAC address in the lower 48 bits; milliseconds */
	struct ip_addr ip; /* addresses: bits past the prefix are zero */
};
static_assert(sizeof(struct filter_test) == 40, "no padding: it crosses a process boundary");

struct filter_head {
	uint32_t ntests, text_len;
};

struct filter_program {
	struct filter_head head;
	struct filter_test test[FILTER_TESTS_MAX];
	char text[FILTER_TEXT_MAX];
};
#define FILTER_BYTES_MAX sizeof(struct filter_program)

/* Whether a program is sane: every number within bounds, every test leads forwards, texts are where they are
 * said to be. */
bool filter_verify(const struct filter_program *p);
/* Writes the wire form into out; returns its length, 0 where out is too small. p is sane. */
size_t filter_encode(const struct filter_program *p, void *out, size_t size);
/* Takes exactly len bytes of a stranger and verifies; false where they are no program. *p is then undefined.
 */
bool filter_decode(const void *bytes, size_t len, struct filter_program *p);

#endif
