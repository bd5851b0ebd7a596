/* Prometheus' text format (version 0.0.4): metrics with their help and type, and samples with labels. Pure.
 */
#ifndef WEIR_HTTPD_EXPOSITION_H
#define WEIR_HTTPD_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

struct evbuffer;

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct label {
	const char *name;
	const char *value; /* any bytes: what is no UTF-8 is made harmless */
	size_t len;
};

/* The head of a metric: once, before its samples. */
void exposition_metric(struct evbuffer *out, const char *name, enum metric_kind kind, const char *help);
void exposition_sample(struct evbuffer *out, const char *name, const struct label *labels, size_t nlabels,
		       uint64_t value);

#endif
