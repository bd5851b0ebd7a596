/*
 * A bounded table of rows by key, for what is known beside flows: where it is full, the row that was learned
 * longest ago makes room. A row is the caller's structure and begins with its key.
 */
#ifndef WEIR_STORE_LRU_H
#define WEIR_STORE_LRU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lru;

/* Keys have no padding. drop frees what a row owns; NULL: nothing. */
struct lru *lru_new(uint32_t max, size_t row_size, size_t key_size, void (*drop)(void *row));
void lru_free(struct lru **l);
/* NULL where there is none. */
void *lru_find(struct lru *l, const void *key);
/* The row of a key, zeroed but for the key where it is new, and the newest from now on. *evicted is set where
 * an older row had to make room. */
void *lru_get(struct lru *l, const void *key, bool *evicted);
/* Every row is one of 0 .. lru_count - 1. */
uint32_t lru_count(const struct lru *l);
void *lru_at(const struct lru *l, uint32_t i);
/* The i of a row: it may be another key's once the row made room. */
uint32_t lru_number(const struct lru *l, const void *row);

#endif
