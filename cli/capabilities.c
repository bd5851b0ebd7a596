#include "capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool
set_all(uint64_t effective, uint64_t inheritable)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	for (int i = 0; i < 2; i++) {
		d[i].effective = (uint32_t)(effective >> (32 * i));
		d[i].permitted = d[i].effective;
		d[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	return syscall(SYS_capset, &h, d) == 0;
}

/* What of wanted this process may have at all: a container may have taken some away, and then they are not
 * asked for. */
static bool
get_permitted(uint64_t *permitted)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) != 0)
		return false;
	*permitted = (uint64_t)d[1].permitted << 32 | d[0].permitted;
	return true;
}

static bool
drop_bounding(uint64_t keep)
{
	for (int cap = 0; cap < 64; cap++) {
		if ((keep & CAPABILITY(cap)) != 0 || prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return false;
	}
	return true;
}

bool
capabilities_limit(uint64_t keep)
{
	uint64_t permitted;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 || !get_permitted(&permitted) ||
	    !drop_bounding(keep))
		return false;
	/* Where a unit has left no more than that, its filter has no capset either. */
	return (permitted & ~keep) == 0 || set_all(keep & permitted, 0);
}

bool
capabilities_bound(uint64_t inherit)
{
	uint64_t permitted;

	/* In this order: what is outside the bounding set cannot be made inheritable. */
	return get_permitted(&permitted) && set_all(permitted, inherit) && drop_bounding(0);
}

bool
capabilities_hand_down(uint64_t set)
{
	if (!set_all(set, set))
		return false;
	for (int cap = 0; cap < 64; cap++)
		if ((set & CAPABILITY(cap)) != 0 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) == -1)
			return false;
	return true;
}
