#include "reach.h"

#include "base/mem.h"

/* A question about somebody can fail for what his entry is alone, and strangers choose whose: only a trial
 * shows that nobody can be asked about. */
static void
fail(struct reachability *r, enum directory_what what, const char *why, int64_t now_ns)
{
	if (what == DIRECTORY_TEST) {
		r->state = REACH_AWAY;
		r->next_ns = now_ns + r->interval_ns;
	} else if (r->state != REACH_AWAY) {
		r->state = REACH_DOUBTED;
		r->next_ns = now_ns;
	}
	(void)str_copy(r->why, sizeof(r->why), why);
}

bool
reach_told(struct reachability *r, enum directory_what what, enum directory_verdict verdict, const char *why,
	   int64_t now_ns)
{
	bool was_away = r->state == REACH_AWAY;

	if (verdict == DIRECTORY_UNAVAILABLE) {
		fail(r, what, why, now_ns);
	} else {
		r->state = REACH_GOOD;
		r->why[0] = '\0';
	}
	return was_away != (r->state == REACH_AWAY);
}

bool
reach_is_due(const struct reachability *r, int64_t now_ns)
{
	return r->state != REACH_GOOD && !r->trying && now_ns >= r->next_ns;
}
