/* weir-authd: accounts, sessions and the key that signs grants. */
#include "authd.h"
#include "copy.h"
#include "sandbox/sandbox.h"

int
main(void)
{
	const struct boot *boot = boot_read(PROC_AUTHD);
	struct authd *a;

	if ((boot->flags & BOOT_COPY) != 0)
		return copy_errand(BOOT_FD_TOLD, BOOT_FD_COPY);
	a = authd_new(boot);
	sandbox_enter(&sandbox_authd); /* last line of init */
	authd_run(a);
	return authd_free(&a);
}
