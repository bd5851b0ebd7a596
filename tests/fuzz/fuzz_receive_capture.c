/* What engines send to capture: pages for its rings, and wake-ups. The rings are filled meanwhile, however
 * the pages read. */
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "capture.h"
#include "ipc/wire.h"
#include "receiver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORKERS = 2, POINT = 1 };

static struct capture *c;

/* They name their point and their ring, each mostly. */
static void
make_good(const struct channel *from, enum msg_id id, uint8_t *body, size_t len, size_t memory)
{
	struct wire_ring_taken t;

	(void)memory;
	if (id != MSG_PACKET_RING_TAKEN)
		return;
	assert(len == sizeof(t));
	memcpy(&t, body, sizeof(t));
	t.point = t.point % 4 == 3 ? t.point : POINT;
	t.worker = t.worker % 4 == 3 ? t.worker : channel_instance(from);
	memcpy(body, &t, sizeof(t));
}

static void
fill(void)
{
	static const uint8_t bytes[200];
	const struct frame f = { 1, sizeof(bytes), sizeof(bytes), 1, bytes };

	for (unsigned w = 0; w < WORKERS; w++) {
		lane_begin(&c->lane[w]);
		for (unsigned i = 0; i < 4; i++)
			lane_put_or_drop(&c->lane[w], &f);
		(void)lane_flush(&c->lane[w]);
	}
	capture_tell(c);
}

static void
open_capture(void)
{
	struct boot *b = receiver_boot(PROC_CAPTURE);
	int fd = open("/dev/null", O_RDONLY);

	if (fd == -1 || dup2(fd, BOOT_FD_FILE) == -1)
		fatal("no file to read");
	b->settings.workers = WORKERS;
	b->settings.packet_ring = 1 << 20;
	b->npoints = 1;
	b->points[0] = (struct boot_point){ .id = POINT, .kind = POINT_FILE, .name = "one.pcap" };
	c = capture_new(b);
	c->is_open = true; /* that file is never begun */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct receiver_hooks hooks = { .before = make_good, .after = fill };

	if (c == NULL)
		open_capture();
	receiver_run(&hooks, data, size);
	return 0;
}
