/* What store itself counts: losses by place, and counts worth showing. */
#ifndef WEIR_STORE_OWN_COUNTERS_H
#define WEIR_STORE_OWN_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

/*       name                  place as shown             is a loss */
#define OWN_COUNTERS(X)                                                                                      \
	X(OWN_BAD_RECORD, "store.bad_record", true) /* a record was a lie; its engine's channel ended */     \
	X(OWN_HOSTS_FULL, "store.hosts_full",                                                                \
	  true) /* a flow's host had no room: its bytes are in no host row */                                \
	X(OWN_SUBJECTS_FULL, "store.subjects_full",                                                          \
	  true) /* as hosts_full, for totals and series of a tenant */                                       \
	X(OWN_SERIES_REFUSED, "store.series_refused",                                                        \
	  false) /* what had no series of its own in a minute and is in (other): a limit was reached */      \
	X(OWN_FACTS_FULL, "store.facts_full",                                                                \
	  false) /* names of an older host, or an older device, made room */                                 \
	X(OWN_NAMES_FULL, "store.names_full", true) /* a new name had no room in the dictionary */           \
	X(OWN_TEXTS_FULL, "store.texts_full",                                                                \
	  false) /* names of a live flow had no room: they are shown once it has ended */                    \
	X(OWN_HISTORY_FULL, "store.history_full", true) /* kept from history while the disk was full */      \
	X(OWN_HISTORY_FORGOTTEN, "store.history_forgotten",                                                  \
	  false) /* kept flows that went before their time: store.size is reached */                         \
	X(OWN_BLOCK_DAMAGED, "store.block_damaged", true) /* looks into blocks of kept flows that fail */    \
	X(OWN_SECONDS_FULL, "store.seconds_full",                                                            \
	  false) /* seconds of more series than are kept by the second: they are in their minutes */         \
	X(OWN_FLOWS_LOST, "store.flows_lost",                                                                \
	  true) /* flows whose engine died before it reported their end */                                   \
	X(OWN_GRANTS_FULL, "store.grants_full", true) /* grants that had no room in the live set */          \
	X(OWN_TENANT_QUOTA, "store.tenant_quota",                                                            \
	  true) /* flows that a tenant did not get: more began in a second than its quota lets */            \
	X(OWN_TENANT_BYTES, "store.tenant_bytes", false) /* of each tenant: what it has of kept flows */     \
	X(OWN_TENANT_FORGOTTEN, "store.tenant_forgotten",                                                    \
	  false) /* kept flows that went because of their tenant's retention or bytes */                     \
	X(OWN_UNKNOWN_SLOT, "store.unknown_slot",                                                            \
	  false) /* counters of a flow that was not opened on this ring */                                   \
	X(OWN_SECOND_AGAIN, "store.second_again",                                                            \
	  false) /* a second that was replayed and had been counted */                                       \
	X(OWN_UNRESOLVED, "store.unresolved",                                                                \
	  false) /* hosts whose name was not asked for: too many at a time, or weir-dial went */             \
	X(OWN_ORDERS_FULL, "store.orders_full",                                                              \
	  false) /* an order of a long live list made room for another's: who looks at it waits anew */      \
	X(OWN_QUESTIONS_REFUSED, "store.questions_refused", false)                                           \
	X(OWN_QUESTIONS_BUSY, "store.questions_busy", false) /* that found no room to wait in */             \
	X(OWN_QUESTIONS_LATE, "store.questions_late", false) /* that took longer than store.query_time */    \
	X(OWN_QUESTIONS_COSTLY, "store.questions_costly",                                                    \
	  false) /* that would have looked into more than store.query_rows */                                \
	X(OWN_QUESTIONS_CANCELLED, "store.questions_cancelled",                                              \
	  false) /* whose asker did not want the answer any more */

enum own_counter {
#define X(name, text, loss) name,
	OWN_COUNTERS(X)
#undef X
	    OWN_COUNTER_COUNT
};

struct own_counters {
	uint64_t n[OWN_COUNTER_COUNT];
};

static inline const char *
own_counter_name(enum own_counter c)
{
	static const char *const names[] = {
#define X(name, text, loss) text,
		OWN_COUNTERS(X)
#undef X
	};

	return names[c];
}

static inline bool
own_counter_is_loss(enum own_counter c)
{
	static const bool loss_of[] = {
#define X(name, text, loss) loss,
		OWN_COUNTERS(X)
#undef X
	};

	return loss_of[c];
}

#endif
