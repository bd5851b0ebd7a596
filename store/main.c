/* weir-store: sole owner of the traffic database; takes records in, answers every question about traffic. */
#include <signal.h>
#include <sodium.h>

#include "base/log.h"
#include "check.h"
#include "copy.h"
#include "ipc/boot.h"
#include "sandbox/sandbox.h"
#include "serve.h"
#include "store.h"

static void
signals_init(void)
{
	/* A terminal's Ctrl-C reaches everybody; the launcher decides. SIGXFSZ: a disk limit is an error of
	 * write, not an end. */
	if (signal(SIGINT, SIG_IGN) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		fatal("signals");
}

int
main(void)
{
	const struct boot *boot = boot_read(PROC_STORE);

	signals_init();
	if (sodium_init() == -1)
		fatalx("libsodium does not start");
	sandbox_warm();
	if ((boot->flags & BOOT_CHECK) != 0)
		return check_errand(BOOT_FD_TOLD);
	if ((boot->flags & BOOT_COPY) != 0)
		return copy_errand(BOOT_FD_TOLD, BOOT_FD_COPY);

	struct store *s = store_new(boot);
	struct serve *v = serve_new(s, BOOT_FD_LISTEN);

	if (!boot->settings.sandbox_enforce)
		sandbox_only_log();
	sandbox_enter(&sandbox_store);
	serve_run(v);
	serve_free(&v);
	store_free(&s);
	return EXIT_OK;
}
