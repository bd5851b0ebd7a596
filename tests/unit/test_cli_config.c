/* The configuration file: what it sets, and every kind of mistake with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd.h"
#include "config.h"
#include "nameservers.h"

struct said {
	unsigned n;
	char line[64][512];
};

static void
note(void *ctx, const char *line)
{
	struct said *s = ctx;

	if (s->n < ARRAY_LEN(s->line))
		str_copy(s->line[s->n], sizeof(s->line[0]), line);
	s->n++;
}

static bool
load(const char *text, struct settings *s, struct said *said)
{
	memset(said, 0, sizeof(*said));
	settings_default(s);
	return config_load_text("f", text, strlen(text), s, note, said);
}

static void
values_are_set(void **state)
{
	struct settings s;
	struct said said;

	(void)state;
	assert_true(load("name: \"a monitor\"\n"
			 "interfaces: [eth0, eth1]\n"
			 "local_networks:\n  - 10.0.0.0/8\n  - 2001:db8::/32\n"
			 "engine:\n  workers: 4\n  dpi: no\n  idle_timeout: 90 s\n"
			 "capture.snaplen: 1 KiB\n"
			 "httpd:\n",
			 &s, &said));
	assert_int_equal(said.n, 0);
	assert_string_equal(s.name, "a monitor");
	assert_int_equal(s.interfaces.n, 2);
	assert_string_equal(s.interfaces.item[1], "eth1");
	assert_int_equal(s.local_networks.n, 2);
	assert_int_equal(s.workers, 4);
	assert_false(s.dpi);
	assert_int_equal(s.idle_timeout_ms, 90000);
	assert_int_equal(s.snaplen, 1024);
	assert_int_equal(s.https_port, 3001);
}

static void
empty_is_defaults(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# nothing\n", "---\n", "---\n...\n" };
	struct settings s, defaults;
	struct said said;

	(void)state;
	settings_default(&defaults);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_true(load(texts[i], &s, &said));
		assert_memory_equal(&s, &defaults, sizeof(s));
	}
}

#define ITEM(name)                                                                                           \
	"  - name: " name "\n    issuer: https://" name                                                      \
	".example\n    client_id: weir\n    groups: [\"noc => ops\"]\n"
#define PROVIDER(name) "oidc:\n" ITEM(name)

static void
providers_are_a_list(void **state)
{
	struct settings s;
	struct said said;

	(void)state;
	assert_true(
	    load("oidc:\n" ITEM("corp") "    domains: [example.com, example.org]\n    interval: 1 h\n" ITEM(
		     "other") "    userinfo: yes\nhttpd:\n  url: https://weir.example.com:3001\n",
		 &s, &said));
	assert_int_equal(said.n, 0);
	assert_string_equal(s.oidc[0].name, "corp");
	assert_string_equal(s.oidc[0].issuer, "https://corp.example");
	assert_int_equal(s.oidc[0].domains.n, 2);
	assert_int_equal(s.oidc[0].interval_ms, 3600000);
	assert_false(s.oidc[0].userinfo);
	assert_string_equal(s.oidc[1].name, "other");
	assert_true(s.oidc[1].userinfo);
	assert_string_equal(s.oidc[1].groups.item[0], "noc => ops");
	assert_string_equal(s.oidc[2].name, "");
	assert_true(provider_has_login(&s.oidc[0], "alice@EXAMPLE.com"));
	assert_false(provider_has_login(&s.oidc[0], "alice@sub.example.com"));
	assert_false(provider_has_login(&s.oidc[0], "@example.com"));
	assert_false(provider_has_login(&s.oidc[0], "alice@example.com@elsewhere"));
	assert_false(provider_has_login(&s.oidc[1], "alice@example.com"));
}

/* Each text has one mistake; the report must name the line and hold the words. */
static const struct {
	const char *text;
	const char *report;
	const char *words;
} mistakes[] = {
	{ "name: a\nengine:\n  wokers: 2\n", "f:3: engine.wokers:", "did you mean engine.workers?" },
	{ "zzzzzzzzzzzzzzzz: 2\n", "f:1: zzzzzzzzzzzzzzzz:", "no such key" },
	{ "engine:\n  workers: two\n", "f:2: engine.workers:", "not a number" },
	{ "engine:\n  workers: 17\n", "f:2: engine.workers:", "above the most, 16" },
	{ "engine:\n  workers: 0\n", "f:2: engine.workers:", "below the least, 1" },
	{ "engine:\n  dpi: perhaps\n", "f:2: engine.dpi:", "neither yes nor no" },
	{ "engine:\n  idle_timeout: 60\n", "f:2: engine.idle_timeout:", "no unit" },
	{ "engine:\n  workers: 1\n  workers: 2\n", "f:3: engine.workers:", "given before, on line 2" },
	{ "engine.workers: 1\nengine:\n  workers: 2\n", "f:3: engine.workers:", "given before, on line 1" },
	{ "interfaces: [a]\ninterfaces: [b]\n", "f:2: interfaces:", "given before, on line 1" },
	{ "interfaces: eth0\n", "f:1: interfaces:", "wants a list" },
	{ "interfaces:\n  - eth0\n  - [eth1]\n", "f:3: interfaces:", "each item is one value" },
	{ "interfaces:\n  - eth0\n  - eth0\n", "f:3: interfaces:", "there twice" },
	{ "address_spaces: [\"eth1\"]\n", "f:1: address_spaces:", "write it as eth1=7" },
	{ "address_spaces: [\"eth1=65536\"]\n", "f:1: address_spaces:", "write it as eth1=7" },
	{ "address_spaces: [\"=1\"]\n", "f:1: address_spaces:", "write it as eth1=7" },
	{ "interface_speeds: [\"eth1\"]\n", "f:1: interface_speeds:", "write it as eth1=10G" },
	{ "interface_speeds: [\"=1G\"]\n", "f:1: interface_speeds:", "write it as eth1=10G" },
	{ "interface_speeds: [\"eth1=0\"]\n", "f:1: interface_speeds:", "write it as eth1=10G" },
	{ "interface_speeds: [\"eth1=10Q\"]\n", "f:1: interface_speeds:", "write it as eth1=10G" },
	{ "interface_speeds: [\"eth1=10GG\"]\n", "f:1: interface_speeds:", "write it as eth1=10G" },
	{ "interface_speeds: [\"eth1=1001T\"]\n", "f:1: interface_speeds:", "write it as eth1=10G" },
	{ "interface_speeds: [\"eth1=9999999999999999999\"]\n",
	  "f:1: interface_speeds:", "write it as eth1=10G" },
	{ "interfaces: [\"../etc\"]\n", "f:1: interfaces:", "is no name of an interface" },
	{ "name: [a, b]\n", "f:1: name:", "takes one value, not a list" },
	{ "name:\n  first: a\n", "f:2: name:", "takes a value, not a section" },
	{ "name:\n", "f:1: name:", "has no value" },
	{ "engine: 3\n", "f:1: engine:", "is a section" },
	{ "oidc: corp\n", "f:1: oidc:", "is a section" },
	{ "oidc:\n  name: corp\n", "f:2: oidc:", "begin each provider with a dash" },
	{ "oidc:\n  - corp\n", "f:2: oidc:", "keys of one provider" },
	{ "oidc:\n  - name: Corp\n", "f:2: oidc.1.name:", "small letters" },
	{ "oidc:\n  - name: ldap\n", "f:2: oidc.1.name:", "choose another" },
	{ PROVIDER("a") "  - nam: b\n", "f:6: oidc.2.nam:", "did you mean oidc.2.name?" },
	{ PROVIDER("a") "    groups: [noc]\n", "f:6: oidc.1.groups:", "given before, on line 5" },
	{ PROVIDER("a") "  - name: b\n    issuer: ftp://x\n",
	  "f:7: oidc.2.issuer:", "must begin with https://" },
	{ PROVIDER("a") "  - name: b\n    issuer: https://x/?a=b\n",
	  "f:7: oidc.2.issuer:", "without user, query" },
	{ PROVIDER("a") "    algorithms: RS256 none\n", "f:6: oidc.1.algorithms:", "must be of RS256" },
	{ PROVIDER("a") "    algorithms: HS256\n", "f:6: oidc.1.algorithms:", "must be of RS256" },
	{ PROVIDER("a") "    algorithms: ES256 ES384\n", "f:6: oidc.1.algorithms:", "must be of RS256" },
	{ PROVIDER("a") "    scopes: profile openidx\n", "f:6: oidc.1.scopes:", "must have openid" },
	{ PROVIDER("a") "    clock_skew: 1 h\n", "f:6: oidc.1.clock_skew:", "above the most, 10 min" },
	{ PROVIDER("a") "  - name: b\n", "f:7: oidc.2.issuer:", "is missing" },
	{ PROVIDER("a") "  - issuer: https://b\n", "f:7: oidc.2.name:", "is missing" },
	{ "oidc:\n" ITEM("a") ITEM("a"), "f:10: oidc.2.name:", "is the name of oidc.1 too" },
	{ "oidc:\n" ITEM("a") "    domains: [x.example]\n" ITEM("b") "    domains: [X.example]\n",
	  "f:12: oidc.2.domains:", "oidc.1's too" },
	{ "oidc:\n  - name: a\n    issuer: http://a\n    client_id: weir\n    groups: [\"n => o\"]\n",
	  "f:6: oidc.1.issuer:", "takes insecure: yes" },
	{ "oidc:\n" ITEM("a") ITEM("b") ITEM("c") ITEM("d") ITEM("e"),
	  "f:18: oidc:", "more than 4 providers" },
	{ PROVIDER("a") "oidc:\n" ITEM("b"), "f:7: oidc:", "make one list of both" },
	{ "httpd:\n  url: https://weir.example.com/path\n", "f:2: httpd.url:", "without a path" },
	{ "engine:\n  - workers\n", "f:2: engine:", "is a section, not a list" },
	{ "enigma: [a]\n", "f:1: enigma:", "no such key" },
	{ "log_level: loud\n", "f:1: log_level:", "none of error, warn" },
	{ "engine:\n  tunnels: both\n", "f:2: engine.tunnels:", "neither inner nor outer" },
	{ "dial:\n  nameservers: [ dns.example ]\n", "f:2: dial.nameservers:", "is no address" },
	{ "engine:\n  dns_mode: 4\n", "f:2: engine.dns_mode:", "above the most" },
	{ "geoip_files: [country.mmdb]\n", "f:1: geoip_files:", "no absolute path" },
	{ "data_directory: here\n", "f:1: data_directory:", "no absolute path" },
	{ "local_networks: [10.0.0.0/33]\n", "f:1: local_networks:", "is no network" },
	{ "httpd:\n  address: example.org\n", "f:2: httpd.address:", "is no address" },
	{ "capture:\n  packet_ring: 20 MiB\n", "f:2: capture.packet_ring:", "no power of two" },
	{ "httpd:\n  certificate_key: /a.pem\n", "f:3: httpd.certificate_key:", "key of no certificate" },
	{ "httpd:\n  http_port: 3001\n", "f:3: httpd.http_port:", "the same as" },
	{ "name: &a b\n", "f:1:", "an anchor" },
	{ "name: *a\n", "f:1:", "an alias" },
	{ "name: !!binary aGk=\n", "f:1:", "a tag" },
	{ "name: a\n---\nname: b\n", "f:2:", "second document" },
	{ "- a\n- b\n", "f:1:", "wants keys with values" },
	{ "a: {b: {c: {d: {e: {f: 1}}}}}\n", "f:1: a.b.c.d:", "nested too deeply" },
	{ "[[[[[[a]]]]]]: 1\n", "f:1:", "a key must be a word" },
	{ "interfaces: [[[[[[[[a]]]]]]]]\n", "f:1:", "each item is one value" },
	{ "name: \"a\n", "f:2:", "not YAML" },
	{ "name: a\n\tengine: b\n", "f:2:", "not YAML" },
	{ "name: \"a\\u0007b\"\n", "f:1: name:", "control character" },
};

