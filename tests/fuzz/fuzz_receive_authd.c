/* What httpd, store, directory, the launcher and command lines send to authd: the real one, with accounts in
 * a directory of its own. Passwords are not hashed here: what the processes that do so would say is told by
 * the password's first byte. */
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authd.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/wire.h"
#include "receiver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUTS_MAX 5000 /* then everything begins anew: what was made stays in the accounts */

static struct authd *authd;
static char dir[64];

/* --- hash_queue.h
 * ------------------------------------------------------------------------------------------------- */

struct hash_queue {
	struct waiting_hash {
		struct hash_answer answer;
		hash_done *done;
		void *ctx;
	} waiting[HASH_QUEUE_MAX];
	unsigned n;
};

struct hash_queue *
hash_queue_fork(const struct hash_cost *cost)
{
	(void)cost;
	return mem_calloc(1, sizeof(struct hash_queue));
}

void
hash_queue_attach(struct hash_queue *q, struct event_base *base, void (*died)(void *ctx), void *ctx)
{
	(void)q;
	(void)base;
	(void)died;
	(void)ctx;
}

static bool
take(struct hash_queue *q, enum hash_verdict verdict, const char *hash, hash_done *done, void *ctx)
{
	struct waiting_hash *w = &q->waiting[q->n];

	if (q->n == HASH_QUEUE_MAX)
		return false;
	q->n++;
	*w = (struct waiting_hash){ { .verdict = verdict }, done, ctx };
	(void)str_copy(w->answer.hash, sizeof(w->answer.hash), hash);
	return true;
}

bool
hash_queue_verify(struct hash_queue *q, const char *password, const char *hash, hash_done *done, void *ctx)
{
	static const enum hash_verdict said[] = { HASH_MISMATCH, HASH_MATCH, HASH_MATCH, HASH_FAILED };
	enum hash_verdict v = hash[0] == '\0' ? HASH_MISMATCH : said[(uint8_t)password[0] % 4];

	return take(q, v, (uint8_t)password[0] % 4 == 2 ? "$argon2id$new" : "", done, ctx);
}

bool
hash_queue_make(struct hash_queue *q, const char *password, hash_done *done, void *ctx)
{
	return take(q, (uint8_t)password[0] % 8 == 7 ? HASH_FAILED : HASH_MADE, "$argon2id$made", done, ctx);
}

uint64_t
hash_queue_refused(const struct hash_queue *q)
{
	(void)q;
	return 0;
}

static void
tell_hashes(void)
{
	struct hash_queue *q = authd->hashing;

	for (unsigned i = 0; i < q->n; i++) {
		struct waiting_hash w = q->waiting[i];

		w.done(w.ctx, &w.answer);
	}
	q->n = 0;
	event_base_loop(authd->base, EVLOOP_NONBLOCK);
}

/* --- the process
 * -------------------------------------------------------------------------------------------------- */

static void
clean_up(void)
{
	static const char *const files[] = { "accounts.mdb", "accounts.mdb-lock", "audit.key", "audit.tail" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		(void)unlink(files[i]);
	(void)rmdir(dir);
}

/* On memory, where there is such a directory: what is written waits for no disk. */
static void
make_directory(void)
{
	(void)snprintf(dir, sizeof(dir), "%s/weir-authd-fuzz-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir) == NULL || chdir(dir) == -1 || atexit(clean_up) != 0)
		fatal("no directory for accounts");
	(void)umask(077);
}

static void
begin(void)
{
	static struct boot *b;

	if (b == NULL) {
		make_directory();
		b = receiver_boot(PROC_AUTHD);
		/* A command line beside the launcher. */
		b->peers[b->npeers++] = (struct boot_peer){ .proc = PROC_WEIR, .instance = 1 };
	}
	authd = authd_new(b);
}

static void
begin_anew(void)
{
	static const char *const files[] = { "accounts.mdb", "accounts.mdb-lock", "audit.key", "audit.tail" };
	struct hash_queue *q = authd->hashing;

	(void)authd_free(&authd);
	free(q);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		(void)unlink(files[i]);
	begin();
}

/* What is handed over is as long as is said, and texts end: mostly. */
static void
make_good(const struct channel *from, enum msg_id id, uint8_t *body, size_t len, size_t memory)
{
	struct wire_directory_told d;
	struct wire_oidc_told o;
	struct wire_cli_apply a;

	(void)from;
	if (len == 0 || body[0] % 4 == 3)
		return;
	if (id == MSG_DIRECTORY_TOLD) {
		memcpy(&d, body, sizeof(d));
		d.len = (uint32_t)memory;
		memcpy(body, &d, sizeof(d));
	} else if (id == MSG_OIDC_TOLD) {
		memcpy(&o, body, sizeof(o));
		o.len = (uint32_t)memory;
		memcpy(body, &o, sizeof(o));
	} else if (id == MSG_CLI_APPLY) {
		memcpy(&a, body, sizeof(a));
		a.body_len = (uint32_t)memory;
		memcpy(body, &a, sizeof(a));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct receiver_hooks hooks = { .before = make_good, .after = tell_hashes };
	static unsigned inputs;

	if (authd == NULL) {
		if (sodium_init() == -1)
			fatalx("libsodium does not start");
		begin();
	} else if (++inputs % INPUTS_MAX == 0) {
		begin_anew();
	}
	receiver_run(&hooks, data, size);
	return 0;
}
