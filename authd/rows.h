/* What the tables of authd's database have in common. */
#ifndef WEIR_AUTHD_ROWS_H
#define WEIR_AUTHD_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "db.h"

/* Keys of TABLE_META. */
#define META_FORMAT         "format"
#define META_NEXT_ACCOUNT   "next-account"
#define META_NEXT_GROUP     "next-group"
#define META_NEXT_TENANT    "next-tenant"
#define META_NEXT_NARROWING "next-narrowing"
#define META_SNAPSHOT       "snapshot"
#define META_SIGNING        "signing-key"
#define META_SEALED         "sealed-with" /* id of the master key; not there: nothing is sealed */

/* A missing number is a failure. */
uint64_t meta_number(struct txn *x, const char *key);
void meta_put(struct txn *x, const char *key, uint64_t v);
/* The number, which is then one more. */
uint64_t meta_next(struct txn *x, const char *key);

/* Two numbers as a key: in the order of the first, then of the second. */
struct be64_pair {
	uint8_t b[16];
};
struct be64_pair be64_pair_of(uint64_t first, uint64_t second);
static inline struct db_bytes
be64_pair_bytes(const struct be64_pair *k)
{
	return (struct db_bytes){ k->b, sizeof(k->b) };
}

/* The second numbers of all keys with this first one, ascending: at most max into out; returns how many there
 * are (up to max). */
size_t pairs_of(struct txn *x, enum table t, uint64_t first, uint64_t *out, size_t max);

/* A record under a number, of what an encoder wrote into row_scratch(): n of 0 is a failure. The scratch is
 * wiped. */
void row_put(struct txn *x, enum table t, uint64_t key, size_t n);
void row_put_at(struct txn *x, enum table t, struct db_bytes key, size_t n);
/* Room for the longest record; one at a time. */
uint8_t *row_scratch(size_t *size);

/* The number that a name stands for; 0 where there is none. */
uint64_t name_look(struct txn *x, enum table t, const char *name);
/* DB_EXISTS where it is taken. */
void name_add(struct txn *x, enum table t, const char *name, uint64_t number);
void name_remove(struct txn *x, enum table t, const char *name);

#endif
