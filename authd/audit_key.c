#include "audit_key.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "vault/box.h"

#define BLOCK_BYTES 512 /* a sector: disks write it whole or not at all */

/* What follows the magic: the keys and a checksum, or the keys in a box. */
static const char magic_plain[8] = "WEIRAUK1", magic_sealed[8] = "WEIRAUK2";
static const struct box_place place = { .name = "audit.key" };

/* The keys, as they lie in the file: numbers are big-endian. */
struct kept {
	uint8_t epoch[4], secret[AUDIT_SECRET_BYTES], next_epoch[4], next_secret[AUDIT_SECRET_BYTES];
};
static_assert(sizeof(struct kept) == 136, "no padding: it is on disk");
#define KEYS_BYTES sizeof(struct kept)

/* Its bytes are as secret as what is in them. */
struct block {
	uint8_t b[BLOCK_BYTES];
};

static void
checksum(const uint8_t *bytes, size_t len, uint8_t out[static 32])
{
	(void)crypto_generichash(out, 32, bytes, len, NULL, 0);
}

static bool
take_keys(const struct kept *kept, struct audit_key *k)
{
	struct rcur epoch = rcur_of(kept->epoch, sizeof(kept->epoch));
	struct rcur next_epoch = rcur_of(kept->next_epoch, sizeof(kept->next_epoch));

	k->epoch = rcur_be32(&epoch);
	memcpy(k->secret, kept->secret, sizeof(k->secret));
	k->next_epoch = rcur_be32(&next_epoch);
	memcpy(k->next_secret, kept->next_secret, sizeof(k->next_secret));
	return k->epoch > 0;
}

static enum audit_key_status
read_plain(const struct block *block, const struct master_keys *keys, struct audit_key *k)
{
	const uint8_t *bytes = block->b + sizeof(magic_plain);
	struct kept kept;
	uint8_t sum[32];
	bool good;

	checksum(block->b, sizeof(magic_plain) + KEYS_BYTES, sum);
	memcpy(&kept, bytes, sizeof(kept));
	good = memcmp(sum, bytes + KEYS_BYTES, sizeof(sum)) == 0 && take_keys(&kept, k);
	sodium_memzero(&kept, sizeof(kept));
	if (!good)
		return AUDIT_KEY_DAMAGED;
	return keys == NULL ? AUDIT_KEY_READ : AUDIT_KEY_OLD;
}

static enum audit_key_status
read_sealed(const struct block *block, const struct master_keys *keys, struct audit_key *k,
	    struct master_id *id)
{
	struct kept kept;
	size_t got;
	enum box_status opened =
	    box_open(keys, &place, block->b + sizeof(magic_sealed), KEYS_BYTES + BOX_OVERHEAD,
		     (uint8_t *)&kept, sizeof(kept), &got, id);
	bool good = opened == BOX_OPENED && take_keys(&kept, k);

	sodium_memzero(&kept, sizeof(kept));
	if (opened == BOX_NO_KEY)
		return AUDIT_KEY_NO_MASTER;
	if (!good)
		return AUDIT_KEY_DAMAGED;
	return memcmp(id->b, keys->key[0].id.b, sizeof(id->b)) == 0 ? AUDIT_KEY_READ : AUDIT_KEY_OLD;
}

enum audit_key_status
audit_key_read(int fd, const struct master_keys *keys, struct audit_key *k, struct master_id *id)
{
	enum audit_key_status status = AUDIT_KEY_DAMAGED;
	struct block block;
	ssize_t n = pread(fd, block.b, sizeof(block.b), 0);

	memset(k, 0, sizeof(*k));
	memset(id, 0, sizeof(*id));
	if (n == 0)
		return AUDIT_KEY_EMPTY;
	if (n == BLOCK_BYTES && memcmp(block.b, magic_plain, sizeof(magic_plain)) == 0)
		status = read_plain(&block, keys, k);
	else if (n == BLOCK_BYTES && memcmp(block.b, magic_sealed, sizeof(magic_sealed)) == 0)
		status = read_sealed(&block, keys, k, id);
	sodium_memzero(&block, sizeof(block));
	if (status != AUDIT_KEY_READ && status != AUDIT_KEY_OLD)
		sodium_memzero(k, sizeof(*k));
	return status;
}

/* False where it cannot be sealed. */
static bool
fill(struct block *block, const struct master_keys *keys, const struct audit_key *k)
{
	uint8_t *at = block->b + sizeof(magic_plain);
	struct kept kept;
	struct wcur epoch = wcur_of(kept.epoch, sizeof(kept.epoch));
	struct wcur next_epoch = wcur_of(kept.next_epoch, sizeof(kept.next_epoch));
	bool good = true;

	wcur_be32(&epoch, k->epoch);
	memcpy(kept.secret, k->secret, sizeof(kept.secret));
	wcur_be32(&next_epoch, k->next_epoch);
	memcpy(kept.next_secret, k->next_secret, sizeof(kept.next_secret));
	if (keys != NULL) {
		memcpy(block->b, magic_sealed, sizeof(magic_sealed));
		good = box_seal(keys, &place, &kept, sizeof(kept), at, KEYS_BYTES + BOX_OVERHEAD) > 0;
	} else {
		memcpy(block->b, magic_plain, sizeof(magic_plain));
		memcpy(at, &kept, sizeof(kept));
		checksum(block->b, sizeof(magic_plain) + KEYS_BYTES, at + KEYS_BYTES);
	}
	sodium_memzero(&kept, sizeof(kept));
	return good;
}

bool
audit_key_write(int fd, const struct master_keys *keys, const struct audit_key *k)
{
	struct block block = { { 0 } };
	ssize_t n = -1;

	if (fill(&block, keys, k))
		n = pwrite(fd, block.b, sizeof(block.b), 0);
	else
		errno = EINVAL;
	sodium_memzero(&block, sizeof(block));
	if (n != BLOCK_BYTES && n != -1)
		errno = ENOSPC;
	return n == BLOCK_BYTES && fdatasync(fd) == 0;
}
