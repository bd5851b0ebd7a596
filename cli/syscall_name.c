#include "syscall_name.h"

#include <seccomp.h>
#include <stdlib.h>

#include "base/mem.h"

const char *
syscall_name(uint32_t arch, int number, char *out, size_t size)
{
	/* libseccomp's tokens are the kernel's AUDIT_ARCH_ numbers. */
	char *name = seccomp_syscall_resolve_num_arch(arch, number);

	if (name == NULL || !str_copy(out, size, name))
		out[0] = '\0';
	free(name);
	return out;
}
