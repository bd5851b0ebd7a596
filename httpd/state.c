#include "state.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "tally.h"

bool
role_sees_platform(const char *role)
{
	static const char *const roles[] = { "platform-administrator", "auditor" };

	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (strcmp(roles[i], role) == 0)
			return true;
	return false;
}

/* A peer that httpd itself misses: the launcher is starting it again. */
static void
put_missing(struct json_writer *w, const struct httpd *h, enum proc proc)
{
	struct wire_component c = { .proc = (uint32_t)proc,
				    .state = COMPONENT_RESTARTING,
				    .since_ns = h->down_ns[proc] };

	(void)str_copy(c.why, sizeof(c.why), "not connected to httpd");
	present_component(w, NULL, &c);
}

static void
put_status(struct json_writer *w, bool degraded, const char *history)
{
	json_string(w, "status", degraded ? "degraded" : "ok");
	json_object(w, "history");
	json_string(w, "status", history == NULL ? "ok" : "degraded");
	json_string(w, "why", history);
	json_object_end(w);
}

void
put_state(struct json_writer *w, const struct httpd *h, const struct part *components)
{
	struct rows rows = part_rows(components);
	char history[sizeof(((struct wire_component *)0)->why)] = "";
	bool authd_named = false, degraded = !serve_has(h, PROC_AUTHD);
	struct row row;

	json_array(w, "components");
	while (rows_next(&rows, &row)) {
		struct wire_component *c = &row.component;

		if (c->state != COMPONENT_RUNNING && c->state != COMPONENT_ENDED)
			degraded = true;
		if (c->proc == PROC_STORE && c->state == COMPONENT_DEGRADED)
			(void)str_copy(history, sizeof(history),
				       c->why[0] != '\0' ? c->why : "the database cannot be written");
		/* The launcher may not have seen yet what the channel shows. */
		if (c->proc == PROC_AUTHD && c->state == COMPONENT_RUNNING && !serve_has(h, PROC_AUTHD))
			c->state = COMPONENT_RESTARTING;
		authd_named = authd_named || c->proc == PROC_AUTHD;
		present_component(w, NULL, c);
	}
	if (!authd_named && !serve_has(h, PROC_AUTHD))
		put_missing(w, h, PROC_AUTHD);
	json_array_end(w);
	put_status(w, degraded, history[0] != '\0' ? history : NULL);
}

void
put_state_without_store(struct json_writer *w, const struct httpd *h)
{
	json_array(w, "components");
	put_missing(w, h, PROC_STORE);
	if (!serve_has(h, PROC_AUTHD))
		put_missing(w, h, PROC_AUTHD);
	json_array_end(w);
	put_status(w, true, "the process that keeps the data is away");
}

void
put_counters(struct json_writer *w, const char *key, const struct part *counters, enum counter_class class_)
{
	struct rows rows = part_rows(counters);
	struct row row;

	json_array(w, key);
	while (rows_next(&rows, &row))
		if (row.counter.class_ == (uint32_t)class_)
			present_counter(w, NULL, &row);
	json_array_end(w);
}

bool
own_counter(const struct httpd *h, unsigned which, struct row *row)
{
	static const struct {
		const char *place;
		uint64_t (*count)(const struct tally *t);
	} own[OWN_COUNTERS] = { { "httpd.rate_limited", tally_refused },
				{ "httpd.unsigned", tally_unsigneds } };

	memset(row, 0, sizeof(*row));
	row->kind = ROW_COUNTER;
	row->counter = (struct row_counter){ .point = UINT32_MAX,
					     .worker = UINT32_MAX,
					     .class_ = COUNTER_INFO,
					     .name_len = (uint16_t)strlen(own[which].place),
					     .count = own[which].count(h->tally) };
	row->text[COUNTER_TEXT_NAME] = (struct row_text){ own[which].place, row->counter.name_len };
	return row->counter.count > 0;
}

void
put_events(struct json_writer *w, const char *key, const struct httpd *h, const struct part *counters)
{
	struct rows rows = part_rows(counters);
	struct row row;

	json_array(w, key);
	while (rows_next(&rows, &row))
		if (row.counter.class_ == COUNTER_INFO)
			present_counter(w, NULL, &row);
	for (unsigned i = 0; i < OWN_COUNTERS; i++)
		if (own_counter(h, i, &row))
			present_counter(w, NULL, &row);
	json_array_end(w);
}