static void
each_mistake_has_its_line(void **state)
{
	struct settings s;
	struct said said;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		assert_false(load(mistakes[i].text, &s, &said));
		if (strncmp(said.line[0], mistakes[i].report, strlen(mistakes[i].report)) != 0 ||
		    strstr(said.line[0], mistakes[i].words) == NULL)
			fail_msg("\"%s\" was reported as \"%s\"", mistakes[i].text, said.line[0]);
	}
}

static void
all_mistakes_are_reported(void **state)
{
	struct settings s;
	struct said said;

	(void)state;
	assert_false(load("nmae: a\nengine:\n  workers: 99\n  dpi: x\nlog_level: loud\n", &s, &said));
	assert_int_equal(said.n, 4);
	assert_int_equal(strncmp(said.line[3], "f:5: log_level:", 15), 0);
}

static void
reports_are_bounded_and_harmless(void **state)
{
	char text[8192] = "";
	struct settings s;
	struct said said;
	size_t at = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "k%d: \"\\e[31m\"\n", i);
	assert_false(load(text, &s, &said));
	assert_int_equal(said.n, CONFIG_MISTAKES_MAX + 1);
	assert_false(load("log_level: \"\\e[31mred\"\n", &s, &said));
	assert_null(strchr(said.line[0], 27));
	assert_non_null(strstr(said.line[0], "\\x1b[31mred"));
}

