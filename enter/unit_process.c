#include "unit_process.h"

#include <stddef.h>
#include <string.h>

#include "ipc/proc.h"

const char *
unit_process(const char *word)
{
	for (int p = PROC_WEIR + 1; p < PROC_COUNT; p++)
		if (strcmp(proc_name((enum proc)p), word) == 0)
			return proc_name((enum proc)p);
	return NULL;
}
