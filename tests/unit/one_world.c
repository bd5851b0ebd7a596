#include "one_world.h"

#define MAP_BYTES (256u << 20)

struct world *w;

int
one_world_begin(void **state)
{
	(void)state;
	w = world_new(MAP_BYTES, 0);
	world_engine(w, 0, 1000);
	return 0;
}

int
one_world_end(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}
