#include "source.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/boot.h"

/* A block of the kernel's buffer is handed over when it is full or this old. */
#define BLOCK_MS 100

struct source {
	pcap_t *pcap;
	struct nic nic;
	uint16_t link_type;
	struct lane *lane; /* that source_read fills */
};

/* DLT_ numbers are this system's, LINKTYPE_ numbers are everybody's. They differ in these only. */
static const struct {
	int dlt;
	uint16_t link_type;
} renumbered[] = {
	{ DLT_ATM_RFC1483, 100 }, { DLT_RAW, 101 },      { DLT_SLIP_BSDOS, 102 },
	{ DLT_PPP_BSDOS, 103 },   { DLT_ATM_CLIP, 106 },
};

static uint16_t
link_type_of(pcap_t *p)
{
	int dlt = pcap_datalink(p);

	for (size_t i = 0; i < ARRAY_LEN(renumbered); i++)
		if (renumbered[i].dlt == dlt)
			return renumbered[i].link_type;
	return (uint16_t)dlt;
}

/* Nanoseconds were asked for, so tv_usec holds them. A time that cannot be becomes unknown. */
static int64_t
time_of(const struct pcap_pkthdr *h)
{
	const int64_t far = INT64_MAX / NS_PER_S - 8192;

	if (h->ts.tv_sec < 0 || h->ts.tv_sec > far || h->ts.tv_usec < 0 || h->ts.tv_usec > 4096 * NS_PER_S)
		return 0;
	return (int64_t)h->ts.tv_sec * NS_PER_S + (int64_t)h->ts.tv_usec;
}

static _Noreturn void
refuse(pcap_t *p, const char *name, int error)
{
	switch (error) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		fatal_status(EXIT_FAILED,
			     "may not capture on %s: weir-capture needs CAP_NET_RAW at its start, which "
			     "`weir run` gives it when it runs as root",
			     name);
	case PCAP_ERROR_NO_SUCH_DEVICE:
	case PCAP_ERROR_IFACE_NOT_UP:
		fatal_status(EXIT_INTERFACE_GONE, "interface %s cannot be monitored: %s", name,
			     pcap_statustostr(error));
	default:
		fatal_status(EXIT_FAILED, "cannot capture on %s: %s (%s)", name, pcap_statustostr(error),
			     pcap_geterr(p));
	}
}

struct source *
source_open_interface(const struct nic *n, const struct source_options *o)
{
	struct source *s = mem_calloc(1, sizeof(*s));
	char why[PCAP_ERRBUF_SIZE] = "";
	int rc;

	s->nic = *n;
	s->pcap = pcap_create(n->name, why);
	if (s->pcap == NULL)
		fatal_status(EXIT_FAILED, "cannot capture on %s: %s", n->name, why);
	rc = pcap_set_snaplen(s->pcap, o->snaplen);
	rc = rc != 0 ? rc : pcap_set_promisc(s->pcap, o->promiscuous);
	rc = rc != 0 ? rc : pcap_set_timeout(s->pcap, BLOCK_MS);
	rc = rc != 0 ? rc : pcap_set_buffer_size(s->pcap, o->buffer);
	rc = rc != 0 ? rc : pcap_set_tstamp_precision(s->pcap, PCAP_TSTAMP_PRECISION_NANO);
	rc = rc != 0 ? rc : pcap_set_protocol_linux(s->pcap, NIC_PROTOCOL_UNUSED);
	rc = rc != 0 ? rc : pcap_activate(s->pcap);
	if (rc < 0)
		refuse(s->pcap, n->name, rc);
	if (rc > 0)
		log_warn("%s: %s (%s)", n->name, pcap_statustostr(rc), pcap_geterr(s->pcap));
	if (pcap_setnonblock(s->pcap, 1, why) == -1)
		fatal_status(EXIT_FAILED, "cannot capture on %s without blocking: %s", n->name, why);
	s->link_type = link_type_of(s->pcap);
	return s;
}

int
source_fd(const struct source *s)
{
	return pcap_get_selectable_fd(s->pcap);
}

static void
on_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct source *s = (struct source *)(void *)user;
	struct frame f = { time_of(h), h->len, h->caplen, s->link_type, bytes };

	lane_put_or_drop(s->lane, &f);
	if (lane_crowded(s->lane))
		pcap_breakloop(s->pcap);
}

/* Of several threads that see it at the same time one says so. */
static void
gone(const struct source *s, const char *why)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&said))
		fatal_status(EXIT_INTERFACE_GONE, "interface %s: %s", s->nic.name, why);
}

int
source_read(void *handle, struct lane *l, int most)
{
	struct source *s = handle;
	uint64_t before = l->now[LANE_FRAMES] + l->now[LANE_RING_DROPS];
	int error = nic_error(source_fd(s));
	int n;

	/* Looked at before libpcap does, which waits for an interface that is down to come back. */
	if (error != 0) {
		gone(s, strerrordesc_np(error));
		return 0;
	}
	s->lane = l;
	n = pcap_dispatch(s->pcap, most, on_frame, (u_char *)(void *)s);
	if (n < 0 && n != PCAP_ERROR_BREAK) {
		gone(s, pcap_geterr(s->pcap));
		return 0;
	}
	return (int)(l->now[LANE_FRAMES] + l->now[LANE_RING_DROPS] - before);
}
