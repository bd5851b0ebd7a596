/* weir-authd: accounts, sessions and the key that signs grants. */
#include "authd.h"
#include "sandbox/sandbox.h"

int
main(void)
{
	struct authd *a = authd_new(boot_read(PROC_AUTHD));

	sandbox_enter(&sandbox_authd); /* last line of init */
	authd_run(a);
	return authd_free(&a);
}
