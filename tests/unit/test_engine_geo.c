/* Places by MMDB files: what is taken, what is refused and leaves the old one, and when hosts are looked up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine_rig.h"

#define CORPUS WEIR_SOURCE_DIR "/tests/fuzz/corpus/engine_geo/"
#define SEALS  (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* A file of the corpus as the launcher hands it over. */
static int
memory_of(const char *name, int seals)
{
	char path[512], bytes[8192];
	int fd = memfd_create("geo", MFD_CLOEXEC | MFD_ALLOW_SEALING), in;
	ssize_t n;

	(void)snprintf(path, sizeof(path), CORPUS "%s", name);
	in = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(in != -1 && fd != -1);
	n = read(in, bytes, sizeof(bytes));
	assert_true(n > 0 && n < (ssize_t)sizeof(bytes));
	assert_int_equal(write(fd, bytes, (size_t)n), n);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	close(in);
	return fd;
}

static struct geo_place
find(const struct geo *g, const char *text)
{
	struct geo_place p;
	struct ip_addr ip;

	assert_true(ip_parse(text, &ip));
	geo_find(g, &ip, &p);
	return p;
}

static void
test_what_is_refused_leaves_the_old(void **state)
{
	struct geo *g = geo_new();
	struct geo_place p;

	(void)state;
	assert_int_equal(geo_generation(g), 0);
	assert_int_equal(find(g, "198.51.100.7").country[0], 0);
	assert_true(geo_take(g, 1, memory_of("city24", SEALS), "city"));
	assert_int_equal(geo_generation(g), 1);
	p = find(g, "198.51.100.7");
	assert_memory_equal(p.country, "DE", 2);
	assert_int_equal(p.city_len, 3);
	assert_memory_equal(p.city, "Ulm", 3);
	assert_false(geo_take(g, 1, memory_of("country4", 0), "not sealed"));
	assert_false(geo_take(g, 1, memory_of("country4", F_SEAL_SHRINK | F_SEAL_GROW), "still written"));
	assert_false(geo_take(g, 1, memory_of("text", SEALS), "text"));
	assert_false(geo_take(g, BOOT_GEO_FILES, memory_of("asn", SEALS), "too many"));
	assert_false(geo_take(g, 0, open("/dev/null", O_RDONLY | O_CLOEXEC), "null"));
	assert_int_equal(geo_generation(g), 1);
	assert_memory_equal(find(g, "198.51.100.7").country, "DE", 2);
	/* What one does not say the next one may; the first that says something is believed. */
	assert_true(geo_take(g, 0, memory_of("asn", SEALS), "asn"));
	assert_true(geo_take(g, 2, memory_of("country4", SEALS), "country"));
	p = find(g, "198.51.100.7");
	assert_memory_equal(p.country, "DE", 2);
	assert_int_equal(p.as_number, 64500);
	assert_int_equal(p.as_name_len, GEO_TEXT_MAX);
	assert_memory_equal(find(g, "198.51.5.5").country, "FR", 2);
	assert_int_equal(find(g, "2001:db8::1").country[0], 0);
	/* Replaced. */
	assert_true(geo_take(g, 1, memory_of("country4", SEALS), "country"));
	p = find(g, "198.51.100.7");
	assert_memory_equal(p.country, "FR", 2);
	assert_int_equal(p.city_len, 0);
	geo_free(&g);
}

static void
udp(struct rig *r, int64_t t, uint32_t to)
{
	struct test_frame f;

	frame_make_udp(&f, UINT32_C(0x0a000001), 1, to, 2, "x", 1);
	rig_frame(r, 0, RIG_T0 + t, &f);
}

/* Told once for each host that has a place, and of all hosts anew when a file has come. */
static void
test_hosts_are_looked_up(void **state)
{
	struct rig *r = rig_prepare(1);

	(void)state;
	r->b->settings.geoip_files.n = 2;
	rig_start(r);
	hosts_take_geo(r->e, 0, memory_of("city24", SEALS));
	udp(r, 0, UINT32_C(0xc6336407));
	udp(r, NS_PER_S, UINT32_C(0xc6336407));
	udp(r, 2 * NS_PER_S, UINT32_C(0xc6336407));
	(void)point_work(r->e, &r->e->point[0]);
	rig_take(r);
	assert_int_equal(r->nrec[REC_HOST], 1); /* 10.0.0.1 is nowhere */
	assert_memory_equal(r->host[0].country, "DE", 2);
	assert_string_equal(r->host_text[0], "Ulm");
	hosts_take_geo(r->e, 1, memory_of("asn", SEALS));
	while (report_again(r->e, 100))
		;
	rig_take(r);
	assert_int_equal(r->nrec[REC_HOST], 2);
	assert_int_equal(r->host[1].as_number, 64500);
	/* A host that had a place and has none any more is told of too. */
	hosts_take_geo(r->e, 0, memory_of("ipinfo", SEALS));
	hosts_take_geo(r->e, 1, memory_of("ipinfo", SEALS));
	while (report_again(r->e, 100))
		;
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_HOST], 3);
	assert_int_equal(r->host[2].country[0], 0);
	assert_int_equal(r->host[2].as_number, 0);
	rig_free(r);
}

static void
test_flows_have_the_number_of_the_system(void **state)
{
	struct rig *r = rig_prepare(1);

	(void)state;
	r->b->settings.geoip_files.n = 1;
	rig_start(r);
	hosts_take_geo(r->e, 0, memory_of("asn", SEALS));
	udp(r, 0, UINT32_C(0xc6336407));
	rig_finish(r, 0);
	assert_int_equal(r->end[0].r.as_number[SERVER], 64500);
	assert_int_equal(r->end[0].r.as_number[CLIENT], 0);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_refused_leaves_the_old),
		cmocka_unit_test(test_hosts_are_looked_up),
		cmocka_unit_test(test_flows_have_the_number_of_the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
