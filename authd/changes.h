/* What one thing that apply makes turned into: for the plan, and for the audit log. */
#ifndef WEIR_AUTHD_CHANGES_H
#define WEIR_AUTHD_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#define CHANGES_MAX 8 /* members of one thing */

struct changes {
	bool added;
	size_t n;
	const char *member[CHANGES_MAX];
	char text[96]; /* the members in one line: "title, access" */
};

static inline void
changes_note(struct changes *ch, bool differs, const char *member)
{
	if (differs && ch->n < CHANGES_MAX)
		ch->member[ch->n++] = member;
}

/* Fills text. */
void changes_finish(struct changes *ch);

#endif
