#include "analysis.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cmd.h"
#include "launch.h"
#include "table.h"
#include "text.h"

#define ANSWER_MS 60000
#define READY_MS  30000 /* for the processes to find each other */
#define LOOK_MS   20    /* at first; store goes through its hosts at each look */
#define LOOK_LAST 200
#define LIMIT     1000
#define DOCUMENT  (1u << 20) /* of one row */
#define TOP_FLOWS 20
#define TOP_HOSTS 20

struct analysis {
	struct asker *a;
	const struct launch *l;
	struct row_totals totals;
	struct counter_sum drops, undecoded;
	uint64_t kept_packets;
	unsigned shown;
	bool first;
	struct json_writer *w;
	bool failed;
};

/* --- asking
 * -----------------------------------------------------------------------------------------------------------
 */

static bool
put_question(struct analysis *n, struct wire_question q, ask_row row)
{
	char err[512];

	if (ask(n->a, &q, row, n, NULL, err, sizeof(err)) && !n->failed)
		return true;
	say("%s", n->failed ? "a row is too large to print" : err);
	return false;
}

static struct wire_question
about(enum question_kind kind)
{
	return (struct wire_question){ .kind = (uint32_t)kind, .point = ANY_POINT, .limit = LIMIT };
}

static void
take_totals(void *ctx, const struct row *r)
{
	struct analysis *n = ctx;

	if (r->kind == ROW_TOTALS)
		n->totals = r->totals;
}

static void
take_counter(void *ctx, const struct row *r)
{
	struct analysis *n = ctx;

	if (r->kind != ROW_COUNTER)
		return;
	if (r->counter.class_ == COUNTER_DROP)
		counter_sum_add(&n->drops, r);
	else if (r->counter.class_ == COUNTER_UNDECODED)
		counter_sum_add(&n->undecoded, r);
}

/* Until store has every record of every file on disk. No deadline for that: files may be long; the launcher
 * ends us when a process dies. A store that is not ready must become so. */
static bool
wait_for_end(struct analysis *n)
{
	int64_t ready_until = clock_boot_ns() + READY_MS * NS_PER_MS;
	struct wire_question q = about(ASK_TOTALS);
	char err[512];

	for (int wait_ms = LOOK_MS;; wait_ms = wait_ms < LOOK_LAST ? wait_ms + LOOK_MS / 2 : LOOK_LAST) {
		if (ask(n->a, &q, take_totals, n, NULL, err, sizeof(err))) {
			if (n->totals.points_ended >= n->l->npoints)
				return true;
		} else if (!ask_may_try_again(n->a) || clock_boot_ns() > ready_until) {
			say("%s", err);
			return false;
		}
		(void)poll(NULL, 0, wait_ms);
	}
}

/* Every kept flow, whenever it was: the times are the files' own. (An end without a beginning asks for what
 * is kept.) */
static struct wire_question
about_kept_flows(void)
{
	struct wire_question q = about(ASK_FLOWS);

	q.to_ns = INT64_MAX;
	return q;
}

static void
add_kept(struct analysis *n, const struct row *r)
{
	n->kept_packets += r->flow.flow.count.packets[CLIENT] + r->flow.flow.count.packets[SERVER];
}

/* A file has ended before its last flows are on disk: until the packets of the kept flows are all that were
 * counted. If they never are, judge() says so. */
static bool
wait_for_flows(struct analysis *n)
{
	int64_t until = clock_boot_ns() + READY_MS * NS_PER_MS;

	while (n->totals.packets_stored != n->totals.counted && clock_boot_ns() <= until) {
		(void)poll(NULL, 0, LOOK_MS);
		if (!put_question(n, about(ASK_TOTALS), take_totals))
			return false;
	}
	return true;
}

/* --- JSON: one object, written row by row
 * ----------------------------------------------------------------------------- */

static void
put_row(struct analysis *n)
{
	const char *text = json_text(n->w, NULL);

	if (text == NULL)
		n->failed = true;
	else
		printf("%s\n%s", n->first ? "" : ",", text);
	n->first = false;
	json_reset(n->w);
}

