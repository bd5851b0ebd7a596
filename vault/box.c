#include "box.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define MARK        0xb5u /* records begin with their version, a small number */
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define HEAD_BYTES  (1 + MASTER_ID_BYTES + NONCE_BYTES)

static_assert(BOX_OVERHEAD == HEAD_BYTES + TAG_BYTES, "box.h agrees");
static_assert(sizeof(((struct master_key *)NULL)->box) == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
	      "master.h agrees");

/* The place as bytes: the name with its end, then the key. 0 where it is too long. */
static size_t
place_bytes(const struct box_place *at, uint8_t out[static BOX_PLACE_MAX])
{
	size_t n = strlen(at->name) + 1;

	if (n > BOX_PLACE_MAX || at->key_len > BOX_PLACE_MAX - n)
		return 0;
	memcpy(out, at->name, n);
	if (at->key_len > 0)
		memcpy(out + n, at->key, at->key_len);
	return n + at->key_len;
}

size_t
box_seal(const struct master_keys *keys, const struct box_place *at, const void *plain, size_t len,
	 uint8_t *out, size_t size)
{
	const struct master_key *k = &keys->key[0];
	uint8_t place[BOX_PLACE_MAX], *nonce = out + 1 + MASTER_ID_BYTES;
	size_t n = place_bytes(at, place);

	if (keys->n == 0 || n == 0 || size < BOX_OVERHEAD || len > size - BOX_OVERHEAD)
		return 0;
	out[0] = MARK;
	memcpy(out + 1, k->id.b, MASTER_ID_BYTES);
	randombytes_buf(nonce, NONCE_BYTES);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + HEAD_BYTES, NULL, plain, len, place, n, NULL,
							 nonce, k->box);
	return len + BOX_OVERHEAD;
}

bool
box_is(const void *bytes, size_t len)
{
	return len >= BOX_OVERHEAD && ((const uint8_t *)bytes)[0] == MARK;
}

enum box_status
box_open(const struct master_keys *keys, const struct box_place *at, const void *box, size_t len,
	 uint8_t *out, size_t size, size_t *got, struct master_id *id)
{
	const uint8_t *b = box;
	const struct master_key *k;
	struct master_id said;
	uint8_t place[BOX_PLACE_MAX];
	size_t n = place_bytes(at, place);

	*got = 0;
	if (!box_is(box, len))
		return BOX_NONE;
	memcpy(said.b, b + 1, sizeof(said.b));
	if (id != NULL)
		*id = said;
	k = master_find(keys, &said);
	if (k == NULL)
		return BOX_NO_KEY;
	if (n == 0 || len - BOX_OVERHEAD > size ||
	    crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, b + HEAD_BYTES, len - HEAD_BYTES,
						       place, n, b + 1 + MASTER_ID_BYTES, k->box) != 0)
		return BOX_BROKEN;
	*got = len - BOX_OVERHEAD;
	return BOX_OPENED;
}
