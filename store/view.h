/* What one grant sees: every row of every answer goes through here. */
#ifndef WEIR_STORE_VIEW_H
#define WEIR_STORE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "flow_id.h"
#include "policy/decide.h"
#include "store.h"

struct view {
	struct grant grant;
	uint32_t tenant;    /* TENANT_PLATFORM: all, each flow once */
	bool platform;      /* tenant is that */
	bool sees_platform; /* may read what belongs to no tenant: losses, processes */
	const struct store *s;
	/* As it was when the question came, whatever comes meanwhile; point_number: of s->points. */
	struct snapshot *policy;
	uint32_t point_number[BOOT_POINTS_MAX];
	bool masked;        /* remote addresses, and what tells who is there, are hidden: mask.h */
	uint32_t nnarrowed; /* 0: the tenant whole */
	const struct narrowed *narrowed[GRANT_NARROWINGS_MAX];
	struct flow_id_key id; /* flow ids as this tenant sees them */
	int64_t now_ns;        /* UTC now, or where only files are seen the time of their last frame */
	int64_t rate_second;   /* the last full second */
	int64_t since_ns;      /* history before is over for the tenant: its quota of retention */
};

/* To be ended by view_end; g is good (grants_check). Threads beside the loop may ask the view whom it admits
 * and what it masks. */
void view_make(struct store *s, const struct grant *g, struct view *v);
void view_end(struct view *v);
/* For one that is not narrowed and lasts longer than a question: goes on by the policy of now. */
void view_renew(struct store *s, struct view *v);
/* Sets now_ns and rate_second anew. */
void view_clock(struct store *s, struct view *v);
/* What of the tenant's traffic at the point the viewer sees. Where that is not all of it, what is kept of the
 * point as a sum is not for the viewer: part.h sums what is. */
enum narrowed_part view_part(const struct view *v, uint32_t point);
/* All frames of the point are the viewer's business. */
bool view_owns_point(struct store *s, const struct view *v, uint32_t point);
/* ... or at least some of its flows are, as far as the tenant goes. */
bool view_sees_point(struct store *s, const struct view *v, uint32_t point);
/* The last full second of a point. */
int64_t view_point_second(struct store *s, const struct view *v, uint32_t point);

/* Whether every narrowing admits a flow of the tenant's. */
bool view_admits(const struct view *v, const struct rec_flow *f);
/* The same where the place is at hand: narrowings look at nothing else of a flow. */
bool view_admits_at(const struct view *v, const struct vantage *at, const struct ip_addr *client,
		    const struct ip_addr *server);

/* The same of a live one, whose tenant the viewer is. */
bool view_admits_live(const struct view *v, const struct live *l, const struct live_flow *r);

static inline bool
view_sees_flow(const struct view *v, const struct live *l, const struct live_flow *r)
{
	return live_is_active(r) && (v->platform || live_is_of(l, r, v->tenant)) &&
	       (v->nnarrowed == 0 || view_admits_live(v, l, r));
}

/* One live flow after another that the viewer sees. Begins as zero; false: no more. */
struct flow_walk {
	unsigned engine;
	uint32_t at;
};
bool view_next_flow(const struct view *v, struct flow_walk *w, const struct engine **e,
		    const struct live_flow **r);

/* What of a host's counters the viewer sums: the row's own where that is all, else *sum. NULL: it is none of
 * the viewer's; a row that is in other tenants' flows only is none of the platform's. */
const struct host_share *view_host(const struct view *v, const struct host *h, struct host_share *sum);

#endif
