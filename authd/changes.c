#include "changes.h"

#include <stdio.h>
#include <string.h>

void
changes_finish(struct changes *ch)
{
	ch->text[0] = '\0';
	for (size_t i = 0; i < ch->n; i++) {
		size_t at = strlen(ch->text);

		(void)snprintf(ch->text + at, sizeof(ch->text) - at, "%s%s", i == 0 ? "" : ", ",
			       ch->member[i]);
	}
}
