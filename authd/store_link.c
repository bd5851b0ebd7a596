#include "store_link.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "authd.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define ALIVE_INTERVAL (2 * NS_PER_S)
#define ALL_SEALS      (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

struct waiting {
	struct waiting *next;
	uint64_t ticket; /* of the last change that store must have taken: it takes them in order */
	bool revocation;
	int64_t deadline_ns;
	struct answer answer;
};

static struct channel *
store_channel(struct authd *a)
{
	return peers_find(a->peers, PROC_STORE, 0);
}

/* --- answers that wait --- */

static void
send_answer(struct authd *a, struct answer *answer)
{
	if (answer->id == MSG_AUTH_ANSWER)
		reply_auth(a, &answer->to, &answer->auth);
	else if (answer->id == MSG_CLI_ANSWER)
		reply_cli(a, &answer->to, &answer->cli);
	else
		reply_admin(a, &answer->to, answer->id, &answer->admin);
	sodium_memzero(answer, sizeof(*answer));
}

/* Takes the answer at *p out of the list and sends it. */
static void
release(struct authd *a, struct waiting **p)
{
	struct waiting *w = *p;

	*p = w->next;
	a->store.nwaiting--;
	send_answer(a, &w->answer);
	free(w);
}

/* An operation is done and on disk by now: its answer stands, with what it does not know. */
static void
refuse(struct answer *answer, enum auth_status status, const char *detail)
{
	if (answer->id == MSG_CLI_ANSWER) {
		answer->cli.status = status;
		answer->cli.grant_len = 0;
		return;
	}
	if (answer->id != MSG_AUTH_ANSWER) {
		answer->admin.unconfirmed = answer->admin.status == ADMIN_OK;
		return;
	}
	answer->auth.status = status;
	answer->auth.grant_len = 0;
	sodium_memzero(answer->auth.cookie, sizeof(answer->auth.cookie));
	(void)str_copy(answer->auth.detail, sizeof(answer->auth.detail), detail);
}

void
store_link_answer(struct authd *a, struct answer *answer, uint64_t ticket, bool revocation)
{
	struct waiting *w, **p = &a->store.first;

	if (ticket <= a->store.taken || store_channel(a) == NULL) {
		send_answer(a, answer);
		return;
	}
	if (a->store.nwaiting >= WAITING_MAX) {
		a->counters.n[COUNTED_AUTHD_ANSWERS_FULL]++;
		refuse(answer, AUTH_BUSY, "Too many requests wait for the store.");
		send_answer(a, answer);
		return;
	}
	w = mem_calloc(1, sizeof(*w));
	w->ticket = ticket;
	w->revocation = revocation;
	w->deadline_ns = clock_boot_ns() + (revocation ? WAIT_REVOCATION_MS : WAIT_GRANT_MS) * NS_PER_MS;
	w->answer = *answer;
	sodium_memzero(answer, sizeof(*answer));
	while (*p != NULL)
		p = &(*p)->next;
	*p = w;
	a->store.nwaiting++;
}

bool
store_link_taken(struct authd *a, const struct wire_grant_change *c)
{
	if (c->ticket == 0 || c->ticket > a->store.ticket)
		return false;
	if (c->ticket > a->store.taken)
		a->store.taken = c->ticket;
	for (struct waiting **p = &a->store.first; *p != NULL;)
		if ((*p)->ticket <= a->store.taken)
			release(a, p);
		else
			p = &(*p)->next;
	return true;
}

static void
expire_waiting(struct authd *a, int64_t now)
{
	for (struct waiting **p = &a->store.first; *p != NULL;) {
		struct waiting *w = *p;

		if (now < w->deadline_ns) {
			p = &w->next;
			continue;
		}
		if (w->revocation) {
			log_warn("store did not confirm a revocation in time");
			refuse(&w->answer, AUTH_UNAVAILABLE,
			       "It is done, but the store did not confirm in time that it knows.");
		}
		release(a, p);
	}
}

/* --- telling store --- */

static void
send_change(struct authd *a, enum msg_id id, const struct live_grant *g)
{
	struct channel *ch = store_channel(a);
	struct wire_grant_change c = { ++a->store.ticket, g->live };

	/* Without store the set that it gets when it is back says the same. */
	if (ch == NULL || !channel_send(ch, id, &c, sizeof(c)))
		a->store.taken = c.ticket;
}

