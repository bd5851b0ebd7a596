#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"

#define FILE_BYTES_MAX (STATE_POINTS_MAX * 96u)

static const char *const kind_names[] = { NULL, "interface", "file" };

/* Replaces a file whole: written beside it, on disk before it takes the name. */
static bool
write_file(int directory, const char *name, const char *text)
{
	char beside[64];
	size_t len = strlen(text);
	AUTO(fd_drop) int fd = -1;

	(void)snprintf(beside, sizeof(beside), "%s.new", name);
	(void)unlinkat(directory, beside, 0);
	fd = openat(directory, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd == -1)
		return false;
	if (write(fd, text, len) != (ssize_t)len || fsync(fd) == -1 ||
	    renameat(directory, beside, directory, name) == -1) {
		(void)unlinkat(directory, beside, 0);
		return false;
	}
	return fsync(directory) == 0;
}

/* The whole file, terminated; NULL with errno. */
static char *
read_file(int directory, const char *name)
{
	AUTO(fd_drop) int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO(mem_drop) char *text = NULL;
	size_t len = 0;
	ssize_t n;
	char *whole;

	if (fd == -1)
		return NULL;
	text = mem_calloc(1, FILE_BYTES_MAX + 1);
	while ((n = read(fd, text + len, FILE_BYTES_MAX - len)) > 0)
		len += (size_t)n;
	if (n == -1)
		return NULL;
	whole = text;
	text = NULL;
	return whole;
}

/* --- numbers
 * ----------------------------------------------------------------------------------------------------------
 */

/* A file of one number above 0: 1 read, 0 not there, -1 wrong. */
static int
read_number(struct state *s, const char *name, uint32_t *v, char *err, size_t errsize)
{
	AUTO(mem_drop) char *text = read_file(s->directory, name);
	char *end;
	unsigned long n;

	if (text == NULL && errno == ENOENT)
		return 0;
	if (text == NULL) {
		(void)snprintf(err, errsize, "%s: %s", name, strerror(errno));
		return -1;
	}
	errno = 0;
	n = strtoul(text, &end, 10);
	if (end == text || strcmp(end, "\n") != 0 || errno != 0 || n == 0 || n > UINT32_MAX) {
		(void)snprintf(err, errsize, "%s: does not hold a number; restore it from a backup", name);
		return -1;
	}
	*v = (uint32_t)n;
	return 1;
}

static bool
write_number(struct state *s, const char *name, uint32_t v)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u\n", v);
	return write_file(s->directory, name, text);
}

static bool
reserve_boots(struct state *s)
{
	uint32_t upto = s->next_boot + STATE_BOOTS_AT_ONCE;

	if (upto < s->next_boot) { /* 2^32 boots: the node's number would have to change */
		errno = ERANGE;
		return false;
	}
	if (!write_number(s, "boot", upto))
		return false;
	s->reserved_boot = upto;
	return true;
}

bool
state_next_boot(struct state *s, uint32_t *boot)
{
	if (s->next_boot >= s->reserved_boot && !reserve_boots(s))
		return false;
	*boot = s->next_boot++;
	return true;
}

/* --- points
 * -----------------------------------------------------------------------------------------------------------
 */

static bool
parse_point(char *line, struct state_point *p)
{
	char *end, *kind, *name;
	unsigned long id;

	errno = 0;
	id = strtoul(line, &end, 10);
	if (end == line || *end != ' ' || errno != 0 || id == 0 || id >= UINT32_MAX)
		return false;
	kind = end + 1;
	name = strchr(kind, ' ');
	if (name == NULL || name[1] == '\0')
		return false;
	*name++ = '\0';
	memset(p, 0, sizeof(*p));
	p->id = (uint32_t)id;
	for (uint32_t k = 1; k < ARRAY_LEN(kind_names); k++)
		if (strcmp(kind, kind_names[k]) == 0)
			p->kind = k;
	return p->kind != 0 && str_copy(p->name, sizeof(p->name), name);
}

bool
state_points_parse(struct state *s, const char *text, unsigned *line)
{
	s->npoints = 0;
	*line = 0;
	while (*text != '\0') {
		const char *newline = strchr(text, '\n');
		char one[160];

		(*line)++;
		if (newline == NULL || (size_t)(newline - text) >= sizeof(one) ||
		    s->npoints == STATE_POINTS_MAX)
			return false;
		memcpy(one, text, (size_t)(newline - text));
		one[newline - text] = '\0';
		if (!parse_point(one, &s->points[s->npoints]))
			return false;
		for (uint32_t i = 0; i < s->npoints; i++)
			if (s->points[i].id == s->points[s->npoints].id)
				return false;
		s->npoints++;
		text = newline + 1;
	}
	return true;
}

static bool
write_points(struct state *s)
{
	AUTO(mem_drop) char *text = mem_calloc(1, FILE_BYTES_MAX);
	size_t at = 0;

	for (uint32_t i = 0; i < s->npoints; i++) {
		const struct state_point *p = &s->points[i];

		at += (size_t)snprintf(text + at, FILE_BYTES_MAX - at, "%u %s %s\n", p->id,
				       kind_names[p->kind], p->name);
	}
	return write_file(s->directory, "points", text);
}

bool
state_point_id(struct state *s, enum point_kind kind, const char *name, uint32_t *id, char *err,
	       size_t errsize)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < s->npoints; i++) {
		if (s->points[i].kind == (uint32_t)kind && strcmp(s->points[i].name, name) == 0) {
			*id = s->points[i].id;
			return true;
		}
		most = s->points[i].id > most ? s->points[i].id : most;
	}
	if (s->npoints == STATE_POINTS_MAX) {
		(void)snprintf(err, errsize,
			       "points: %u observation points are remembered already; remove old lines",
			       STATE_POINTS_MAX);
		return false;
	}
	s->points[s->npoints] = (struct state_point){ .id = most + 1, .kind = (uint32_t)kind };
	str_copy(s->points[s->npoints].name, sizeof(s->points[0].name), name);
	s->npoints++;
	if (!write_points(s)) {
		(void)snprintf(err, errsize, "points: %s", strerror(errno));
		return false;
	}
	*id = most + 1;
	return true;
}

/* --- opening
 * ----------------------------------------------------------------------------------------------------------
 */

static bool
open_points(struct state *s, char *err, size_t errsize)
{
	AUTO(mem_drop) char *text = read_file(s->directory, "points");
	unsigned line;

	if (text == NULL && errno == ENOENT)
		return true;
	if (text == NULL) {
		(void)snprintf(err, errsize, "points: %s", strerror(errno));
		return false;
	}
	if (state_points_parse(s, text, &line))
		return true;
	(void)snprintf(err, errsize,
		       "points: line %u is not \"NUMBER interface|file NAME\"; restore it from a backup",
		       line);
	return false;
}

bool
state_open(struct state *s, int directory, char *err, size_t errsize)
{
	int got;

	memset(s, 0, sizeof(*s));
	s->directory = directory;
	s->next_boot = 1;
	got = read_number(s, "node", &s->node, err, errsize);
	if (got == 0) {
		while (s->node == 0)
			randombytes_buf(&s->node, sizeof(s->node));
		if (!write_number(s, "node", s->node)) {
			(void)snprintf(err, errsize, "node: %s", strerror(errno));
			return false;
		}
	}
	if (got == -1 || read_number(s, "boot", &s->next_boot, err, errsize) == -1)
		return false;
	if (!reserve_boots(s)) {
		(void)snprintf(err, errsize, "boot: %s", strerror(errno));
		return false;
	}
	return open_points(s, err, errsize);
}
