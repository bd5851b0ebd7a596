#include "told_counters.h"

#include <string.h>

#include "ipc/boot.h"
#include "sum.h"

/* Who is at the other end says whose it is. Some have no channel to us, and another passes theirs on; of
 * PROC_WEIR only the launcher counts, no command line. */
static bool
may_tell(enum proc from, unsigned instance, const struct wire_counters *w)
{
	if (from == PROC_WEIR && instance != 0)
		return false;
	if (from == PROC_AUTHD && w->proc == PROC_DIRECTORY)
		return w->instance == instance;
	if (from == PROC_WEIR && w->proc == PROC_KEY)
		return w->instance == 0;
	if (from == PROC_ENGINE && w->proc == PROC_CAPTURE)
		return instance == 0 && w->instance < BOOT_POINTS_MAX;
	return w->proc == (uint32_t)from && w->instance == instance;
}

static struct told_process *
find(struct told_counters *t, const struct wire_counters *w)
{
	struct told_process *p;

	for (uint32_t i = 0; i < t->n; i++)
		if (t->process[i].proc == w->proc && t->process[i].instance == w->instance)
			return &t->process[i];
	if (t->n == TOLD_PROCESSES_MAX)
		return NULL;
	p = &t->process[t->n++];
	*p = (struct told_process){ .proc = w->proc, .instance = w->instance, .start_ns = w->start_ns };
	return p;
}

bool
told_counters_take(struct told_counters *t, enum proc from, unsigned instance, const struct wire_counters *w)
{
	struct told_process *p;

	if (!may_tell(from, instance, w))
		return false;
	for (enum process_counter c = 0; c < PROCESS_COUNTERS; c++)
		if (w->n[c] != 0 && process_counter_proc(c) != (enum proc)w->proc)
			return false;
	/* As many as there are slots of uids: there is always room. */
	p = find(t, w);
	if (p == NULL)
		return true;
	for (enum process_counter c = 0; c < PROCESS_COUNTERS; c++) {
		if (p->start_ns != w->start_ns)
			p->before[c] = sum_sat(p->before[c], p->last[c]);
		p->last[c] = w->n[c];
	}
	p->start_ns = w->start_ns;
	return true;
}

uint64_t
told_counters_sum(const struct told_counters *t, enum process_counter c)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < t->n; i++)
		sum = sum_sat(sum, sum_sat(t->process[i].before[c], t->process[i].last[c]));
	return sum;
}