void
store_link_add(struct authd *a, struct live_grant *g)
{
	send_change(a, MSG_GRANT_ADD, g);
	g->ticket = a->store.ticket;
}

void
store_link_revoke(struct authd *a, const struct live_grant *g)
{
	send_change(a, MSG_GRANT_REVOKE, g);
}

static bool
write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, p, n);

		if (k == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool
send_snapshot(struct authd *a, struct channel *ch)
{
	size_t len = 0;
	AUTO(mem_drop) uint8_t *doc = signing_snapshot(&a->signing, a->db, &len);
	AUTO(fd_drop) int fd = memfd_create("weir-policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct wire_snapshot s = { accounts_db_snapshot_number(a->db), len };

	if (doc == NULL || fd == -1 || !write_all(fd, doc, len) || fcntl(fd, F_ADD_SEALS, ALL_SEALS) == -1) {
		log_error("cannot make the policy snapshot: %s",
			  doc == NULL ? "its content is out of bounds" : strerror(errno));
		return false;
	}
	return channel_send_fd(ch, MSG_POLICY_SNAPSHOT, &s, sizeof(s), fd_keep(&fd));
}

void
store_link_snapshot(struct authd *a)
{
	struct channel *ch = store_channel(a);

	if (ch != NULL && !send_snapshot(a, ch))
		channel_end(ch, "it could not be told the policy");
}

/* The whole set, WIRE_GRANT_IDS_PER a message; an empty one is a message too. */
static bool
send_set(struct authd *a, struct channel *ch)
{
	struct {
		struct wire_grant_ids head;
		struct wire_grant_live live[WIRE_GRANT_IDS_PER];
	} part;
	const struct live_grant *g = a->grants.first;
	bool begin = true, end = false;

	static_assert(sizeof(part) == WIRE_GRANT_IDS_MAX, "the ids follow the head at once");
	while (!end) {
		uint32_t n = 0;

		for (; g != NULL && n < WIRE_GRANT_IDS_PER; g = g->next)
			part.live[n++] = g->live;
		end = g == NULL;
		part.head = (struct wire_grant_ids){ begin, end, n, 0 };
		begin = false;
		if (!channel_send(ch, MSG_GRANT_SET, &part, sizeof(part.head) + n * sizeof(part.live[0])))
			return false;
	}
	return true;
}

static bool
send_keys(struct authd *a, struct channel *ch)
{
	struct wire_grant_keys keys;

	signing_public(&a->signing, &keys);
	return channel_send(ch, MSG_GRANT_KEYS, &keys, sizeof(keys));
}

void
store_link_keys(struct authd *a)
{
	struct channel *ch = store_channel(a);

	if (ch != NULL && (!send_keys(a, ch) || !send_snapshot(a, ch)))
		channel_end(ch, "it could not be told the keys");
}

void
store_link_up(struct authd *a, struct channel *ch)
{
	a->store.taken = a->store.ticket; /* whatever was told before, the set says it anew */
	if (!send_keys(a, ch) || !send_snapshot(a, ch) || !send_set(a, ch)) {
		log_warn("store could not be told the keys, the snapshot and the grants");
		return;
	}
	a->store.alive_ns = clock_boot_ns();
	channel_nudge(ch, MSG_AUTHD_ALIVE);
	process_counters_again(&a->counters);
	store_link_directorys(a);
}

void
store_link_directorys(struct authd *a)
{
	struct channel *ch = store_channel(a);

	if (ch != NULL && a->directorys.proc == PROC_DIRECTORY)
		(void)channel_send(ch, MSG_AUTHD_COUNTERS, &a->directorys, sizeof(a->directorys));
}

void
store_link_counters(struct authd *a)
{
	a->counters.n[COUNTED_AUTHD_HASHES_FULL] = hash_queue_refused(a->hashing);
	process_counters_tell(&a->counters, a->peers, a->boot, COUNTED_AUTHD_CHANNEL_BROKEN, PROC_STORE,
			      MSG_AUTHD_COUNTERS);
}

void
store_link_down(struct authd *a)
{
	a->store.taken = a->store.ticket;
	while (a->store.first != NULL)
		release(a, &a->store.first);
}

void
store_link_tick(struct authd *a, int64_t now)
{
	struct channel *ch = store_channel(a);

	expire_waiting(a, now);
	if (ch == NULL || now - a->store.alive_ns < ALIVE_INTERVAL)
		return;
	a->store.alive_ns = now;
	channel_nudge(ch, MSG_AUTHD_ALIVE);
}
