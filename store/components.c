/* The processes of the house: one row each. */
#include "components.h"

#include <string.h>

#include "ipc/proc.h"

const struct wire_component *
components_find(const struct components *c, uint32_t proc, uint32_t instance)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (c->row[i].proc == proc && c->row[i].instance == instance)
			return &c->row[i];
	return NULL;
}

static bool
sane(const struct wire_component *w)
{
	return w->proc > PROC_NONE && w->proc < PROC_COUNT && w->state >= COMPONENT_RUNNING &&
	       w->state <= COMPONENT_ENDED && w->warning < WARNINGS &&
	       memchr(w->point, '\0', sizeof(w->point)) != NULL &&
	       memchr(w->why, '\0', sizeof(w->why)) != NULL;
}

bool
components_set(struct components *c, const struct wire_component *w)
{
	struct wire_component *row =
	    (struct wire_component *)(uintptr_t)components_find(c, w->proc, w->instance);

	if (!sane(w))
		return false;
	if (row == NULL && c->n == COMPONENTS_MAX)
		return true;
	if (row == NULL)
		row = &c->row[c->n++];
	*row = *w;
	return true;
}
