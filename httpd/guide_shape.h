/* Rows of store's answers in ntopng's shapes. Pure but for what is asked for: no I/O, no state. */
#ifndef WEIR_HTTPD_GUIDE_SHAPE_H
#define WEIR_HTTPD_GUIDE_SHAPE_H

#include "base/json_write.h"
#include "present/present.h"

#define GUIDE_NAME_MAX 300

/* Bits a second of both directions, as ntopng's lists have them. */
uint64_t guide_bps(const uint64_t bytes_per_s[static 2]);
/* Packets a second: rates are kept of bytes, so by the size of its packets so far. */
double guide_pps(uint64_t bytes_per_s, uint64_t bytes, uint64_t packets);
/* The surest name, or the address. */
const char *guide_host_name(const struct row *r, char out[static GUIDE_NAME_MAX]);
/* "10.0.0.1", and "@7" of a VLAN behind it. */
const char *guide_host_label(const struct row_host *h, char out[static GUIDE_NAME_MAX]);
/* "10__0__0__1", and "@7" of a VLAN behind it. */
const char *guide_host_key(const struct row_host *h, char out[static GUIDE_NAME_MAX]);
/* ntopng's number of an operating system; 0: unknown. */
unsigned guide_os(const struct row *r);

/* An element of get/host/active. */
void guide_put_host(struct json_writer *w, const struct row *r);
/* An element of get/flow/active. */
void guide_put_flow(struct json_writer *w, const struct row *r, bool verbose);
/* An element of get/host/top_talkers; share: of total bytes in percent. */
void guide_put_talker(struct json_writer *w, const struct row *r, uint64_t bytes, uint64_t total);
/* "bytes": {total, sent, recvd} */
void guide_put_bytes(struct json_writer *w, const uint64_t bytes[static 2]);

#endif
