/* Capabilities by the kernel's own interface. */
#ifndef WEIR_CLI_CAPABILITIES_H
#define WEIR_CLI_CAPABILITIES_H

#include <stdbool.h>
#include <stdint.h>

#define CAPABILITY(n) (UINT64_C(1) << (n)) /* n: CAP_* of linux/capability.h */

/* Limits this process and all that it starts to keep: bounding, permitted, effective; nothing inheritable or
 * ambient. False with errno. */
bool capabilities_limit(uint64_t keep);
/* For a process that is about to become another user: marks inherit as inheritable and empties the bounding
 * set, so that nothing that it executes ever gains a capability. False with errno. */
bool capabilities_bound(uint64_t inherit);
/* After it became that user: sets permitted, effective and inheritable to exactly
 * set, and makes it ambient: what an executed program keeps. */
bool capabilities_hand_down(uint64_t set);

#endif
