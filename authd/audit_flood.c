#include "audit_flood.h"

#include <string.h>

#include "base/clock.h"

void
flood_begin(struct audit_flood *f, int64_t now)
{
	*f = (struct audit_flood){ .budget = FLOOD_BUDGET, .refilled_ns = now };
}

static bool
spend(struct audit_flood *f, int64_t now)
{
	int64_t n = (now - f->refilled_ns) / (FLOOD_REFILL_S * NS_PER_S);

	if (n > 0) {
		f->budget = n > FLOOD_BUDGET - (int64_t)f->budget ? FLOOD_BUDGET : f->budget + (uint32_t)n;
		f->refilled_ns += n * FLOOD_REFILL_S * NS_PER_S;
	}
	if (f->budget == 0)
		return false;
	f->budget--;
	return true;
}

static struct ip_addr
network_of(const struct ip_addr *a)
{
	struct ip_addr n = *a;

	if (!ip_is_v4(a))
		memset(n.b + 8, 0, 8);
	return n;
}

static void
count(struct audit_flood *f, const struct ip_addr *address, int64_t now)
{
	struct ip_addr net = network_of(address);

	if (f->begun_ns == 0)
		f->begun_ns = now;
	for (size_t i = 0; i < f->nrows; i++)
		if (ip_equal(&f->row[i].network, &net)) {
			f->row[i].count++;
			return;
		}
	if (f->nrows < FLOOD_ROWS)
		f->row[f->nrows++] = (struct flood_row){ net, 1 };
	else
		f->others++;
}

bool
flood_admit(struct audit_flood *f, const struct ip_addr *address, bool held_back, int64_t now)
{
	if (!held_back && spend(f, now))
		return true;
	count(f, address, now);
	return false;
}

bool
flood_due(const struct audit_flood *f, int64_t now)
{
	return f->begun_ns != 0 && now - f->begun_ns >= FLOOD_TELL_S * NS_PER_S;
}

void
flood_settle(struct audit_flood *f, int64_t now, flood_tell *tell, void *ctx)
{
	struct audit_flood left = *f;

	left.nrows = 0;
	for (size_t i = 0; i < f->nrows; i++) {
		if (!spend(&left, now))
			left.others += f->row[i].count;
		else if (!tell(ctx, &f->row[i].network, f->row[i].count))
			left.row[left.nrows++] = f->row[i];
	}
	if (left.others > 0 && tell(ctx, NULL, left.others))
		left.others = 0;
	left.begun_ns = left.nrows > 0 || left.others > 0 ? now : 0;
	*f = left;
}
