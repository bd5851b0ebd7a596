/* What the launcher keeps in the data directory: the node's number, the count of boots, and the numbers of
 * observation points. */
#ifndef WEIR_CLI_STATE_H
#define WEIR_CLI_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/boot.h"

#define STATE_BOOTS_AT_ONCE 256u  /* boot numbers reserved by one write */
#define STATE_POINTS_MAX    1024u /* observation points remembered */

struct state_point {
	uint32_t id;
	uint32_t kind; /* enum point_kind */
	char name[64];
};

struct state {
	int directory;                     /* not ours to close */
	uint32_t node;                     /* random, never 0 */
	uint32_t next_boot, reserved_boot; /* numbers below reserved_boot are on disk as used */
	uint32_t npoints;
	struct state_point points[STATE_POINTS_MAX];
};

/* Reads (or begins) the files node, boot and points in the directory. False with a sentence in err. */
bool state_open(struct state *s, int directory, char *err, size_t errsize);
/* The next boot number, which no earlier run can have used: it is on disk as used before this returns. False
 * with errno. */
bool state_next_boot(struct state *s, uint32_t *boot);
/* The number of a point: the one that it had before, or a new one that is kept from now on. False with a
 * sentence in err. */
bool state_point_id(struct state *s, enum point_kind kind, const char *name, uint32_t *id, char *err,
		    size_t errsize);

/* The text of the points file, one "ID KIND NAME" a line. False, with the number of the first bad line, where
 * it is damaged. */
bool state_points_parse(struct state *s, const char *text, unsigned *line);

#endif
