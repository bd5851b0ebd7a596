#include "audit_key.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"

#define BLOCK_BYTES 512 /* a sector: disks write it whole or not at all */

static const char magic[8] = "WEIRAUK1";

/* Its bytes are as secret as what is in them. */
struct block {
	uint8_t b[BLOCK_BYTES];
};

static void
checksum(const uint8_t *bytes, size_t len, uint8_t out[static 32])
{
	(void)crypto_generichash(out, 32, bytes, len, NULL, 0);
}

enum audit_key_status
audit_key_read(int fd, struct audit_key *k)
{
	struct block block;
	uint8_t sum[32], kept[32] = { 0 };
	ssize_t n = pread(fd, block.b, sizeof(block.b), 0);
	struct rcur c = rcur_of(block.b, sizeof(block.b));
	bool good;

	memset(k, 0, sizeof(*k));
	if (n == 0)
		return AUDIT_KEY_EMPTY;
	good = n == BLOCK_BYTES && memcmp(rcur_take(&c, sizeof(magic)), magic, sizeof(magic)) == 0;
	k->epoch = rcur_be32(&c);
	rcur_copy(&c, k->secret, sizeof(k->secret));
	k->next_epoch = rcur_be32(&c);
	rcur_copy(&c, k->next_secret, sizeof(k->next_secret));
	checksum(block.b, (size_t)(c.p - block.b), sum);
	rcur_copy(&c, kept, sizeof(kept));
	good = good && !c.bad && memcmp(sum, kept, sizeof(sum)) == 0 && k->epoch > 0;
	sodium_memzero(&block, sizeof(block));
	if (good)
		return AUDIT_KEY_READ;
	sodium_memzero(k, sizeof(*k));
	return AUDIT_KEY_DAMAGED;
}

bool
audit_key_write(int fd, const struct audit_key *k)
{
	struct block block = { { 0 } };
	struct wcur w = wcur_of(block.b, sizeof(block.b));
	uint8_t sum[32];
	ssize_t n;

	wcur_put(&w, magic, sizeof(magic));
	wcur_be32(&w, k->epoch);
	wcur_put(&w, k->secret, sizeof(k->secret));
	wcur_be32(&w, k->next_epoch);
	wcur_put(&w, k->next_secret, sizeof(k->next_secret));
	checksum(block.b, wcur_len(&w), sum);
	wcur_put(&w, sum, sizeof(sum));
	n = pwrite(fd, block.b, sizeof(block.b), 0);
	sodium_memzero(&block, sizeof(block));
	if (n != BLOCK_BYTES && n != -1)
		errno = ENOSPC;
	return n == BLOCK_BYTES && fdatasync(fd) == 0;
}
