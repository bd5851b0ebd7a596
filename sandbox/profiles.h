/* What every process may call, whatever it is: the start of each filter. */
#ifndef WEIR_SANDBOX_PROFILES_H
#define WEIR_SANDBOX_PROFILES_H

#include "sandbox/sandbox.h"

extern const struct sandbox_call sandbox_common[];
extern const size_t sandbox_common_count;

#endif
