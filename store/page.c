/* A cursor: kind and order, then where the page ended, then a keyed hash (BLAKE2b) over it and the tenant,
 * from which also comes what hides it: where a page ended may be at a row that its reader does not see. */
#include "page.h"

#include <sodium.h>
#include <string.h>

#include "base/cursor.h"

#define MAC_LEN  16
#define TEXT_LEN (PAGE_LEN - MAC_LEN)

_Static_assert(TEXT_LEN == 4 + 8 + 4 + TOPK_TIE, "the fields fill the text");
_Static_assert(PAGE_LEN <= CURSOR_MAX, "a cursor fits its field");

static void
mac(const uint8_t key[static 32], uint32_t tenant, const uint8_t text[static TEXT_LEN],
    uint8_t out[static MAC_LEN])
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, key, 32, MAC_LEN);
	crypto_generichash_update(&st, (const uint8_t *)&tenant, sizeof(tenant));
	crypto_generichash_update(&st, text, TEXT_LEN);
	crypto_generichash_final(&st, out, MAC_LEN);
}

/* Both ways. The hash is different for each text, as the stream that it makes is. */
static void
veil(const uint8_t key[static 32], const uint8_t hash[static MAC_LEN], uint8_t text[static TEXT_LEN])
{
	uint8_t stream[TEXT_LEN];

	crypto_generichash(stream, sizeof(stream), hash, MAC_LEN, key, 32);
	for (size_t i = 0; i < TEXT_LEN; i++)
		text[i] ^= stream[i];
}

void
page_seal(const uint8_t key[static 32], uint32_t tenant, const struct page *p, uint8_t out[static PAGE_LEN])
{
	struct wcur c = wcur_of(out, PAGE_LEN);

	wcur_be16(&c, (uint16_t)p->kind);
	wcur_u8(&c, (uint8_t)p->sort);
	wcur_u8(&c, (uint8_t)p->ascending);
	wcur_be64(&c, p->at.value);
	wcur_be32(&c, p->at.tenant);
	wcur_put(&c, p->at.tie, sizeof(p->at.tie));
	mac(key, tenant, out, out + TEXT_LEN);
	veil(key, out + TEXT_LEN, out);
}

bool
page_open(const uint8_t key[static 32], uint32_t tenant, const uint8_t *bytes, size_t len, struct page *p)
{
	uint8_t good[MAC_LEN], text[TEXT_LEN];
	struct rcur c = rcur_of(text, sizeof(text));

	if (len != PAGE_LEN)
		return false;
	memcpy(text, bytes, sizeof(text));
	veil(key, bytes + TEXT_LEN, text);
	mac(key, tenant, text, good);
	if (sodium_memcmp(good, bytes + TEXT_LEN, MAC_LEN) != 0)
		return false;
	memset(p, 0, sizeof(*p));
	p->kind = rcur_be16(&c);
	p->sort = rcur_u8(&c);
	p->ascending = rcur_u8(&c);
	p->at.value = rcur_be64(&c);
	p->at.tenant = rcur_be32(&c);
	return rcur_copy(&c, p->at.tie, sizeof(p->at.tie));
}
