/* The rows of store's answers as httpd_stage makes them up: what tests find again in httpd's. */
#ifndef WEIR_TESTS_HTTPD_STAGE_ROWS_H
#define WEIR_TESTS_HTTPD_STAGE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "ipc/wire.h"

struct channel;
struct stage;

/* One message of an answer. */
struct message {
	uint8_t bytes[WIRE_ANSWER_MAX];
	struct wcur at;
	struct wire_answer head;
};

void message_begin(struct message *m, const struct wire_question *q, enum row_kind kind);
/* A row of what all of its kind have, and its texts one behind the other. */
void message_row(struct message *m, const void *fixed, size_t size, const char *texts);
bool message_send(struct channel *ch, struct message *m);

void row_of_host(struct message *m, uint8_t last);
void row_of_flow(struct message *m, const struct stage *s, uint64_t n);
void rows_of_state(const struct stage *s, struct message *m);
void rows_of_counters(struct message *m);
void rows_of_recent(struct stage *s, struct message *m, const struct wire_question *q);
void rows_of_series(struct message *m, const struct wire_question *q);
void rows_of_groups(struct message *m, const struct wire_question *q);
/* A whole list of hosts or flows, in as many messages as it takes. */
bool answer_list(const struct stage *s, struct channel *ch, struct message *m, const struct wire_question *q);

#endif
