/* weir status: interfaces, rates, processes and losses of a running Weir. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "base/mem.h"
#include "cmd.h"
#include "ipc/boot.h"
#include "table.h"
#include "text.h"

#define ROWS_MAX  512u
#define ANSWER_MS 5000

struct rows {
	size_t n;
	struct row row[ROWS_MAX];
	char text[ROWS_MAX][2][64]; /* names outlive the answer they came in */
};

struct state {
	struct rows points, counters, components;
	struct row_totals totals;
	int64_t now;
};

static void
keep(void *ctx, const struct row *r)
{
	struct rows *rows = ctx;

	if (rows->n == ROWS_MAX)
		return;
	rows->row[rows->n] = *r;
	for (int i = 0; i < 2; i++) {
		struct row_text *t = &rows->row[rows->n].text[i];

		if (t->len >= sizeof(rows->text[0][0]))
			t->len = sizeof(rows->text[0][0]) - 1;
		if (t->len > 0)
			memcpy(rows->text[rows->n][i], t->s, t->len);
		t->s = rows->text[rows->n][i];
	}
	rows->n++;
}

static void
keep_totals(void *ctx, const struct row *r)
{
	if (r->kind == ROW_TOTALS)
		*(struct row_totals *)ctx = r->totals;
}

static bool
ask_everything(struct state *s, const char *run_directory)
{
	const struct {
		enum question_kind kind;
		ask_row row;
		void *ctx;
	} questions[] = {
		{ ASK_POINTS, keep, &s->points },
		{ ASK_COUNTERS, keep, &s->counters },
		{ ASK_COMPONENTS, keep, &s->components },
		{ ASK_TOTALS, keep_totals, &s->totals },
	};
	char err[512];
	struct asker *a = ask_open(run_directory, ANSWER_MS, err, sizeof(err));
	bool ok = a != NULL;

	for (size_t i = 0; ok && i < ARRAY_LEN(questions); i++) {
		struct wire_question q = { .kind = (uint32_t)questions[i].kind, .point = ANY_POINT };

		ok = ask(a, &q, questions[i].row, questions[i].ctx, &s->now, err, sizeof(err));
	}
	if (!ok)
		say("%s", err);
	ask_close(&a);
	return ok;
}

/* --- for people
 * ------------------------------------------------------------------------------------------------------- */

static void
print_warnings(const struct state *s)
{
	for (size_t i = 0; i < s->components.n; i++) {
		const struct wire_component *c = &s->components.row[i].component;
		const char *warning = component_warning_text(c->warning);

		if (warning != NULL)
			printf("\nwarning: %s@%u: %s\n", proc_name((enum proc)c->proc), c->instance, warning);
	}
}

static void
print_state(const struct state *s)
{
	char a[20], b[16], safe[64], name[32];

	printf("%s, %u flows, %u hosts\n\n", show_rate(s->totals.bytes_per_s, a), s->totals.flows,
	       s->totals.hosts);
	printf("%-16s %-6s %14s %10s %12s %10s\n", "INTERFACE", "STATE", "RATE", "BYTES", "PACKETS",
	       "DROPPED");
	for (size_t i = 0; i < s->points.n; i++) {
		const struct row_point *p = &s->points.row[i].point;

		printf("%-16s %-6s %14s %10s %12llu %10llu\n",
		       text_escape(safe, sizeof(safe), p->name, strlen(p->name)), point_state_name(p->state),
		       show_rate(p->bytes_per_s, a), show_bytes(p->bytes, b), (unsigned long long)p->packets,
		       (unsigned long long)p->dropped);
	}
	printf("\n%-16s %-12s %8s  %s\n", "PROCESS", "STATE", "RESTARTS", "LAST DEATH");
	for (size_t i = 0; i < s->components.n; i++) {
		const struct wire_component *c = &s->components.row[i].component;

		(void)snprintf(name, sizeof(name), "%s@%u", proc_name((enum proc)c->proc), c->instance);
		printf("%-16s %-12s %8u  %s\n", name, component_state_name(c->state), c->restarts, c->why);
	}
	print_warnings(s);
	for (size_t i = 0; i < s->counters.n; i++) {
		const struct row *r = &s->counters.row[i];

		if (r->counter.class_ != COUNTER_DROP || r->counter.count == 0)
			continue;
		printf("%s%llu lost at %s", i == 0 ? "\n" : "", (unsigned long long)r->counter.count,
		       text_escape(safe, sizeof(safe), r->text[COUNTER_TEXT_NAME].s,
				   r->text[COUNTER_TEXT_NAME].len));
		printf(" %s\n", text_escape(safe, sizeof(safe), r->text[COUNTER_TEXT_POINT].s,
					    r->text[COUNTER_TEXT_POINT].len));
	}
}

/* --- for programs
 * ----------------------------------------------------------------------------------------------------- */

static bool
print_json(const struct state *s)
{
	struct json_writer *w = json_new(16u << 20);
	struct counter_sum *drops = mem_calloc(2, sizeof(*drops)), *undecoded = drops + 1;
	const char *text;
	bool ok;

	for (size_t i = 0; i < s->counters.n; i++) {
		const struct row *r = &s->counters.row[i];

		if (r->counter.class_ == COUNTER_DROP || r->counter.class_ == COUNTER_UNDECODED)
			counter_sum_add(r->counter.class_ == COUNTER_DROP ? drops : undecoded, r);
	}
	json_object(w, NULL);
	json_time_ns(w, "now", s->now);
	present_totals(w, "totals", &s->totals, drops, undecoded);
	json_array(w, "interfaces");
	for (size_t i = 0; i < s->points.n; i++)
		present_interface(w, NULL, &s->points.row[i]);
	json_array_end(w);
	json_array(w, "components");
	for (size_t i = 0; i < s->components.n; i++)
		present_component(w, NULL, &s->components.row[i].component);
	json_array_end(w);
	json_array(w, "counters");
	for (size_t i = 0; i < s->counters.n; i++)
		present_counter(w, NULL, &s->counters.row[i]);
	json_array_end(w);
	json_object_end(w);
	text = json_text(w, NULL);
	ok = text != NULL && puts(text) >= 0;
	json_free(&w);
	free(drops);
	return ok;
}

int
cmd_status(int argc, char **argv)
{
	struct options o;
	struct settings s;
	struct state *state;
	int status = WEIR_FAILED;

	if (!options_parse(&o, TAKES_CONFIG | TAKES_JSON, argc, argv))
		return WEIR_USAGE;
	if (!options_settings(&o, &s))
		return WEIR_FAILED;
	if (geteuid() != 0) {
		say("must be run as root (sudo): store answers nobody else's questions here");
		return WEIR_FAILED;
	}
	state = mem_calloc(1, sizeof(*state));
	if (ask_everything(state, s.run_directory)) {
		status = WEIR_OK;
		if (!o.json)
			print_state(state);
		else if (!print_json(state))
			status = WEIR_FAILED;
	}
	free(state);
	return fflush(stdout) == 0 ? status : WEIR_FAILED;
}
