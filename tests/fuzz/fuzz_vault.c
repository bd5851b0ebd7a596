/* The file of master keys, and boxes that anybody may have written. */
#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "vault/box.h"
#include "vault/master.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

static struct master_keys keys;

static void
try_file(const char *text, size_t n)
{
	struct master_keys a, b;
	char err[200] = "", again[MASTER_FILE_MAX];
	size_t len;

	if (!master_parse(text, n, &a, err, sizeof(err))) {
		assert(err[0] != '\0' && a.n == 0);
		return;
	}
	len = master_format(&a, again, sizeof(again));
	assert(len > 0 && master_parse(again, len, &b, err, sizeof(err)));
	assert(memcmp(&a, &b, sizeof(a)) == 0);
}

/* Nobody without the key makes a box that opens. */
static void
try_box(const uint8_t *d, size_t n)
{
	const struct box_place at = { "accounts", "k", 1 };
	static uint8_t named[4096], out[4096];
	struct master_id id;
	size_t got;

	assert(box_open(&keys, &at, d, n, out, sizeof(out), &got, &id) != BOX_OPENED && got == 0);
	if (n <= MASTER_ID_BYTES || n > sizeof(named))
		return;
	memcpy(named, d, n);
	memcpy(named + 1, keys.key[0].id.b, MASTER_ID_BYTES);
	assert(box_open(&keys, &at, named, n, out, sizeof(out), &got, &id) != BOX_OPENED && got == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	if (keys.n == 0) {
		assert(sodium_init() != -1);
		master_draw(&keys.key[0]);
		keys.n = 1;
	}
	if (n > MASTER_FILE_MAX)
		return 0;
	try_file((const char *)d, n);
	try_box(d, n);
	return 0;
}
