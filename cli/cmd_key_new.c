/* weir key new: a file with a new master key. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "master_key.h"

int
cmd_key_new(int argc, char **argv)
{
	if (argc != 2 || argv[1][0] == '-') {
		say("key new: takes the FILE that is to be made");
		return WEIR_USAGE;
	}
	if (sodium_init() == -1) {
		say("libsodium cannot be used");
		return WEIR_FAILED;
	}
	return master_key_make(argv[1]) ? WEIR_OK : WEIR_FAILED;
}