static void
json_row(void *ctx, const struct row *r)
{
	struct analysis *n = ctx;

	switch (r->kind) {
	case ROW_FLOW:
		add_kept(n, r);
		present_flow(n->w, NULL, r);
		break;
	case ROW_HOST:
		present_host(n->w, NULL, r);
		break;
	case ROW_APPLICATION:
		present_application(n->w, NULL, r);
		break;
	case ROW_DEVICE:
		present_device(n->w, NULL, r);
		break;
	case ROW_POINT:
		present_interface(n->w, NULL, r);
		break;
	default:
		return;
	}
	put_row(n);
}

static void
count_host(void *ctx, const struct row *r)
{
	struct analysis *n = ctx;

	n->totals.hosts += r->kind == ROW_HOST;
}

/* Of a finished analysis nothing is active any more: totals are of what there was. */
static bool
complete_totals(struct analysis *n)
{
	n->totals.flows = n->totals.flows_seen < UINT32_MAX ? (uint32_t)n->totals.flows_seen : UINT32_MAX;
	n->totals.hosts = 0;
	n->totals.bytes_per_s = n->totals.packets_per_s = 0;
	return put_question(n, about(ASK_HOSTS), count_host);
}

static bool
print_json(struct analysis *n)
{
	const struct {
		const char *name;
		struct wire_question q;
	} parts[] = {
		{ "flows", about_kept_flows() },     { "hosts", about(ASK_HOSTS) },
		{ "devices", about(ASK_DEVICES) },   { "applications", about(ASK_APPLICATIONS) },
		{ "interfaces", about(ASK_POINTS) },
	};

	json_reset(n->w);
	present_totals(n->w, NULL, &n->totals, &n->drops, &n->undecoded);
	if (json_text(n->w, NULL) == NULL)
		return false;
	printf("\"totals\":%s", json_text(n->w, NULL));
	json_reset(n->w);
	for (size_t i = 0; !n->l->totals && i < ARRAY_LEN(parts); i++) {
		printf(",\n\"%s\":[", parts[i].name);
		n->first = true;
		if (!put_question(n, parts[i].q, json_row))
			return false;
		printf("]");
	}
	printf("%s}\n", n->l->totals ? "" : ",\n\"alerts\":[]");
	return true;
}

/* --- for people
 * ------------------------------------------------------------------------------------------------------- */

static const char *
plain(const struct row_text *t, char *out, size_t size)
{
	return t->len > 0 ? text_escape(out, size, t->s, t->len) : "-";
}

static void
print_application(void *ctx, const struct row *r)
{
	char name[64], bytes[16];

	(void)ctx;
	if (r->kind == ROW_APPLICATION)
		printf("%-28s %10s %10llu packets %8u flows\n",
		       plain(&r->text[APPLICATION_TEXT_NAME], name, sizeof(name)),
		       show_bytes(r->application.bytes, bytes), (unsigned long long)r->application.packets,
		       r->application.flows);
}

static void
print_host(void *ctx, const struct row *r)
{
	struct analysis *n = ctx;
	char ip[IP_TEXT_MAX], name[64], a[16], b[16];
	struct row_text first;

	if (r->kind != ROW_HOST || n->shown++ >= TOP_HOSTS)
		return;
	first = row_text_line(&r->text[HOST_TEXT_NAMES]);
	printf("%-40s %10s sent %10s received  %s\n", ip_format(&r->host.ip, ip),
	       show_bytes(r->host.bytes[0], a), show_bytes(r->host.bytes[1], b),
	       plain(&first, name, sizeof(name)));
}

static void
print_flow(void *ctx, const struct row *r)
{
	struct analysis *n = ctx;
	const struct rec_flow *f = &r->flow.flow;
	char c[IP_TEXT_MAX], s[IP_TEXT_MAX], application[40], server[80], protocol[8], bytes[16];

	if (r->kind != ROW_FLOW)
		return;
	add_kept(n, r);
	if (n->shown++ >= TOP_FLOWS)
		return;
	printf("%s %s:%u -> %s:%u  %s  %s %s\n", protocol_name(f->protocol, protocol),
	       ip_format(&f->ip[CLIENT], c), f->port[CLIENT], ip_format(&f->ip[SERVER], s), f->port[SERVER],
	       show_bytes(f->count.bytes[CLIENT] + f->count.bytes[SERVER], bytes),
	       plain(&r->text[FLOW_TEXT_APPLICATION], application, sizeof(application)),
	       plain(&r->text[FLOW_TEXT_SERVER_NAME], server, sizeof(server)));
}

