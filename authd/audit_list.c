#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "audit_log.h"
#include "base/cursor.h"
#include "base/json_write.h"
#include "base/mem.h"

#define LOOK_MOST 20000 /* entries looked at for one page: authd's loop waits that long */

/* A cursor says where to go on; how many entries others have is none of its reader's business, so it is
 * encrypted, and good for whose entries it was made of. */
struct sealed {
	uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];
	uint8_t body[8 + crypto_aead_xchacha20poly1305_ietf_ABYTES];
};
static_assert(2 * sizeof(struct sealed) < AUDIT_CURSOR_MAX, "its text fits");

static struct be64
whose(const struct audit_query *q)
{
	return be64_of(q->one_tenant ? q->tenant : UINT64_MAX);
}

static void
cursor_of(const struct audit *au, const struct audit_query *q, uint64_t below,
	  char out[static AUDIT_CURSOR_MAX])
{
	const struct be64 n = be64_of(below), of = whose(q);
	struct sealed s;

	randombytes_buf(s.nonce, sizeof(s.nonce));
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(s.body, NULL, n.b, sizeof(n.b), of.b, sizeof(of.b),
							 NULL, s.nonce, au->cursor_key);
	(void)sodium_bin2hex(out, AUDIT_CURSOR_MAX, (const uint8_t *)&s, sizeof(s));
}

static bool
cursor_read(const struct audit *au, const struct audit_query *q, uint64_t *below)
{
	const struct be64 of = whose(q);
	const char *text = q->cursor;
	struct sealed s;
	struct be64 n;
	size_t got = 0;

	return sodium_hex2bin((uint8_t *)&s, sizeof(s), text, strlen(text), NULL, &got, NULL) == 0 &&
	       got == sizeof(s) &&
	       crypto_aead_xchacha20poly1305_ietf_decrypt(n.b, NULL, NULL, s.body, sizeof(s.body), of.b,
							  sizeof(of.b), s.nonce, au->cursor_key) == 0 &&
	       be64_read(be64_bytes(&n), below);
}

struct page {
	const struct audit_query *q;
	struct json_writer *w;
	unsigned written, looked;
	uint64_t next; /* go on below this; 0: there is no more */
};

static void
text_or_null(struct json_writer *w, const char *key, const char *s)
{
	json_string(w, key, s[0] == '\0' ? NULL : s);
}

static void
write_entry(struct page *p, const struct audit_entry *e)
{
	char address[IP_TEXT_MAX];

	json_object(p->w, NULL);
	/* The numbers have gaps for who sees one tenant only: they would tell how much others do. */
	if (!p->q->one_tenant)
		json_uint(p->w, "sequence", e->sequence);
	json_time_ns(p->w, "time", e->time_ns);
	json_string(p->w, "kind", audit_kind_name(e->kind));
	json_string(p->w, "outcome", audit_outcome_name(e->outcome));
	json_string(p->w, "actor", e->actor);
	json_string(p->w, "address", e->has_address ? ip_format(&e->address, address) : NULL);
	text_or_null(p->w, "credential", e->credential);
	text_or_null(p->w, "tenant", e->tenant_name);
	text_or_null(p->w, "subject", e->subject);
	text_or_null(p->w, "detail", e->detail);
	json_object_end(p->w);
}

static bool
wanted(const struct audit_query *q, const struct audit_entry *e)
{
	return e->time_ns >= q->from_ns && e->time_ns < q->to_ns &&
	       (q->kind == AUDIT_NONE || e->kind == q->kind) &&
	       (q->actor[0] == '\0' || strcmp(e->actor, q->actor) == 0) &&
	       (!q->one_tenant || e->tenant == q->tenant);
}

static bool
visit(void *ctx, struct db_bytes key, struct db_bytes record)
{
	struct page *p = ctx;
	struct audit_entry e;
	struct audit_seal s;

	(void)be64_read(key, &p->next);
	if (p->written == p->q->limit || p->looked++ == LOOK_MOST)
		return false;
	/* What cannot be read is for `weir audit verify` to tell. */
	if (audit_entry_decode(record.p, record.n, &e, &s) && wanted(p->q, &e)) {
		write_entry(p, &e);
		p->written++;
	}
	p->next = 0;
	return true;
}

enum db_status
audit_list(struct audit *au, const struct audit_query *q, struct json_writer *w, const char *key)
{
	struct page p = { .q = q, .w = w };
	uint64_t from = UINT64_MAX;
	char cursor[AUDIT_CURSOR_MAX];
	struct be64 start;
	struct txn x;

	if (q->cursor[0] != '\0' && !cursor_read(au, q, &from))
		return DB_NONE;
	start = be64_of(from);
	x = txn_begin(au->db, false);
	json_object(w, key);
	json_array(w, "entries");
	txn_walk(&x, TABLE_AUDIT, be64_bytes(&start), true, visit, &p);
	json_array_end(w);
	if (p.next != 0)
		cursor_of(au, q, p.next, cursor);
	json_string(w, "cursor", p.next == 0 ? NULL : cursor);
	json_object_end(w);
	return txn_end(&x);
}
