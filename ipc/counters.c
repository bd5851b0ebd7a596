#include "ipc/counters.h"

static const struct {
	const char *place;
	enum proc process;
	bool loss;
} places[] = {
#define COUNTER(name, process, place, loss) { place, PROC_##process, loss },
#include "ipc/counters.def"
#undef COUNTER
};

const char *
process_counter_name(enum process_counter c)
{
	return places[c].place;
}

enum proc
process_counter_proc(enum process_counter c)
{
	return places[c].process;
}

bool
process_counter_is_loss(enum process_counter c)
{
	return places[c].loss;
}