static bool
print_table(struct analysis *n)
{
	char bytes[16];
	struct wire_question hosts = about(ASK_HOSTS), flows = about_kept_flows();

	printf("%llu packets, %s, %llu flows, %u hosts\n", (unsigned long long)n->totals.packets,
	       show_bytes(n->totals.bytes, bytes), (unsigned long long)n->totals.flows_seen, n->totals.hosts);
	for (uint32_t i = 0; i < n->undecoded.n; i++)
		printf("not decoded: %llu packets, %s\n", (unsigned long long)n->undecoded.at[i].count,
		       n->undecoded.at[i].name);
	if (n->l->totals)
		return true;
	printf("\nAPPLICATIONS\n");
	if (!put_question(n, about(ASK_APPLICATIONS), print_application))
		return false;
	printf("\nHOSTS (at most %d)\n", TOP_HOSTS);
	n->shown = 0;
	hosts.sort = SORT_BYTES;
	if (!put_question(n, hosts, print_host))
		return false;
	printf("\nFLOWS (at most %d; all of them with --json)\n", TOP_FLOWS);
	n->shown = 0;
	return put_question(n, flows, print_flow);
}

/* --- whether it adds up
 * ----------------------------------------------------------------------------------------------- */

static int
judge(struct analysis *n)
{
	const struct row_totals *t = &n->totals;
	int status = WEIR_OK;

	for (uint32_t i = 0; i < n->drops.n; i++) {
		say("%llu were lost at %s: the result is not whole", (unsigned long long)n->drops.at[i].count,
		    n->drops.at[i].name);
		status = WEIR_FAILED;
	}
	if (t->dropped > 0 && n->drops.n == 0) {
		say("%llu were lost at an unnamed place: the result is not whole",
		    (unsigned long long)t->dropped);
		status = WEIR_FAILED;
	}
	if (t->captured != t->counted + t->undecoded || t->captured != t->packets) {
		say("%llu packets were read, %llu seen, %llu counted into flows and %llu not decoded: that "
		    "does not add up",
		    (unsigned long long)t->captured, (unsigned long long)t->packets,
		    (unsigned long long)t->counted, (unsigned long long)t->undecoded);
		status = WEIR_FAILED;
	}
	if (n->l->totals) /* no rows were asked for: store's own count of them */
		n->kept_packets = t->packets_stored;
	if (n->kept_packets != t->counted) {
		say("%llu packets were counted into flows and %llu are in the flows that were kept: that "
		    "does not add up",
		    (unsigned long long)t->counted, (unsigned long long)n->kept_packets);
		status = WEIR_FAILED;
	}
	return status;
}

/* The first byte of the object comes when all is on disk: what answering costs can be told from the rest. */
static bool
say_it_is_stored(const struct analysis *n)
{
	return !n->l->json || (fputs("{", stdout) != EOF && fflush(stdout) == 0);
}

int
analysis_ask(const struct launch *l)
{
	struct analysis *n = mem_calloc(1, sizeof(*n));
	char err[512];
	int status = WEIR_FAILED;

	n->l = l;
	n->w = json_new(DOCUMENT);
	n->a = ask_open(l->settings.run_directory, ANSWER_MS, err, sizeof(err));
	if (n->a == NULL)
		say("%s", err);
	else if (wait_for_end(n) && wait_for_flows(n) && say_it_is_stored(n) &&
		 put_question(n, about(ASK_COUNTERS), take_counter) && complete_totals(n) &&
		 (l->json ? print_json(n) : print_table(n)))
		status = judge(n);
	if (status == WEIR_OK && n->totals.truncated_files > 0)
		status = WEIR_TRUNCATED; /* the launcher has said which */
	ask_close(&n->a);
	json_free(&n->w);
	free(n);
	return status;
}
