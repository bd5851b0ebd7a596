/* How Weir does, as the API says it: components, history, status. Shared by health and live. */
#ifndef WEIR_HTTPD_STATE_H
#define WEIR_HTTPD_STATE_H

#include "base/json_write.h"
#include "inquiry.h"

/* Whether a role sees the platform's own state. (store decides for itself: this only saves questions that it
 * would refuse.) */
bool role_sees_platform(const char *role);

/* "components" (array), "status" and "history", of a part with ROW_COMPONENT (or without rows). */
void put_state(struct json_writer *w, const struct httpd *h, const struct part *components);
/* The same where store does not answer: only what httpd knows itself. */
void put_state_without_store(struct json_writer *w, const struct httpd *h);
/* The counters of one class as an array. */
void put_counters(struct json_writer *w, const char *key, const struct part *counters,
		  enum counter_class class_);
/* What happened and is no loss, as an array: store's rows, and what httpd counts itself (for who sees the
 * platform). */
void put_events(struct json_writer *w, const char *key, const struct httpd *h, const struct part *counters);
#define OWN_COUNTERS 2u
/* httpd's own counters as rows, 0..OWN_COUNTERS-1, by all workers: requests that were refused because of a
 * quota, and handshakes that got no signature. False where there were none. */
bool own_counter(const struct httpd *h, unsigned which, struct row *row);

#endif
