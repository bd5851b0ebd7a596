/*
 * Split-block Bloom filters (Putze, Sanders, Singler 2007): whether a key can be in a set. Each key has eight
 * bits in one block of 32 bytes. Keys are hashes of 64 bits.
 */
#ifndef WEIR_STORE_BLOOM_H
#define WEIR_STORE_BLOOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOOM_BLOCK 32u

/* Bytes of a filter of n keys: about one a key, of which three in a hundred that are not in it seem to be. */
static inline size_t
bloom_size(size_t n)
{
	return (n / BLOOM_BLOCK + 1) * BLOOM_BLOCK;
}

static inline void
bloom_bits(uint64_t hash, uint8_t bit[static 8])
{
	static const uint32_t salt[8] = { 0x47b6137bu, 0x44974d91u, 0x8824ad5bu, 0xa2b7289du,
					  0x705495c7u, 0x2df1424bu, 0x9efc4947u, 0x5c6bfb31u };

	for (int i = 0; i < 8; i++)
		bit[i] = (uint8_t)(((uint32_t)hash * salt[i]) >> 27);
}

static inline size_t
bloom_block(uint64_t hash, size_t size)
{
	return (size_t)(((hash >> 32) * (size / BLOOM_BLOCK)) >> 32) * BLOOM_BLOCK;
}

/* size is what bloom_size said; the filter begins as zeros. */
static inline void
bloom_add(uint8_t *filter, size_t size, uint64_t hash)
{
	uint8_t *b = filter + bloom_block(hash, size), bit[8];

	bloom_bits(hash, bit);
	for (int i = 0; i < 8; i++)
		b[4 * i + bit[i] / 8] |= (uint8_t)(1u << bit[i] % 8);
}

/* False: the key is not in it. size is a multiple of BLOOM_BLOCK, not 0. */
static inline bool
bloom_may_hold(const uint8_t *filter, size_t size, uint64_t hash)
{
	const uint8_t *b = filter + bloom_block(hash, size);
	uint8_t bit[8];

	bloom_bits(hash, bit);
	for (int i = 0; i < 8; i++)
		if ((b[4 * i + bit[i] / 8] >> bit[i] % 8 & 1) == 0)
			return false;
	return true;
}

#endif
