#include "master.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define WORD     "weir-master-key 1 "
#define ID_HEX   (2 * MASTER_ID_BYTES)
#define KEY_HEX  (2 * MASTER_KEY_BYTES)
#define LINE_LEN (sizeof(WORD) - 1 + ID_HEX + 1 + KEY_HEX)

/* What keys are made of the master key for (crypto_kdf's subkey numbers). */
enum purpose { FOR_BOXES = 1, FOR_ID = 2 };

static void
derive(struct master_key *k)
{
	static const char context[crypto_kdf_CONTEXTBYTES] = { 'W', 'e', 'i', 'r', 'V', 'l', 't', '1' };
	uint8_t id[crypto_kdf_BYTES_MIN];

	(void)crypto_kdf_derive_from_key(k->box, sizeof(k->box), FOR_BOXES, context, k->secret);
	(void)crypto_kdf_derive_from_key(id, sizeof(id), FOR_ID, context, k->secret);
	memcpy(k->id.b, id, sizeof(k->id.b));
}

void
master_draw(struct master_key *k)
{
	randombytes_buf(k->secret, sizeof(k->secret));
	derive(k);
}

const char *
master_id_text(const struct master_id *id, char out[static MASTER_ID_TEXT])
{
	return sodium_bin2hex(out, MASTER_ID_TEXT, id->b, sizeof(id->b));
}

const struct master_key *
master_find(const struct master_keys *keys, const struct master_id *id)
{
	for (uint32_t i = 0; keys != NULL && i < keys->n; i++)
		if (memcmp(keys->key[i].id.b, id->b, sizeof(id->b)) == 0)
			return &keys->key[i];
	return NULL;
}

static bool
unhex(const char *text, size_t digits, uint8_t *out)
{
	size_t got = 0;

	return sodium_hex2bin(out, digits / 2, text, digits, NULL, &got, NULL) == 0 && got == digits / 2;
}

/* NULL where the line is one, else what is wrong with it. */
static const char *
parse_line(const char *line, size_t len, struct master_key *k)
{
	const char *id = line + sizeof(WORD) - 1, *key = id + ID_HEX + 1;
	struct master_id said;

	if (len != LINE_LEN || memcmp(line, WORD, sizeof(WORD) - 1) != 0 || id[ID_HEX] != ' ' ||
	    !unhex(id, ID_HEX, said.b) || !unhex(key, KEY_HEX, k->secret))
		return "it is no master key (`weir key new FILE` makes one)";
	derive(k);
	return memcmp(said.b, k->id.b, sizeof(said.b)) == 0 ? NULL : "it is not whole: id and key do not fit";
}

static const char *
take_line(struct master_keys *keys, const char *line, size_t len)
{
	const char *wrong;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0 || line[0] == '#')
		return NULL;
	if (keys->n == MASTER_KEYS)
		return "there are more than two keys";
	wrong = parse_line(line, len, &keys->key[keys->n]);
	if (wrong != NULL)
		return wrong;
	if (master_find(keys, &keys->key[keys->n].id) != NULL)
		return "the key stands there twice";
	keys->n++;
	return NULL;
}

bool
master_parse(const char *text, size_t len, struct master_keys *keys, char *err, size_t errsize)
{
	const char *wrong = NULL;
	unsigned number = 0;

	sodium_memzero(keys, sizeof(*keys));
	for (size_t at = 0; at < len && wrong == NULL;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - (text + at));

		number++;
		wrong = take_line(keys, text + at, n);
		at += n + 1;
	}
	if (wrong == NULL && keys->n > 0)
		return true;
	if (wrong != NULL)
		(void)snprintf(err, errsize, "line %u: %s", number, wrong);
	else
		(void)snprintf(err, errsize, "no master key is in it (`weir key new FILE` makes one)");
	sodium_memzero(keys, sizeof(*keys));
	return false;
}

size_t
master_format(const struct master_keys *keys, char *out, size_t size)
{
	char id[MASTER_ID_TEXT], key[KEY_HEX + 1];
	size_t at = 0;

	for (uint32_t i = 0; i < keys->n; i++) {
		int n = snprintf(
		    out + at, size - at, WORD "%s %s\n", master_id_text(&keys->key[i].id, id),
		    sodium_bin2hex(key, sizeof(key), keys->key[i].secret, sizeof(keys->key[i].secret)));

		sodium_memzero(key, sizeof(key));
		if (n < 0 || (size_t)n >= size - at) {
			sodium_memzero(out, size);
			return 0;
		}
		at += (size_t)n;
	}
	return at;
}
