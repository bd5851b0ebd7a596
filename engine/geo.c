/* The only file that knows libmaxminddb. */
#include "geo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "geo_open.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct file {
	bool open;
	MMDB_s db;
};

struct geo {
	struct file file[BOOT_GEO_FILES];
	uint8_t generation;
};

struct geo *
geo_new(void)
{
	return mem_calloc(1, sizeof(struct geo));
}

void
geo_free(struct geo **gp)
{
	struct geo *g = *gp;

	if (g == NULL)
		return;
	for (unsigned i = 0; i < BOOT_GEO_FILES; i++)
		if (g->file[i].open)
			MMDB_close(&g->file[i].db);
	free(g);
	*gp = NULL;
}

/* Memory that nobody can change under us, of a size that can be. */
static const char *
judge(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals == -1 || (seals & SEALS) != SEALS)
		return "is not sealed";
	if (fstat(fd, &st) == -1 || st.st_size <= 0 || st.st_size > BOOT_GEO_FILE_MAX)
		return "is empty or too large";
	return NULL;
}

bool
geo_take(struct geo *g, unsigned index, int fd_, const char *name)
{
	AUTO(fd_drop) int fd = fd_;
	const char *wrong = index < BOOT_GEO_FILES ? judge(fd) : "is one too many";
	MMDB_s db;
	int status;

	if (wrong != NULL) {
		log_warn("geoip_files: %s: %s; what was there before stays", name, wrong);
		return false;
	}
	geo_open_next(fd_keep(&fd)); /* MMDB_open closes it */
	status = MMDB_open(GEO_OPEN_NAME, MMDB_MODE_MMAP, &db);
	geo_open_next(-1);
	if (status != MMDB_SUCCESS) {
		log_warn("geoip_files: %s: is no MMDB file that can be used: %s; what was there before stays",
			 name, MMDB_strerror(status));
		return false;
	}
	if (g->file[index].open)
		MMDB_close(&g->file[index].db);
	g->file[index].db = db;
	g->file[index].open = true;
	g->generation = (uint8_t)(g->generation == UINT8_MAX ? 1 : g->generation + 1);
	log_info("geoip_files: %s: %s of %llu, %u networks", name, db.metadata.database_type,
		 (unsigned long long)db.metadata.build_epoch, db.metadata.node_count);
	return true;
}

uint8_t
geo_generation(const struct geo *g)
{
	return g->generation;
}

/* --- fields
 * -------------------------------------------------------------------------------------------------------------
 */

/* The value at a path of names (ended by NULL) that is a text; NULL: none. */
static const char *
text_at(MMDB_entry_s *entry, const char *const *path, size_t *len)
{
	MMDB_entry_data_s v;

	if (MMDB_aget_value(entry, &v, path) != MMDB_SUCCESS || !v.has_data ||
	    v.type != MMDB_DATA_TYPE_UTF8_STRING)
		return NULL;
	*len = v.data_size;
	return v.utf8_string;
}

static uint32_t
number_at(MMDB_entry_s *entry, const char *const *path)
{
	MMDB_entry_data_s v;

	if (MMDB_aget_value(entry, &v, path) != MMDB_SUCCESS || !v.has_data)
		return 0;
	switch (v.type) {
	case MMDB_DATA_TYPE_UINT16:
		return v.uint16;
	case MMDB_DATA_TYPE_UINT32:
		return v.uint32;
	case MMDB_DATA_TYPE_UINT64:
		return v.uint64 <= UINT32_MAX ? (uint32_t)v.uint64 : 0;
	default:
		return 0;
	}
}

