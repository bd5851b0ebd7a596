/* A store with one engine, for each test anew: what most tests of series begin and end with. */
#ifndef WEIR_TESTS_ONE_WORLD_H
#define WEIR_TESTS_ONE_WORLD_H

#include "store_world.h"

/* One at a time: a process has one working directory. */
extern struct world *w;

/* For cmocka: there and empty, with room for much; and all of it gone. */
int one_world_begin(void **state);
int one_world_end(void **state);

#endif
