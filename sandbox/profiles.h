/* What every process may call, whatever it is: the start of each filter. */
#ifndef WEIR_SANDBOX_PROFILES_H
#define WEIR_SANDBOX_PROFILES_H

#include "sandbox/sandbox.h"

extern const struct sandbox_call sandbox_common[];
extern const size_t sandbox_common_count;
/* ... and those of them that send, whose first argument is a descriptor: room is left for one more check. */
extern const struct sandbox_call sandbox_sending[];
extern const size_t sandbox_sending_count;

#endif
