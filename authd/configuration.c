#include "configuration.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define RECORD_VERSION 1
#define RECORD_LEN     (1 + 32) /* the version, BLAKE2b-256 of the value */
#define KEY_MAX        64       /* bytes of a key of settings.def */
#define KEPT_MAX       1024     /* keys that are looked at */
#define MORE_MAX       32       /* bytes of ", and N more" */

struct record {
	uint8_t b[RECORD_LEN];
};

bool
configuration_good(struct db_bytes key, struct db_bytes value)
{
	const uint8_t *k = key.p, *v = value.p;

	if (key.n < 1 || key.n > KEY_MAX || value.n != RECORD_LEN || v[0] != RECORD_VERSION)
		return false;
	for (size_t i = 0; i < key.n; i++)
		if ((k[i] < 'a' || k[i] > 'z') && (k[i] < '0' || k[i] > '9') && k[i] != '_' && k[i] != '.')
			return false;
	return true;
}

/* --- the keys that changed --- */

struct difference {
	size_t n, unnamed;
	char names[AUDIT_DETAIL_MAX - MORE_MAX];
};

static void
note(struct difference *d, struct db_bytes key)
{
	size_t at = strlen(d->names), room = sizeof(d->names) - at;
	int n =
	    snprintf(d->names + at, room, "%s%.*s", d->n == 0 ? "" : ", ", (int)key.n, (const char *)key.p);

	d->n++;
	if (d->unnamed == 0 && n > 0 && (size_t)n < room)
		return;
	d->names[at] = '\0';
	d->unnamed++;
}

static void
write_entry(struct audit *au, struct txn *x, const struct difference *d)
{
	struct audit_entry e = audit_entry_of(AUDIT_CONFIGURATION_CHANGED, AUDIT_DONE, "system", "weir.yaml");

	if (d->unnamed == 0)
		audit_detail(&e, "%s", d->names);
	else
		audit_detail(&e, "%s, and %zu more", d->names, d->unnamed);
	audit_add(au, x, &e);
}

/* --- one key after another --- */

static void
compare(struct txn *x, const struct settings *s, size_t i, struct difference *d)
{
	const char *name = settings_key(i);
	struct db_bytes key = db_bytes(name, strlen(name)), kept;
	struct record now = { { RECORD_VERSION } };
	char value[SETTINGS_VALUE_MAX];
	size_t n = settings_value(s, i, value);

	(void)crypto_generichash(now.b + 1, sizeof(now.b) - 1, (const uint8_t *)value, n, NULL, 0);
	if (!txn_look(x, TABLE_CONFIGURATION, key, &kept) && settings_row_is_spare(s, i))
		return;
	if (txn_look(x, TABLE_CONFIGURATION, key, &kept) && kept.n == sizeof(now.b) &&
	    memcmp(kept.p, now.b, sizeof(now.b)) == 0)
		return;
	note(d, key);
	txn_put(x, TABLE_CONFIGURATION, key, db_bytes(now.b, sizeof(now.b)));
}

struct gone {
	size_t n;
	char key[KEPT_MAX][KEY_MAX + 1];
};

static bool
take_gone(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct gone *g = ctx;
	char near[KEY_MAX + 1], *name;

	if (g->n == KEPT_MAX || !configuration_good(key, value))
		return false;
	name = g->key[g->n];
	memcpy(name, key.p, key.n);
	name[key.n] = '\0';
	if (!settings_known(name, near, sizeof(near)))
		g->n++;
	return true;
}

/* Keys that this version of Weir does not have. */
static void
remove_gone(struct txn *x, struct difference *d)
{
	struct gone *g = mem_calloc(1, sizeof(*g));

	txn_each(x, TABLE_CONFIGURATION, take_gone, g);
	for (size_t i = 0; i < g->n; i++) {
		struct db_bytes key = db_bytes(g->key[i], strlen(g->key[i]));

		note(d, key);
		txn_delete(x, TABLE_CONFIGURATION, key);
	}
	free(g);
}

enum db_status
configuration_note(struct audit *au, struct db *db, const struct settings *s)
{
	struct txn x = txn_begin(db, true);
	bool first = txn_count(&x, TABLE_CONFIGURATION) == 0;
	struct difference d = { .n = 0 };

	for (size_t i = 0; settings_key(i) != NULL; i++)
		compare(&x, s, i, &d);
	remove_gone(&x, &d);
	if (d.n > 0 && !first)
		write_entry(au, &x, &d);
	return txn_end(&x);
}
