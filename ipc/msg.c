#include "ipc/msg.h"

#include "base/mem.h"
#include "ipc/wire.h"

static const struct msg_rule rules[MSG_COUNT] = {
#define MSG(name, f, t, lo, hi, k) [MSG_##name] = { PROC_##f, PROC_##t, lo, hi, k },
#include "ipc/msg.def"
#undef MSG
};

#define MSG(name, f, t, lo, hi, k)                                                                           \
	static_assert((lo) <= (hi) && (hi) <= MSG_BODY_MAX && (k) <= MSG_FD_MAX, #name ": out of bounds");
#include "ipc/msg.def"
#undef MSG

static const char *const names[] = {
#define MSG(name, f, t, lo, hi, k) #name,
#include "ipc/msg.def"
#undef MSG
};
static_assert(ARRAY_LEN(names) == MSG_COUNT, "name every message");

static const char *const procs[] = { "none",  "weir",  "capture", "engine",    "store",
				     "authd", "httpd", "dial",    "directory", "key" };
static_assert(ARRAY_LEN(procs) == PROC_COUNT, "name every process");

const char *
proc_name(enum proc p)
{
	return (unsigned)p < PROC_COUNT ? procs[p] : "?";
}

const char *
msg_name(enum msg_id id)
{
	return (unsigned)id < MSG_COUNT ? names[id] : "?";
}

const struct msg_rule *
msg_rule(enum msg_id id)
{
	return (unsigned)id < MSG_COUNT ? &rules[id] : NULL;
}

bool
msg_admit(uint32_t id, enum proc from, enum proc to, size_t len, unsigned fds)
{
	const struct msg_rule *r;

	if (id >= MSG_COUNT)
		return false;
	r = &rules[id];
	return (r->from == PROC_ANY || r->from == from) && (r->to == PROC_ANY || r->to == to) &&
	       len >= r->min && len <= r->max && fds == r->fds;
}
