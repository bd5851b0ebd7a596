/*
 * /api/v1/live: one question set a second for each session that watches, whatever the number of its windows;
 * what comes back is written once and sent to all of them. A window that does not read is skipped, then
 * closed.
 */
#ifndef WEIR_HTTPD_LIVE_H
#define WEIR_HTTPD_LIVE_H

#include <stddef.h>

struct httpd;
struct live;

struct live *live_new(struct httpd *h);
/* Ends every stream: at the end. */
void live_stop(struct live *l);
/* Nothing is being asked any more: asks_free came before. */
void live_free(struct live **l);

#endif
