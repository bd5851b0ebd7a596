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
	if (!boot->settings.sandbox_enforce)
		sandbox_only_log(); /* hashers start in there, with a filter of their own */
	a = authd_new(boot);
	sandbox_enter(&sandbox_authd); /* last line of init */
	authd_run(a);
	return authd_free(&a);
}
