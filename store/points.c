/* Observation points, as the boot document lists them. */
#include "points.h"

#include "base/clock.h"

#define CLOCK_STEP_NS (INT64_C(3600) * NS_PER_S) /* a clock may be set back by this much under traffic */
#define TIME_MAX_NS   (INT64_C(4102444800) * NS_PER_S) /* 2100-01-01: files may say anything below */

void
points_init(struct points *p, const struct boot *b)
{
	*p = (struct points){ .n = b->npoints };
	for (uint32_t i = 0; i < b->npoints; i++) {
		p->point[i].boot = &b->points[i];
		p->any_interface |= b->points[i].kind == POINT_INTERFACE;
	}
}

uint32_t
points_index(const struct points *p, uint32_t id)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->point[i].boot->id == id)
			return i;
	return POINT_NONE;
}

bool
point_time_ok(const struct point *p, int64_t ns, int64_t now_utc_ns)
{
	if (ns < 0 || ns > TIME_MAX_NS)
		return false;
	return p->boot->kind != POINT_INTERFACE || ns <= now_utc_ns + CLOCK_STEP_NS;
}
