#include "admin_settings.h"

#include <stdlib.h>
#include <string.h>

#include "authd.h"
#include "base/auto.h"
#include "base/mem.h"

static const char *
unit_name(enum settings_unit unit)
{
	return unit == UNIT_BYTES   ? "bytes"
	       : unit == UNIT_TIME  ? "milliseconds"
	       : unit == UNIT_COUNT ? "count"
				    : NULL;
}

static void
write_list(struct json_writer *w, const char *key, const char *text, size_t len)
{
	json_array(w, key);
	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - (text + at));

		json_string_n(w, NULL, text + at, n);
		at += n + 1;
	}
	json_array_end(w);
}

static void
write_value(struct json_writer *w, const char *key, const struct settings *s, size_t i)
{
	const struct settings_row r = settings_row(i);
	char text[SETTINGS_VALUE_MAX];
	size_t len = settings_value(s, i, text);

	switch (r.kind) {
	case SETTINGS_NUMBER:
		json_raw(w, key, text, len);
		break;
	case SETTINGS_FLAG:
		json_bool(w, key, len > 0 && text[0] == 'y');
		break;
	case SETTINGS_TEXT:
		json_string_n(w, key, text, len);
		break;
	case SETTINGS_LIST:
		write_list(w, key, text, len);
		break;
	}
}

static void
write_setting(struct json_writer *w, const struct settings *now, const struct settings *usual, size_t i)
{
	const struct settings_row r = settings_row(i);

	json_object(w, NULL);
	json_string(w, "key", r.key);
	write_value(w, "value", now, i);
	write_value(w, "default", usual, i);
	json_string(w, "unit", unit_name(r.unit));
	if (r.kind == SETTINGS_NUMBER) {
		json_int(w, "min", r.min);
		json_int(w, "max", r.max);
	} else {
		json_null(w, "min");
		json_null(w, "max");
	}
	json_string(w, "help", r.help);
	json_object_end(w);
}

void
setting_op_list(struct admin_call *c)
{
	static const char *const known[] = { "op" };
	AUTO(mem_drop) struct settings *usual = NULL;

	fields_only(&c->body, known, ARRAY_LEN(known));
	if (!call_good(c))
		return;
	if (!call_may_tenant(c, ACTION_READ_PLATFORM, TENANT_PLATFORM)) {
		call_end(c, ADMIN_DENIED);
		return;
	}
	usual = mem_calloc(1, sizeof(*usual));
	settings_default(usual);
	json_array(c->w, "settings");
	for (size_t i = 0; settings_key(i) != NULL; i++)
		if (!settings_row_is_spare(&c->a->boot->settings, i))
			write_setting(c->w, &c->a->boot->settings, usual, i);
	json_array_end(c->w);
}
