/* Records of the audit log, as a database that somebody edited may have them. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "audit/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	uint8_t again[AUDIT_RECORD_MAX];
	struct audit_walk w = { 0 };
	struct audit_entry e;
	struct audit_seal s;
	size_t len;

	(void)audit_walk_step(&w, 1, d, n, true, &e);
	if (!audit_entry_decode(d, n, &e, &s))
		return 0;
	assert(audit_kind_name(e.kind) != NULL && audit_kind_named(audit_kind_name(e.kind)) == e.kind);
	assert(audit_outcome_name(e.outcome) != NULL);
	/* A record that is good has one encoding: the one that was read. */
	len = audit_entry_encode(&e, &s, again, sizeof(again));
	assert(len + AUDIT_SIGNATURE_BYTES == n && memcmp(again, d, len) == 0);
	return 0;
}
