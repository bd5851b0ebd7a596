#include "capture.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "sandbox/sandbox.h"
#include "serve.h"

/* How long frames may wait in the kernel's buffer for an engine that has not come yet, when the process
 * starts. */
#define GRACE_S 2
/* The longest nap between batches, and what can arrive in a millisecond of it: small frames at 10 Gbit/s,
 * with the kernel's overhead. */
#define NAP_MS_MAX   20
#define BYTES_PER_MS (5 << 19)

/* --- an interface --- */

static int
nap_ms(int64_t kernel_buffer)
{
	int64_t ms = kernel_buffer / BYTES_PER_MS;

	return ms < NAP_MS_MAX ? (int)ms : NAP_MS_MAX;
}

/* Takes all numbers below SANDBOX_OUTSIDE that are free: what is opened next gets one above. */
static unsigned
take_low(int taken[static SANDBOX_OUTSIDE])
{
	unsigned n = 0;

	for (;;) {
		AUTO(fd_drop) int fd = dup(STDIN_FILENO);

		if (fd == -1)
			fatal("cannot number the sockets of an interface");
		if (fd >= SANDBOX_OUTSIDE)
			return n;
		taken[n++] = fd_keep(&fd);
	}
}

/* The order in which sockets are let see the interface: nic.h. */
static void
open_interface(struct capture *c)
{
	const struct settings *s = &c->boot->settings;
	int taken[SANDBOX_OUTSIDE];
	unsigned ntaken;
	struct source_options o = { (int)s->snaplen, (int)s->kernel_buffer, s->promiscuous };
	int group = -1;

	nic_look(&c->nic, c->point->name);
	ntaken = take_low(taken);
	for (unsigned i = 0; i < c->workers; i++) {
		c->source[i] = source_open_interface(&c->nic, &o);
		nic_shut(source_fd(c->source[i]));
		if (source_fd(c->source[i]) < SANDBOX_OUTSIDE)
			fatalx("the filter would let a socket of an interface send: not starting");
	}
	while (ntaken > 0)
		fd_drop(&taken[--ntaken]);
	for (unsigned i = 0; i < c->workers; i++)
		nic_listen(source_fd(c->source[i]), &c->nic);
	for (unsigned i = 0; i < c->workers && c->workers > 1; i++)
		nic_join(source_fd(c->source[i]), &group, c->workers);
	for (unsigned i = 0; i < c->workers; i++)
		nic_open(source_fd(c->source[i]), (uint32_t)s->snaplen);
	c->is_open = true;
	for (unsigned i = 0; i < c->workers; i++) {
		struct pump_source ps = { c->source[i], source_fd(c->source[i]), source_read };

		lane_init(&c->lane[i], nic_merged_above(&c->nic));
		c->pump[i] = pump_new(c->base, &ps, &c->lane[i], nap_ms(s->kernel_buffer), c->workers > 1,
				      capture_tell, c);
	}
}

/* Engines that have not come by now have their frames dropped and counted. */
static void
on_grace(evutil_socket_t fd, short what, void *arg)
{
	struct capture *c = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < c->workers; i++)
		pump_start(c->pump[i]);
}

static void
look_after_interface(struct capture *c)
{
	const char *why;

	if (!nic_is_there(source_fd(c->source[0]), &c->nic, &why))
		fatal_status(EXIT_INTERFACE_GONE, "interface %s: %s", c->nic.name, why);
	for (unsigned i = 0; i < c->workers; i++)
		c->kernel_drops[i] += nic_drops(source_fd(c->source[i]));
}

/* --- a file --- */

static void
open_file(struct capture *c)
{
	struct stat st;

	/* From its beginning, also where an instance before us has read some of it. A pipe has none. */
	if (fstat(BOOT_FD_FILE, &st) == -1)
		fatal("there is no descriptor %d with the file %s", BOOT_FD_FILE, c->point->name);
	if (S_ISREG(st.st_mode) && lseek(BOOT_FD_FILE, 0, SEEK_SET) == -1)
		fatal("cannot read %s", c->point->name);
	(void)posix_fadvise(BOOT_FD_FILE, 0, 0, POSIX_FADV_SEQUENTIAL); /* a pipe has nothing to advise on */
	if (c->workers > 1) {
		uint64_t seed;

		if (sodium_init() == -1)
			fatalx("libsodium: no random numbers");
		randombytes_buf(&seed, sizeof(seed));
		c->steer = steer_new(c->workers, strcmp(c->boot->settings.tunnels, "outer") == 0, seed);
	}
	for (unsigned i = 0; i < c->workers; i++)
		lane_init(&c->lane[i], 0);
}

static void send_counters(struct capture *c);

static void
on_file_ending(void *ctx)
{
	send_counters(ctx);
}

static bool
on_file_sent(void *ctx)
{
	struct capture *c = ctx;

	for (unsigned i = 0; i < c->workers; i++) {
		struct channel *ch = peers_find(c->peers, PROC_ENGINE, i);

		if (ch != NULL && channel_queued(ch) > 0)
			return false;
	}
	return true;
}

static void
on_file_done(void *ctx, int status)
{
	struct capture *c = ctx;

	c->status = status;
	(void)event_base_loopbreak(c->base);
}