static void
bytes_that_are_no_text(void **state)
{
	static const char nul[] = "name: \"a\\0b\"\n", invalid[] = "name: \xff\xfe\n";
	struct settings s;
	struct said said = { 0 };

	(void)state;
	settings_default(&s);
	assert_false(config_load_text("f", nul, sizeof(nul) - 1, &s, note, &said));
	assert_false(config_load_text("f", invalid, sizeof(invalid) - 1, &s, note, &said));
	assert_int_equal(said.n, 2);
}

static void
files(void **state)
{
	char path[] = "/tmp/weir-test-config-XXXXXX", *text = mem_calloc(1, CONFIG_FILE_MAX + 1);
	int fd = mkstemp(path);
	struct settings s;
	struct said said = { 0 };

	(void)state;
	assert_int_not_equal(fd, -1);
	settings_default(&s);
	assert_int_equal(write(fd, "name: x\n", 8), 8);
	assert_true(config_load(path, &s, note, &said));
	assert_string_equal(s.name, "x");
	memset(text, '#', CONFIG_FILE_MAX + 1);
	assert_int_equal(pwrite(fd, text, CONFIG_FILE_MAX + 1, 0), CONFIG_FILE_MAX + 1);
	assert_false(config_load(path, &s, note, &said));
	assert_non_null(strstr(said.line[0], "larger than"));
	assert_false(config_load("/nonexistent/weir.yaml", &s, note, &said));
	assert_non_null(strstr(said.line[1], "No such file"));
	assert_false(config_load("/tmp", &s, note, &said));
	assert_non_null(strstr(said.line[2], "is no file"));
	close(fd);
	unlink(path);
	free(text);
}

