/* Lines of a file of anchors, which anybody may have had. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "audit/anchor.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	struct audit_walk w = { 0 };
	struct audit_anchor a, b;
	char text[AUDIT_ANCHOR_TEXT_MAX];

	if (!audit_anchor_parse((const char *)d, n, &a))
		return 0;
	(void)audit_anchor_format(&a, text);
	assert(audit_anchor_parse(text, strlen(text), &b));
	assert(a.sequence == b.sequence && a.epoch == b.epoch && a.time_ns == b.time_ns);
	assert(memcmp(a.hash, b.hash, sizeof(a.hash)) == 0 &&
	       memcmp(a.signature, b.signature, sizeof(a.signature)) == 0);
	w.head.sequence = a.sequence;
	assert(!audit_anchor_holds(&w, &a) || w.found.fault == AUDIT_SOUND);
	return 0;
}
