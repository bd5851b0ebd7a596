/* msg.def as code: message numbers and the rule of each. */
#ifndef WEIR_IPC_MSG_H
#define WEIR_IPC_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/proc.h"

enum msg_id {
#define MSG(name, from, to, lo, hi, fds) MSG_##name,
#include "ipc/msg.def"
#undef MSG
	MSG_COUNT
};

#define PROC_ANY     PROC_NONE /* in a rule: any process */
#define MSG_BODY_MAX 65536     /* no row allows more */
#define MSG_FD_MAX   1         /* no row carries more */

struct msg_rule {
	enum proc from, to;
	uint32_t min, max;
	uint8_t fds;
};

/* A message as it came in. body belongs to the channel and lives until the handler returns. */
struct msg {
	enum msg_id id;
	const void *body;
	size_t len;
	int fd; /* -1, or a descriptor that the handler takes with fd_keep(); what it leaves is closed */
};

const char *msg_name(enum msg_id id);
const struct msg_rule *msg_rule(enum msg_id id);
/* Whether a message of this id, size and number of descriptors may go from one process to another. */
bool msg_admit(uint32_t id, enum proc from, enum proc to, size_t len, unsigned fds);

#endif
