/*
 * Deep packet inspection: nDPI behind one door. One nDPI module an address space, so that nothing that its
 * caches remember of one customer's addresses is ever believed of another's. State exists only while a flow
 * is under detection, in a pool whose size is given at start; beside the pool nDPI allocates strings of those
 * flows only.
 */
#ifndef WEIR_ENGINE_DPI_H
#define WEIR_ENGINE_DPI_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/packet.h"

#define DPI_NONE     UINT32_MAX
#define DPI_TEXT_MAX 255
#define DPI_OS_MAX   63

struct dpi;

/* What can be said of a flow without words: many flows share one. */
struct dpi_meaning {
	uint64_t risks;                 /* bits, by announced number */
	uint16_t application, category; /* announced numbers; 0 unknown */
	uint16_t score;                 /* of the risks together */
	uint8_t confidence;             /* enum confidence */
	uint8_t breed;                  /* enum breed */
};
static_assert(sizeof(struct dpi_meaning) == 16, "compared as bytes");

struct dpi_result {
	struct dpi_meaning meaning;
	bool done;   /* detection is over: release the state */
	bool is_tls; /* server_name is what a TLS or QUIC client asked for */
	size_t server_name_len, info_len, attributes_len;
	char server_name[DPI_TEXT_MAX], info[DPI_TEXT_MAX];
	uint8_t attributes[ATTRIBUTES_MAX]; /* ipc/attribute.h; only where done */
	size_t os_len;                      /* the client's operating system, by its own word */
	char os[DPI_OS_MAX];
};

/* Called for each name before its number appears in a result. */
typedef void dpi_announce(void *ctx, enum name_kind kind, unsigned number, unsigned value, const char *text);

/* Modules 0..modules-1 and room for `states` flows under detection. protocols: a descriptor with rules of
 * nDPI's for applications of the user's own, or -1; it stays the caller's. Dies where nDPI cannot be had. */
struct dpi *dpi_new(unsigned modules, uint32_t states, int protocols, dpi_announce *announce, void *ctx);
void dpi_free(struct dpi **d);

/* Whether a protocol that nDPI knows is served there; of ports 1024 to 49151. */
bool dpi_is_service_port(const struct dpi *d, uint8_t protocol, uint16_t port);

/* State for a flow, or DPI_NONE where all are in use. */
uint32_t dpi_begin(struct dpi *d);
/* Asks for the memory of a state before it is needed. */
void dpi_prefetch(const struct dpi *d, uint32_t state);
/* What memory of states is not needed any more goes back to the kernel. */
void dpi_release(struct dpi *d, uint32_t state);

/* Looks at a packet whose datagram was captured whole and is no later fragment; nth counts the flow's packets
 * from 1. What became known, or that detection is over; NULL: nothing. A result stands until the next one. */
const struct dpi_result *dpi_packet(struct dpi *d, unsigned module, uint32_t state, const struct packet *k,
				    unsigned nth, int64_t ts_ns);
/* The flow ends, or has waited long enough: whatever can be said now. */
const struct dpi_result *dpi_giveup(struct dpi *d, unsigned module, uint32_t state);
/*
 * A packet without payload, made from what the flow knows, client to server: the opening of a connection
 * whose segments without payload were not shown, or all there is to say of a flow that had none.
 */
void dpi_introduce(struct dpi *d, unsigned module, uint32_t state, uint8_t protocol,
		   const struct ip_addr ip[static 2], const uint16_t port[static 2], uint8_t tcp_flags,
		   int64_t ts_ns);
/* A state for one call, which is always free: for flows that end without one. To be released at once. */
uint32_t dpi_spare(struct dpi *d);

#endif