static void
start_file(struct capture *c)
{
	static const struct replay_handlers handlers = { capture_tell, on_file_ending, on_file_sent,
							 on_file_done };
	char why[256];

	c->file = file_open(BOOT_FD_FILE, why, sizeof(why));
	if (c->file == NULL)
		fatal_status(EXIT_BAD_INPUT, "%s is no capture file that can be read (pcap or pcapng): %s",
			     c->point->name, why);
	c->is_open = true;
	c->replay = replay_new(c->base, c->file, c->steer, c->lane, c->workers, &handlers, c);
	serve_offer_all(c);
}

/* --- both --- */

void
capture_wake(struct capture *c, unsigned i)
{
	if (c->replay != NULL) {
		replay_wake(c->replay);
	} else if (c->pump[i] != NULL) {
		pump_wake(c->pump[i]);
		if (c->point->kind == POINT_INTERFACE && peers_find(c->peers, PROC_ENGINE, i) != NULL)
			pump_start(c->pump[i]);
	}
}

void
capture_tell(void *ctx)
{
	struct capture *c = ctx;

	for (unsigned i = 0; i < c->workers; i++) {
		uint32_t signals = lane_signals(&c->lane[i]);
		struct channel *ch = signals != 0 ? peers_find(c->peers, PROC_ENGINE, i) : NULL;

		if (ch == NULL)
			continue;
		if (signals & LANE_LIED)
			channel_end(ch, "its side of the packet ring holds numbers that cannot be");
		else
			channel_nudge(ch, MSG_PACKET_WAKE);
	}
}

static void
send_counters(struct capture *c)
{
	for (unsigned i = 0; i < c->workers; i++) {
		struct channel *ch = peers_find(c->peers, PROC_ENGINE, i);
		const struct lane *l = &c->lane[i];
		struct wire_capture_counters w = { c->point->id,
						   i,
						   lane_shown(l, LANE_FRAMES),
						   c->kernel_drops[i],
						   lane_shown(l, LANE_RING_DROPS),
						   lane_shown(l, LANE_MERGED),
						   lane_shown(l, LANE_TRUNCATED) };

		if (ch != NULL)
			(void)channel_send(ch, MSG_CAPTURE_COUNTERS, &w, sizeof(w));
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct capture *c = arg;

	(void)fd;
	(void)what;
	if (c->point->kind == POINT_INTERFACE)
		look_after_interface(c);
	send_counters(c);
	process_counters_tell(&c->counters, c->peers, c->boot, COUNTED_CAPTURE_CHANNEL_BROKEN, PROC_ENGINE,
			      MSG_CAPTURE_TOLD);
}

static void
on_term(evutil_socket_t signal, short what, void *arg)
{
	struct capture *c = arg;

	(void)signal;
	(void)what;
	log_debug("told to stop");
	(void)event_base_loopbreak(c->base);
}

static void
watch(struct event **e, struct event_base *base, int fd, short what, event_callback_fn fn, struct capture *c,
      const struct timeval *t)
{
	*e = event_new(base, fd, what, fn, c);
	if (*e == NULL || event_add(*e, t) == -1)
		fatalx("no memory for events");
}

struct capture *
capture_new(const struct boot *b)
{
	static const struct timeval second = { 1, 0 }, grace = { GRACE_S, 0 };
	struct capture *c = mem_calloc(1, sizeof(*c));

	if (b->instance >= b->npoints)
		fatalx("there is no observation point %u", b->instance);
	c->boot = b;
	c->point = &b->points[b->instance];
	c->workers = (unsigned)b->settings.workers;
	if (c->workers < 1 || c->workers > LANES_MAX)
		fatalx("engine.workers: %u is not within 1..%d", c->workers, LANES_MAX);
	c->base = event_base_new();
	if (c->base == NULL)
		fatalx("no memory for events");
	if (c->point->kind == POINT_INTERFACE)
		open_interface(c);
	else
		open_file(c);
	watch(&c->term, c->base, SIGTERM, EV_SIGNAL | EV_PERSIST, on_term, c, NULL);
	watch(&c->tick, c->base, -1, EV_PERSIST, on_tick, c, &second);
	if (c->point->kind == POINT_INTERFACE)
		watch(&c->grace, c->base, -1, 0, on_grace, c, &grace);
	c->peers = peers_new(c->base, b, BOOT_FD_LISTEN, &serve_handlers, c);
	return c;
}

int
capture_run(struct capture *c)
{
	if (c->point->kind == POINT_FILE)
		start_file(c);
	if (event_base_dispatch(c->base) == -1)
		fatalx("the event loop failed");
	return c->status;
}

void
capture_free(struct capture **cc)
{
	struct capture *c = *cc;

	if (c == NULL)
		return;
	for (unsigned i = 0; i < c->workers; i++)
		pump_free(&c->pump[i]);
	replay_free(&c->replay);
	file_free(&c->file);
	steer_free(&c->steer);
	peers_free(&c->peers); /* down() may still give orders to lanes */
	for (unsigned i = 0; i < c->workers; i++)
		lane_free(&c->lane[i]);
	event_free(c->term);
	event_free(c->tick);
	if (c->grace != NULL)
		event_free(c->grace);
	event_base_free(c->base);
	/* The handles are left to the kernel: libpcap would put the interface back, which is forbidden by
	 * now. */
	free(c);
	*cc = NULL;
}
