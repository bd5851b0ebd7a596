/* weir-engine: decodes hostile bytes, follows flows, names applications and hosts; tells store. */
#include "run.h"
#include "sandbox/sandbox.h"

int
main(void)
{
	const struct boot *b = boot_read(PROC_ENGINE);
	struct server s;
	struct engine *e;

	sandbox_warm();
	e = engine_new(b); /* tables, rings, nDPI */
	run_init(&s, e);
	if (!b->settings.sandbox_enforce)
		sandbox_only_log();
	sandbox_enter(&sandbox_engine);

	run(&s);
	run_free(&s);
	engine_free(&e);
	return EXIT_OK;
}
