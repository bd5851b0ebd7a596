/* A database of store's, checked: what `weir store check`, `weir backup` and `weir restore` tell of it. */
#ifndef WEIR_CLI_STORE_CHECK_H
#define WEIR_CLI_STORE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json_write.h"
#include "base/settings.h"
#include "ipc/errand.h"

struct store_check {
	bool done; /* all of it was looked at */
	char why[320];
	uint64_t count[ERRAND_COUNTS];
	struct errand_word *fault; /* faults, then notes */
	unsigned nfaults, nnotes, cap;
};

/* Checks the database in a directory of store's. False, with c->why, where it could not be looked at whole:
 * then it is damaged at the places that were told, and at the one that c->why names. */
bool store_check(int directory, const struct settings *s, struct store_check *c);
void store_check_free(struct store_check *c);
bool store_check_is_sound(const struct store_check *c);
/* A line for each fault, and one for all, on standard output; or members of the JSON object that is open. */
void store_check_print(const struct store_check *c);
void store_check_json(const struct store_check *c, struct json_writer *w);

#endif
