/* The whole process: one observation point, a lane for each engine, and what fills the lanes. */
#ifndef WEIR_CAPTURE_CAPTURE_H
#define WEIR_CAPTURE_CAPTURE_H

#include "file.h"
#include "ipc/boot.h"
#include "ipc/channel.h"
#include "ipc/counting.h"
#include "lane.h"
#include "nic.h"
#include "pump.h"
#include "replay.h"
#include "source.h"

struct event;

struct capture {
	const struct boot *boot;
	const struct boot_point *point;
	struct event_base *base;
	struct peers *peers;
	struct process_counters counters;
	unsigned workers; /* engines, and lanes */
	struct lane lane[LANES_MAX];
	bool is_open; /* an interface always, a file once it turned out to be a capture */
	struct event *term, *tick, *grace;
	int status;

	/* POINT_INTERFACE */
	struct nic nic;
	struct source *source[LANES_MAX];
	struct pump *pump[LANES_MAX];
	uint64_t kernel_drops[LANES_MAX];

	/* POINT_FILE */
	struct file *file;   /* NULL until it is opened as a capture */
	struct steer *steer; /* NULL: one worker */
	struct replay *replay;
};

/* Opens everything that the point needs and connects to the engines. Dies with one line where it cannot. */
struct capture *capture_new(const struct boot *b);
/* Runs until SIGTERM or the end of the file; the exit status. Within the sandbox. */
int capture_run(struct capture *c);
void capture_free(struct capture **c);

/* Orders wait in lane i, or its engine has made room. */
void capture_wake(struct capture *c, unsigned i);
/* Passes the signals of every lane on to its engine. ctx is a struct capture. */
void capture_tell(void *ctx);

#endif
