/* Shares of a whole as ntopng draws them: the largest ones, and the rest as "Other". Pure. */
#ifndef WEIR_HTTPD_GUIDE_SLICES_H
#define WEIR_HTTPD_GUIDE_SLICES_H

#include <stddef.h>
#include <stdint.h>

#include "base/json_write.h"
#include "present/present.h"

#define GUIDE_SLICES_MAX  1024 /* labels that are told apart; more are "Other" */
#define GUIDE_LABEL_BYTES 64

struct guide_slices {
	size_t n;
	uint64_t total;
	struct guide_slice {
		char label[GUIDE_LABEL_BYTES];
		uint64_t value;
	} at[GUIDE_SLICES_MAX];
};

/* Adds to the slice of that label. */
void guide_slices_add(struct guide_slices *s, const char *label, uint64_t value);
/* An application by its own name: "TLS.Google" is Google. */
void guide_slices_add_application(struct guide_slices *s, const struct row_text *name, uint64_t value);
/* nDPI's rating of a flow's application. */
void guide_slices_add_breed(struct guide_slices *s, uint8_t breed, uint64_t value);
/* "rsp": the largest first, at most `most` of them, each at least `percent` of the whole; put writes what
 * ntopng has beside label and value (NULL: nothing). */
void guide_slices_put(struct json_writer *w, struct guide_slices *s, size_t most, unsigned percent,
		      void (*put)(struct json_writer *w));

#endif
