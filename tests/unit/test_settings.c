/* Settings rows: defaults, units, bounds, near misses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/settings.h"

static char err[256];

static void
defaults_are_within_bounds(void **state)
{
	struct settings s, t;

	(void)state;
	settings_default(&s);
	assert_int_equal(s.workers, 1);
	assert_true(s.dpi);
	assert_string_equal(s.data_directory, "/var/lib/weir");
	assert_int_equal(s.interfaces.n, 0);
#define NUMBER(key, unit, field, min, max, def, help) assert_in_range((uint64_t)s.field, min, max);
#define FLAG(key, field, def, help)
#define TEXT(key, field, size, def, help) assert_true(strlen(def) < size);
#define LIST(key, field, items, size, help)
#include "base/settings.def"
#undef NUMBER
#undef FLAG
#undef TEXT
#undef LIST
	settings_default(&t);
	assert_memory_equal(&s, &t, sizeof(s));
}

static void
values_with_units(void **state)
{
	struct settings s;

	(void)state;
	settings_default(&s);
	assert_true(settings_set(&s, "capture.kernel_buffer", "64 MiB", err, sizeof(err)));
	assert_int_equal(s.kernel_buffer, 64 << 20);
	assert_true(settings_set(&s, "engine.idle_timeout", "2min", err, sizeof(err)));
	assert_int_equal(s.idle_timeout_ms, 120000);
	assert_true(settings_set(&s, "engine.dpi", "off", err, sizeof(err)));
	assert_false(s.dpi);
	assert_true(settings_set(&s, "interfaces", "eth0", err, sizeof(err)));
	assert_true(settings_set(&s, "interfaces", "eth1", err, sizeof(err)));
	assert_int_equal(s.interfaces.n, 2);
	assert_string_equal(s.interfaces.item[1], "eth1");
}

static void
mistakes_are_sentences(void **state)
{
	static const struct {
		const char *key, *value, *text;
	} bad[] = {
		{ "capture.snaplen", "12", "capture.snaplen: 12 is below the least, 64 B" },
		{ "capture.snaplen", "1 GiB", "capture.snaplen: 1 GiB is above the most, 64 KiB" },
		{ "capture.snaplen", "99999999999999999999",
		  "capture.snaplen: \"99999999999999999999\" is not a number" },
		{ "capture.snaplen", "9000000000 GiB",
		  "capture.snaplen: 9000000000 GiB is above the most, 64 KiB" },
		{ "capture.snaplen", "2 s",
		  "capture.snaplen: \"2 s\" has no unit that is known here (KiB, MiB, GiB, TiB)" },
		{ "engine.idle_timeout", "60",
		  "engine.idle_timeout: 60 has no unit: write ms, s, min, h or d behind it" },
		{ "engine.workers", "many", "engine.workers: \"many\" is not a number" },
		{ "engine.dpi", "maybe", "engine.dpi: \"maybe\" is neither yes nor no" },
		{ "name", "a\nb", "name: holds a control character" },
		{ "engine.worker", "1", "engine.worker: no such key" },
		{ "interfaces", "", "interfaces: an item is empty" },
	};
	struct settings s, before;
	char near[64];

	(void)state;
	settings_default(&s);
	before = s;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(settings_set(&s, bad[i].key, bad[i].value, err, sizeof(err)));
		assert_string_equal(err, bad[i].text);
	}
	assert_memory_equal(&s, &before, sizeof(s));
	assert_false(settings_known("engine.wrokers", near, sizeof(near)));
	assert_string_equal(near, "engine.workers");
	assert_false(settings_known("something.else.altogether", near, sizeof(near)));
	assert_string_equal(near, "");
}

static void
lists_are_bounded(void **state)
{
	struct settings s;
	char name[16];

	(void)state;
	settings_default(&s);
	for (int i = 0; i < 32; i++) {
		snprintf(name, sizeof(name), "eth%d", i);
		assert_true(settings_set(&s, "interfaces", name, err, sizeof(err)));
	}
	assert_false(settings_set(&s, "interfaces", "eth32", err, sizeof(err)));
	assert_string_equal(err, "interfaces: more than 32 items");
	settings_clear_list(&s, "interfaces");
	assert_int_equal(s.interfaces.n, 0);
	assert_true(settings_set(&s, "interfaces", "a", err, sizeof(err)));
	assert_false(settings_set(&s, "interfaces", "a", err, sizeof(err)));
	assert_string_equal(err, "interfaces: \"a\" is there twice");
}

/* Command lines take the same units. */
static void
numbers_alone(void **state)
{
	int64_t v = 0;

	(void)state;
	assert_int_equal(settings_number("30d", UNIT_TIME, &v), NUMBER_GOOD);
	assert_int_equal(v, INT64_C(30) * 86400000);
	assert_int_equal(settings_number("10 GiB", UNIT_BYTES, &v), NUMBER_GOOD);
	assert_int_equal(v, INT64_C(10) << 30);
	assert_int_equal(settings_number("-1", UNIT_COUNT, &v), NUMBER_GOOD);
	assert_int_equal(settings_number("0", UNIT_TIME, &v), NUMBER_GOOD);
	assert_int_equal(settings_number("30", UNIT_TIME, &v), NUMBER_NO_UNIT);
	assert_int_equal(settings_number("30d", UNIT_BYTES, &v), NUMBER_STRANGE_UNIT);
	assert_int_equal(settings_number("", UNIT_COUNT, &v), NUMBER_NONE);
	assert_int_equal(settings_number("x", UNIT_COUNT, &v), NUMBER_NONE);
	assert_int_equal(settings_number("99999999999999999999", UNIT_COUNT, &v), NUMBER_NONE);
	assert_int_equal(settings_number("9000000000000000000 TiB", UNIT_BYTES, &v), NUMBER_TOO_LARGE);
}

static const char *
value_of(const struct settings *s, const char *key)
{
	static char out[SETTINGS_VALUE_MAX + 1];

	for (size_t i = 0; settings_key(i) != NULL; i++)
		if (strcmp(settings_key(i), key) == 0) {
			out[settings_value(s, i, out)] = '\0';
			return out;
		}
	fail_msg("%s: no row", key);
	return NULL;
}

static void
rows_are_walked(void **state)
{
	static struct settings s;

	(void)state;
	settings_default(&s);
	assert_string_equal(value_of(&s, "data_directory"), "/var/lib/weir");
	assert_string_equal(value_of(&s, "engine.dpi"), "yes");
	assert_string_equal(value_of(&s, "authd.session_idle"), "3600000");
	assert_string_equal(value_of(&s, "interfaces"), "");
	assert_true(settings_set(&s, "interfaces", "eth1", err, sizeof(err)));
	assert_true(settings_set(&s, "interfaces", "eth10", err, sizeof(err)));
	assert_string_equal(value_of(&s, "interfaces"), "eth1\neth10\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_within_bounds),
		cmocka_unit_test(values_with_units),
		cmocka_unit_test(mistakes_are_sentences),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(numbers_alone),
		cmocka_unit_test(rows_are_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
