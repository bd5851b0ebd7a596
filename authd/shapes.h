/* The words of administration as JSON, both ways: accesses, narrowings, selectors, quotas. IDENTITY in
 * docs/API.md. */
#ifndef WEIR_AUTHD_SHAPES_H
#define WEIR_AUTHD_SHAPES_H

#include "admin.h"

/* Reads "interfaces", "exporters", "networks" and "masked" of an object. */
void shape_read_narrowing(struct admin_call *c, const struct fields *f, struct narrowing *n);
void shape_write_narrowing(struct json_writer *w, const struct narrowing *n);

/* A list of accesses. A tenant that is not the caller's is as good as none. False where the member is not
 * there. */
bool shape_read_accesses(struct admin_call *c, const struct fields *f, const char *key, struct accesses *out);
void shape_write_accesses(struct admin_call *c, const char *key, const struct accesses *a);

/* The number of the tenant that a member names ("*": the platform); false where it is not there, or it is a
 * fault. */
bool shape_read_tenant(struct admin_call *c, const struct fields *f, const char *key, enum presence p,
		       uint32_t *number);
bool shape_read_role(const struct fields *f, const char *key, enum presence p, uint32_t *role);

/* A list of selectors, of address spaces, quotas. False where the member is not there. */
bool shape_read_selectors(struct admin_call *c, const struct fields *f, struct tenant_record *t);
bool shape_read_spaces(const struct fields *f, struct tenant *t);
bool shape_read_quotas(const struct fields *f, struct tenant_quota *q);
void shape_write_tenant(struct json_writer *w, const char *key, const struct tenant_record *t);

/* Time or null; an address or null. */
void shape_write_time(struct json_writer *w, const char *key, int64_t ns);
void shape_write_visit(struct json_writer *w, const char *key, int64_t ns, const struct ip_addr *ip);

/* 16 hex digits, as events_handle writes them. */
bool shape_read_handle(const struct fields *f, const char *key, uint8_t out[static HANDLE_BYTES]);

#endif
