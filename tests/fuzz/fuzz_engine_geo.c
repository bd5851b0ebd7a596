/* An MMDB file of any bytes: refused, or every place found in it is printable and within its bounds. */
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libmaxminddb 1.7.1 forgets a list of some 5 KB where a file's own description of itself is damaged: within
 * MMDB_open, populate_languages_metadata returns without MMDB_free_entry_data_list where a language is no
 * text, and both populate_* where MMDB_get_entry_data_list made the list but says that something in it is
 * broken. Nobody else ever knew of the list: once for each such file that an administrator puts in place, so
 * the engine can live with it. geo.c makes no such lists, so nothing of its own is hidden by this. */
const char *
__lsan_default_suppressions(void); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
const char *
__lsan_default_suppressions(void) /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
{
	return "leak:data_pool_new";
}

static void
check_text(const char *text, size_t len)
{
	assert(len <= GEO_TEXT_MAX);
	for (size_t i = 0; i < len; i++)
		assert((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static int
sealed(const uint8_t *data, size_t size)
{
	int fd = memfd_create("geo", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert(fd != -1 && write(fd, data, size) == (ssize_t)size);
	assert(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const addresses[] = { "198.51.100.7", "10.0.0.1", "2001:db8::1",
						 "255.255.255.255" };
	struct geo *g = geo_new();
	struct geo_place p;

	if (geo_take(g, 0, sealed(data, size), "input")) {
		for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
			struct ip_addr ip;

			assert(ip_parse(addresses[i], &ip));
			geo_find(g, &ip, &p);
			check_text(p.as_name, p.as_name_len);
			check_text(p.city, p.city_len);
			assert((p.country[0] == 0) == (p.country[1] == 0));
		}
	}
	geo_free(&g);
	return 0;
}