/* Command lines: the file first, then --set in order; a list that is set replaces the file's. */
static void
options(void **state)
{
	char path[] = "/tmp/weir-test-config-XXXXXX";
	int fd = mkstemp(path);
	char *words[] = { "run",
			  "-c",
			  path,
			  "--set",
			  "engine.workers=3",
			  "--set",
			  "interfaces=a",
			  "--set",
			  "interfaces=b",
			  "--data",
			  "/tmp/d",
			  "-i",
			  "x",
			  "--pcap",
			  "f1",
			  "--pcap",
			  "f2" };
	char *bad[] = { "run", "--set", "engine.workers" },
	     *worse[] = { "run", "--set", "engine.workers=99" };
	char *unknown[] = { "run", "--wat" }, *lacking[] = { "run", "-i" }, *foreign[] = { "run", "--json" };
	struct options o;
	struct settings s;

	(void)state;
	assert_int_equal(write(fd, "interfaces: [c]\nname: n\n", 24), 24);
	assert_true(options_parse(&o, TAKES_CONFIG | TAKES_MONITOR, (int)ARRAY_LEN(words), words));
	assert_int_equal(o.interfaces.n, 1);
	assert_int_equal(o.files.n, 2);
	assert_true(options_settings(&o, &s));
	assert_int_equal(s.workers, 3);
	assert_int_equal(s.interfaces.n, 2);
	assert_string_equal(s.interfaces.item[0], "a");
	assert_string_equal(s.name, "n");
	assert_string_equal(s.data_directory, "/tmp/d");
	assert_true(options_parse(&o, TAKES_MONITOR, 3, bad));
	assert_false(options_settings(&o, &s));
	assert_true(options_parse(&o, TAKES_MONITOR, 3, worse));
	assert_false(options_settings(&o, &s));
	assert_false(options_parse(&o, TAKES_MONITOR, 2, unknown));
	assert_false(options_parse(&o, TAKES_MONITOR, 2, lacking));
	assert_false(options_parse(&o, TAKES_MONITOR, 2, foreign));
	close(fd);
	unlink(path);
}

static void
nameservers_of_resolv_conf(void **state)
{
	static const struct {
		const char *text;
		uint32_t n;
		const char *first;
	} cases[] = {
		{ "", 0, NULL },
		{ "nameserver 192.0.2.1\n", 1, "192.0.2.1" },
		{ "# one\nsearch example\n\tnameserver   2001:db8::1  \nnameserver 192.0.2.1", 2,
		  "2001:db8::1" },
		{ "nameserver fe80::1%eth0\nnameserver\nnameserver x\nnameservers 192.0.2.9\nnameserver "
		  "192.0.2.2\r\n",
		  1, "192.0.2.2" },
		{ "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
		  3, "192.0.2.1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings s;

		settings_default(&s);
		nameservers_read(cases[i].text, &s);
		assert_int_equal(s.nameservers.n, cases[i].n);
		if (cases[i].n > 0)
			assert_string_equal(s.nameservers.item[0], cases[i].first);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_set),
		cmocka_unit_test(providers_are_a_list),
		cmocka_unit_test(empty_is_defaults),
		cmocka_unit_test(each_mistake_has_its_line),
		cmocka_unit_test(all_mistakes_are_reported),
		cmocka_unit_test(reports_are_bounded_and_harmless),
		cmocka_unit_test(bytes_that_are_no_text),
		cmocka_unit_test(files),
		cmocka_unit_test(options),
		cmocka_unit_test(nameservers_of_resolv_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
