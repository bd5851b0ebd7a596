/* weir-capture: frames of one interface or file into packet rings; parses nothing of an interface. */
#include "capture.h"
#include "sandbox/sandbox.h"

int
main(void)
{
	const struct boot *b = boot_read(PROC_CAPTURE);
	struct capture *c;
	int status;

	sandbox_warm();
	c = capture_new(b); /* last path opened; threads come after the sandbox */
	if (!b->settings.sandbox_enforce)
		sandbox_only_log();
	sandbox_enter(c->point->kind == POINT_FILE ? &sandbox_capture_file : &sandbox_capture);

	status = capture_run(c);
	capture_free(&c);
	return status;
}
