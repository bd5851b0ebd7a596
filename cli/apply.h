/*
 * The document of `weir apply`: tenants, users and groups as a YAML file has them, made the JSON that authd's
 * operation takes. What a key means is authd's to judge; here it is known which keys there are and what form
 * their values have, so that a mistake is named with file, line and key.
 */
#ifndef WEIR_CLI_APPLY_H
#define WEIR_CLI_APPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json_write.h"
#include "config.h"

struct document;

/* Reads text; NULL where there was a mistake, all of which are reported. */
struct document *document_read(const char *name, const char *text, size_t len, config_report report,
			       void *ctx);
void document_free(struct document **d);
/* The document as an object. */
const char *document_json(const struct document *d, size_t *len);
/* What authd calls a field, as the file has it: without the operation's own member before it. */
const char *document_field(const char *field);
/* The line of the value that authd calls field ("tenants[0].name"), or of what it stands in; 0: nowhere. */
unsigned document_line(const struct document *d, const char *field);

#endif
