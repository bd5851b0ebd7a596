/* Hashing for tables. Not for secrets and not for integrity: those are libsodium's. */
#ifndef WEIR_BASE_HASH_H
#define WEIR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH3, 64 bits, seeded. A table that strangers fill takes its seed from randombytes_buf (libsodium). */
uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed);

/* One round of folded multiplication: for short fixed keys on the packet path. */
static inline uint64_t
hash_mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 u128;
	u128 m = (u128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

#endif
