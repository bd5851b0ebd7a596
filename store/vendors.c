/* One sorted array an assignment's length, names in one arena. */
#include "vendors.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/cursor.h"
#include "base/mem.h"

#define ASSIGNED_MAX 1000000u /* of one length */

struct assigned {
	uint64_t prefix;
	uint32_t name; /* place in the arena */
	uint32_t len;
};

/* 24, 28 or 36 bits: 6, 7 or 9 digits. */
static const unsigned digits_of[] = { 9, 7, 6 };
#define LENGTHS ARRAY_LEN(digits_of)

struct vendors {
	struct assigned *list[LENGTHS];
	size_t n[LENGTHS], room[LENGTHS];
	char *names;
	size_t used, size;
};

struct vendors *
vendors_new(void)
{
	return mem_calloc(1, sizeof(struct vendors));
}

void
vendors_free(struct vendors **vp)
{
	struct vendors *v = *vp;

	if (v == NULL)
		return;
	for (size_t i = 0; i < LENGTHS; i++)
		free(v->list[i]);
	free(v->names);
	free(v);
	*vp = NULL;
}

/* --- reading: "MA-L,002272,American Micro-Fuel Device Corp.,address"; fields may stand in quotes (RFC 4180)
 * ----------------------------- */

struct field {
	char text[VENDOR_NAME_MAX];
	size_t len; /* what is longer is cut */
};

static void
field_add(struct field *f, uint8_t b)
{
	if (f->len < sizeof(f->text))
		f->text[f->len++] = b >= 0x20 && b != 0x7f ? (char)b : ' ';
}

/* The field at c, which goes behind the comma; false where it was the line's last (c stands behind the
 * newline then). */
static bool
read_field(struct rcur *c, struct field *f)
{
	bool quoted = false;

	f->len = 0;
	while (rcur_left(c) > 0) {
		uint8_t b = rcur_u8(c);

		if (b == '"') {
			/* A quote within quotes is doubled. */
			if (quoted && rcur_left(c) > 0 && *c->p == '"')
				field_add(f, rcur_u8(c));
			else
				quoted = !quoted;
		} else if (b == ',' && !quoted) {
			return true;
		} else if (b == '\n' && !quoted) {
			return false;
		} else if (b != '\r') {
			field_add(f, b);
		}
	}
	return false;
}

static bool
read_prefix(const struct field *f, uint64_t *prefix)
{
	*prefix = 0;
	for (size_t i = 0; i < f->len; i++) {
		char c = f->text[i];
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if (c >= 'A' && c <= 'F')
			digit = (unsigned)(c - 'A' + 10);
		else
			return false;
		*prefix = *prefix << 4 | digit;
	}
	return true;
}

static void
arena_room(struct vendors *v, size_t len)
{
	if (v->size - v->used >= len)
		return;
	v->size = v->size * 2 + 65536;
	v->names = mem_reallocarray(v->names, v->size, 1);
}

static bool
add(struct vendors *v, const struct field *assignment, const struct field *name)
{
	struct assigned a = { .len = (uint32_t)name->len, .name = (uint32_t)v->used };
	size_t i = 0;

	while (i < LENGTHS && digits_of[i] != assignment->len)
		i++;
	if (i == LENGTHS || name->len == 0 || v->n[i] == ASSIGNED_MAX || !read_prefix(assignment, &a.prefix))
		return false;
	arena_room(v, name->len);
	memcpy(v->names + v->used, name->text, name->len);
	v->used += name->len;
	if (v->n[i] == v->room[i]) {
		v->room[i] = v->room[i] * 2 + 1024;
		v->list[i] = mem_reallocarray(v->list[i], v->room[i], sizeof(v->list[i][0]));
	}
	v->list[i][v->n[i]++] = a;
	return true;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = ((const struct assigned *)a)->prefix, y = ((const struct assigned *)b)->prefix;

	return (x > y) - (x < y);
}

/* A line's second and third field. Cut names lose the spaces at their end. */
static bool
read_line(struct vendors *v, struct rcur *c)
{
	struct field registry, assignment, name, rest;
	bool more = read_field(c, &registry) && read_field(c, &assignment);

	if (!more)
		return false;
	more = read_field(c, &name);
	while (more)
		more = read_field(c, &rest);
	while (name.len > 0 && name.text[name.len - 1] == ' ')
		name.len--;
	return add(v, &assignment, &name);
}

size_t
vendors_read(struct vendors *v, const uint8_t *csv, size_t len)
{
	struct rcur c = rcur_of(csv, len);
	size_t n = 0;

	while (rcur_left(&c) > 0)
		n += read_line(v, &c);
	for (size_t i = 0; i < LENGTHS; i++)
		if (v->n[i] > 0)
			qsort(v->list[i], v->n[i], sizeof(v->list[i][0]), compare);
	return n;
}

size_t
vendors_read_file(struct vendors *v, int fd)
{
	AUTO(mem_drop) uint8_t *p = NULL;
	struct stat st;
	size_t len, at = 0;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > VENDOR_FILE_MAX)
		return 0;
	len = (size_t)st.st_size;
	p = mem_calloc(len, 1);
	while (at < len) {
		ssize_t n = pread(fd, p + at, len - at, (off_t)at);

		if (n <= 0 && !(n == -1 && errno == EINTR))
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	return vendors_read(v, p, at);
}

/* --- finding
 * ------------------------------------------------------------------------------------------------------------
 */

const char *
vendors_find(const struct vendors *v, const uint8_t mac[static 6], size_t *len)
{
	uint64_t address = 0;

	*len = 0;
	if ((mac[0] & 3) != 0) /* a group, or made up locally */
		return NULL;
	for (unsigned i = 0; i < 6; i++)
		address = address << 8 | mac[i];
	/* The longest assignment is the surest: within a block of 24 bits, parts of it are others'. */
	for (size_t i = 0; i < LENGTHS; i++) {
		const struct assigned key = { .prefix = address >> (48 - 4 * digits_of[i]) };
		const struct assigned *a =
		    v->n[i] == 0 ? NULL : bsearch(&key, v->list[i], v->n[i], sizeof(v->list[i][0]), compare);

		if (a == NULL)
			continue;
		*len = a->len;
		return v->names + a->name;
	}
	return NULL;
}
