/* All that a worker keeps, and what drives it. Nothing here knows of channels: those are serve.c's. */
#ifndef WEIR_ENGINE_ENGINE_H
#define WEIR_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/fragment.h"
#include "device.h"
#include "dpi.h"
#include "flow.h"
#include "geo.h"
#include "handover.h"
#include "host.h"
#include "ipc/boot.h"
#include "learned.h"
#include "names.h"
#include "point.h"
#include "records.h"
#include "text.h"

/* Where something was lost (1) or is worth a count (0). Names are stable: users see them. */
#define PLACE_TABLE(X)                                                                                       \
	X(CAPTURE_KERNEL, "capture.kernel", 1)                                                               \
	X(CAPTURE_RING_FULL, "capture.ring_full", 1)                                                         \
	X(CAPTURE_MERGED, "capture.merged", 0)                                                               \
	X(CAPTURE_TRUNCATED, "capture.truncated", 0)                                                         \
	X(RECORD_RING_FULL, "engine.record_ring_full", 1)                                                    \
	X(RECORDS_DEFERRED, "engine.records_deferred", 0)                                                    \
	X(HOST_TABLE_FULL, "engine.host_table_full", 0)                                                      \
	X(DEVICE_TABLE_FULL, "engine.device_table_full", 0)                                                  \
	X(LEARNED_FULL, "engine.learned_full", 0)                                                            \
	X(DPI_FLOWS_FULL, "engine.dpi_flows_full", 0)                                                        \
	X(NAMES_FULL, "engine.names_full", 0)                                                                \
	X(FRAGMENTS_UNKNOWN, "engine.fragments_unknown", 0)                                                  \
	X(HANDOVER_FULL, "engine.handover_full", 1)                                                          \
	X(HANDED_OVER, "engine.handed_over", 0)                                                              \
	X(ENDED_IDLE, "engine.ended.idle", 0)                                                                \
	X(ENDED_ACTIVE, "engine.ended.active", 0)                                                            \
	X(ENDED_CLOSED, "engine.ended.closed", 0)                                                            \
	X(ENDED_EVICTED, "engine.ended.evicted", 0)                                                          \
	X(ENDED_FILE, "engine.ended.file", 0)                                                                \
	X(ENDED_SHUTDOWN, "engine.ended.shutdown", 0)

enum place {
	PLACE_NONE,
#define X(id, name, loss) PLACE_##id,
	PLACE_TABLE(X)
#undef X
	    PLACE_COUNT
};
#define PLACE_OF_POINT_LAST PLACE_CAPTURE_TRUNCATED /* the others are the worker's */

/* Room in the record ring that a frame of a file needs before it is processed: more than it can cause. */
#define FRAME_ROOM 8192

struct engine {
	const struct boot *boot;
	uint32_t worker;
	int64_t idle_ns, active_ns, closed_ns;
	uint32_t updates; /* flows of a point that store is told of in a second */
	int64_t wall_ns;  /* UTC, brought up to date once a turn */
	uint64_t seed[2];
	bool outer; /* tunnels are not opened */
	struct flow_table flows;
	struct host_table hosts;
	struct texts texts;
	struct texts meanings; /* struct dpi_meaning each: no hostile text can crowd them out */
	struct learned_table learned;
	struct device_table devices;
	struct dhcp_asking dhcp[DHCP_ASKING];
	struct geo *geo;
	struct fragment_table fragments;
	struct records records;
	struct handover handover;
	struct dpi *dpi;                  /* NULL: switched off */
	uint64_t ended[END_REASON_COUNT]; /* slices, by enum end_reason */
	uint64_t dpi_refused;
	struct ip_prefix local[64];
	unsigned npoints;
	struct point point[BOOT_POINTS_MAX];
	uint64_t told[BOOT_POINTS_MAX + 1]
		     [PLACE_COUNT];        /* drops that store knows; the last row is the worker's own */
	uint32_t resync_flow, resync_host; /* how far a new ring has been told of old flows and hosts */
	bool resync_rest;                  /* ... and has to be told of what was learned, and of devices */
};

struct engine *engine_new(const struct boot *b);
void engine_free(struct engine **e);

/* Whether a point of a file may go on: everything that comes of a frame fits into the record ring. */
bool engine_ready(const struct engine *e, const struct point *p);

enum work { WORK_NONE, WORK_DONE, WORK_BLOCKED /* a file waits for room in the record ring */ };

/* One turn of a point: takes frames, closes seconds, ends flows; a bounded amount of each. */
enum work point_work(struct engine *e, struct point *p);

/* Frames that other workers handed over to us. */
enum work handover_work(struct engine *e);

/* point.c */
/* A capture is there with its ring, which the point owns from now on. */
void point_up(struct engine *e, struct point *p, struct ring_consumer *ring);
/* The capture is gone: what its ring holds is still counted. */
void point_down(struct engine *e, struct point *p);
/* Processes what is in the batch. False: stopped for want of room; call again. */
bool point_process(struct engine *e, struct point *p);
/* Without packets: a live point's time goes on. */
void point_advance(struct engine *e, struct point *p, int64_t now_ns);
/* The wall clock was set back: so is the point's time. */
void point_set_back(struct engine *e, struct point *p, int64_t now_ns);

/* intake.c */
void batch_clear(struct batch *b);
/* Adds a frame to the batch, copying cap_len bytes (at most 65,535); false where the batch is full. */
bool batch_add(struct batch *b, uint16_t link_type, int64_t ts_ns, uint32_t wire_len, const uint8_t *bytes,
	       uint32_t cap_len);
