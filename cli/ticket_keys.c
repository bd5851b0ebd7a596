#include "ticket_keys.h"

#include <sodium.h>
#include <string.h>

bool
ticket_keys_open(struct ticket_keys *t)
{
	t->changed_ms = 0;
	t->keys = sodium_malloc(sizeof(*t->keys)); /* locked, in no core dump, wiped when it is freed */
	if (t->keys != NULL)
		ticket_keys_renew(t);
	return t->keys != NULL;
}

void
ticket_keys_close(struct ticket_keys *t)
{
	sodium_free(t->keys);
	t->keys = NULL;
}

bool
ticket_keys_look(struct ticket_keys *t, int64_t now_ms)
{
	if (t->keys == NULL)
		return false;
	if (t->changed_ms == 0)
		t->changed_ms = now_ms;
	if (now_ms - t->changed_ms < TICKET_KEYS_LIFE_MS)
		return false;
	memcpy(t->keys->key[1], t->keys->key[0], TICKET_KEY_BYTES);
	randombytes_buf(t->keys->key[0], TICKET_KEY_BYTES);
	t->keys->n = 2;
	t->changed_ms = now_ms;
	return true;
}

void
ticket_keys_renew(struct ticket_keys *t)
{
	sodium_memzero(t->keys, sizeof(*t->keys));
	randombytes_buf(t->keys->key[0], TICKET_KEY_BYTES);
	t->keys->n = 1;
	t->changed_ms = 0;
}
