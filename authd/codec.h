/* What records have in common: a version in front, big-endian numbers, texts with their length, one encoding
 * for each content. Pure. */
#ifndef WEIR_AUTHD_CODEC_H
#define WEIR_AUTHD_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/ip.h"

/* A terminated text of less than 256 bytes in a field of size bytes. */
void codec_put_text(struct wcur *w, const char *s, size_t size);
/* Everything behind the end of the text becomes zero, so that records compare as bytes. */
void codec_take_text(struct rcur *c, char *out, size_t size);

void codec_put_prefix(struct wcur *w, const struct ip_prefix *p);
/* Bad where bits behind its length are set. */
void codec_take_prefix(struct rcur *c, struct ip_prefix *p);
void codec_put_ip(struct wcur *w, const struct ip_addr *ip);
void codec_take_ip(struct rcur *c, struct ip_addr *ip);
void codec_put_time(struct wcur *w, int64_t ns);
int64_t codec_take_time(struct rcur *c);
/* 0 or 1. */
bool codec_take_flag(struct rcur *c);

/* The length of what was written, 0 where it did not fit. */
size_t codec_finished(const struct wcur *w);
/* Whether everything was read and nothing was bad. */
bool codec_ended(const struct rcur *c);

#endif