/* Copies what is missing of a frame: before anything behind its headers is looked at. */
void frame_complete(struct frame *f);
/* Fills the point's batch, which was dealt with, from its ring; p->lied where the ring breaks a rule. */
void intake(struct point *p);
/* The batch was dealt with: gives its room in the ring back. */
void intake_release(struct point *p);

/* track.c */
/* Counts a decoded packet, which is of the frame `of`, into its flow. probably: a number whose flow it may
 * be, or FLOW_NONE. */
void track_packet(struct engine *e, struct point *p, struct frame *of, const struct packet *k,
		  uint32_t probably);
/* Reports the end of a flow and forgets it. */
void track_end(struct engine *e, struct point *p, uint32_t number, enum end_reason reason);
/* A flow and those behind it in its slot of the wheel (or FLOW_NONE) end soon: asks for their memory. */
void track_prefetch_end(const struct engine *e, uint32_t number);
/* When a flow is to be looked at again. */
int64_t track_deadline(const struct engine *e, const struct flow *f);

/* learn.c: what packets tell of meaning, beside counters */
void learn_application(struct engine *e, struct point *p, struct flow *f, const struct packet *k);
/* Last words of inspection, when the flow ends. */
void learn_finish(struct engine *e, struct point *p, struct flow *f);

/* names.c: a datagram from a port that tells names */
void learn_names(struct engine *e, struct point *p, const struct packet *k);
/* What was learned of a flow that is gone. */
void learn_forget(struct engine *e, struct flow *f);

/* hosts.c: the ends of flows */
void hosts_of_flow(struct engine *e, struct point *p, struct flow *f);
void hosts_release(struct engine *e, struct flow *f);
/* For a packet that probably begins a flow: asks for the index of its hosts, and gives their hashes. */
void hosts_prefetch_index(const struct engine *e, const struct point *p, const struct packet *k,
			  uint32_t hash[static 2]);
/* What a packet or flow between two ends told of ip: a name, or its system (kind as in struct rec_learned).
 */
void hosts_learn(struct engine *e, const struct point *p, unsigned kind, const struct ip_addr *ip,
		 uint16_t vlan, const struct ip_addr *from, const struct ip_addr *to, const char *text,
		 size_t len);
/* Looks up where the host belongs in the world, unless that was done with the files of now. */
void hosts_locate(struct engine *e, uint32_t number);
/* Number of the autonomous system of a flow's end; 0 unknown. */
uint32_t hosts_as(struct engine *e, const struct flow *f, unsigned side);
/* Files came: every host is to be looked up anew. */
void hosts_take_geo(struct engine *e, unsigned index, int fd);
/* A frame that belongs to no flow: who sent it is a device. */
void hosts_frame(struct engine *e, const struct point *p, const struct packet *k);
void hosts_mark(struct engine *e, uint32_t number);
/* Tells store of what was learned, and of changed devices and hosts, at most budget; false where more can be
 * told later in this second. */
bool hosts_tell(struct engine *e, struct point *p, unsigned budget);
/* After a change of ring: what was learned, and all devices. True where all is told. */
bool hosts_tell_again(struct engine *e, unsigned *budget);

/* second.c */
/* A packet is about to be counted; answered: the server sent it. */
void touch_flow(struct engine *e, struct point *p, uint32_t number, bool answered);
void untouch_flow(struct engine *e, struct point *p, uint32_t number);
/* A slice ends and the next begins, with the same identity. */
void next_slice(struct engine *e, struct point *p, uint32_t number);
/* Begins to close the second being counted; p->closing is false before. */
void second_close(struct engine *e, struct point *p, int64_t next);
/* Nothing comes any more: begins to close the second being counted, if anything was counted in it. Flows that
 * end before second_step goes on are not told of it: their ends say the same. False: waits for room. */
bool second_close_last(struct engine *e, struct point *p);
/* Goes on closing; at most budget flows. True where nothing is left to do. */
bool second_step(struct engine *e, struct point *p, unsigned budget);
/* Tells of all flows whose turn comes later. False: waits for room. */
bool second_tell_waiting(struct engine *e, struct point *p);
/* Ends flows whose time has come, at most budget. True where there was something to do. */
bool expire_step(struct engine *e, struct point *p, unsigned budget);

/* report.c */
bool report_open(struct engine *e, const struct point *p, uint32_t number);
bool report_count(struct engine *e, const struct point *p, uint32_t number, int64_t second);
void report_end(struct engine *e, const struct point *p, uint32_t number, enum end_reason reason);
/* True where store knows it by now, or there is nothing to know. */
bool report_host(struct engine *e, uint32_t number, bool hard);
bool report_learned(struct engine *e, const struct learned *l, bool hard);
bool report_device(struct engine *e, const struct device *d, bool hard);
void report_second(struct engine *e, const struct rec_second *s);
bool report_point(struct engine *e, struct point *p);
/* Drops that changed since store was told, of one point or (NULL) of the worker. */
void report_drops(struct engine *e, const struct point *p);
/* After a change of ring: goes through old flows and hosts, at most budget; true where more can be told at
 * once. */
bool report_again(struct engine *e, unsigned budget);
void report_again_from_start(struct engine *e);

/* Shutdown: ends every flow. True when all is said. */
bool engine_finish(struct engine *e);

#endif