/* What of a text is kept: whole characters, none that controls. */
static size_t
keep_text(char out[static GEO_TEXT_MAX], const char *text, size_t len)
{
	if (len > GEO_TEXT_MAX) {
		len = GEO_TEXT_MAX;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
	return len;
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* MaxMind and those who follow it: country.iso_code; ip-location-db: country_code; IPinfo: country. */
static void
find_country(MMDB_entry_s *e, struct geo_place *out)
{
	static const char *const maxmind[] = { "country", "iso_code", NULL },
				 *const code[] = { "country_code", NULL },
				 *const plain[] = { "country", NULL };
	static const char *const *const paths[] = { maxmind, code, plain };

	for (size_t i = 0; i < ARRAY_LEN(paths) && out->country[0] == 0; i++) {
		size_t len;
		const char *t = text_at(e, paths[i], &len);

		if (t == NULL || len != 2 || !is_letter(t[0]) || !is_letter(t[1]))
			continue;
		for (unsigned j = 0; j < 2; j++)
			out->country[j] = (char)(t[j] & ~0x20);
	}
}

static size_t
find_text(MMDB_entry_s *e, const char *const *const *paths, size_t n, char out[static GEO_TEXT_MAX])
{
	for (size_t i = 0; i < n; i++) {
		size_t len;
		const char *t = text_at(e, paths[i], &len);

		if (t != NULL && len > 0)
			return keep_text(out, t, len);
	}
	return 0;
}

static void
find_city(MMDB_entry_s *e, struct geo_place *out)
{
	static const char *const maxmind[] = { "city", "names", "en", NULL }, *const plain[] = { "city",
												 NULL };
	static const char *const *const paths[] = { maxmind, plain };

	if (out->city_len == 0)
		out->city_len = find_text(e, paths, ARRAY_LEN(paths), out->city);
}

/* "AS15169" */
static uint32_t
as_of_text(const char *t, size_t len)
{
	uint64_t n = 0;

	if (len < 3 || len > 12 || t[0] != 'A' || t[1] != 'S')
		return 0;
	for (size_t i = 2; i < len; i++) {
		if (t[i] < '0' || t[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(t[i] - '0');
	}
	return n <= UINT32_MAX ? (uint32_t)n : 0;
}

static void
find_as(MMDB_entry_s *e, struct geo_place *out)
{
	static const char *const number[] = { "autonomous_system_number", NULL }, *const asn[] = { "asn",
												   NULL };
	static const char *const organization[] = { "autonomous_system_organization", NULL },
				 *const as_name[] = { "as_name", NULL };
	static const char *const *const names[] = { organization, as_name };
	const char *t;
	size_t len;

	if (out->as_number != 0)
		return;
	out->as_number = number_at(e, number);
	if (out->as_number == 0)
		out->as_number = number_at(e, asn);
	t = out->as_number == 0 ? text_at(e, asn, &len) : NULL;
	if (t != NULL)
		out->as_number = as_of_text(t, len);
	if (out->as_number != 0)
		out->as_name_len = find_text(e, names, ARRAY_LEN(names), out->as_name);
}

static MMDB_lookup_result_s
look_up(const MMDB_s *db, const struct ip_addr *ip, int *error)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (ip_is_v4(ip)) {
		memcpy(&v4.sin_addr, ip->b + 12, 4);
		return MMDB_lookup_sockaddr(db, (const struct sockaddr *)&v4, error);
	}
	memcpy(&v6.sin6_addr, ip->b, 16);
	return MMDB_lookup_sockaddr(db, (const struct sockaddr *)&v6, error);
}

void
geo_find(const struct geo *g, const struct ip_addr *ip, struct geo_place *out)
{
	memset(out, 0, offsetof(struct geo_place, as_name));
	if (ip_is_private(ip))
		return;
	for (unsigned i = 0; i < BOOT_GEO_FILES; i++) {
		int error = MMDB_SUCCESS;
		MMDB_lookup_result_s r;

		if (!g->file[i].open)
			continue;
		r = look_up(&g->file[i].db, ip, &error);
		if (error != MMDB_SUCCESS || !r.found_entry)
			continue;
		find_country(&r.entry, out);
		find_city(&r.entry, out);
		find_as(&r.entry, out);
	}
}
