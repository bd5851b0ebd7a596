/*
 * The members of a request's JSON objects, each judged: what is missing, of another kind, too long or of no
 * meaning is a fault that names its path. A function that reads a member returns whether it is there and
 * good; the first fault sticks, and whoever has read everything looks at it once.
 */
#ifndef WEIR_AUTHD_FIELDS_H
#define WEIR_AUTHD_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/json_read.h"
#include "fault.h"

/* An object, and where it stands. */
struct fields {
	const struct json_node *node;
	struct fault *fault;
	char path[FIELD_MAX]; /* "": the top */
};

enum presence { OPTIONAL, REQUIRED };

/* NULL where the text may be, else a sentence. */
typedef const char *text_judge(const char *text);

struct fields fields_top(const struct json_doc *d, struct fault *fault);
/* An object within; where there is none, out has no members. */
bool fields_object(const struct fields *f, const char *key, enum presence p, struct fields *out);
/* Element i of a list that field_list has found; it must be an object. */
struct fields fields_element(const struct fields *f, const char *key, const struct json_node *list, size_t i);
/* Members of other names are a fault. */
void fields_only(const struct fields *f, const char *const *known, size_t nknown);
bool fields_has(const struct fields *f, const char *key);

void fields_wrong(const struct fields *f, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void fields_wrong_at(const struct fields *f, const char *key, size_t i, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

bool field_text(const struct fields *f, const char *key, enum presence p, text_judge *judge, char *out,
		size_t size);
bool field_int(const struct fields *f, const char *key, enum presence p, int64_t min, int64_t max,
	       int64_t *out);
bool field_flag(const struct fields *f, const char *key, bool *out);
/* Unix seconds; null is as good as none. */
bool field_time(const struct fields *f, const char *key, int64_t *ns);
bool field_list(const struct fields *f, const char *key, enum presence p, size_t max,
		const struct json_node **list);
/* Element i of a list, which must be a text; NULL is a fault. */
const char *element_text(const struct fields *f, const char *key, const struct json_node *list, size_t i,
			 size_t size, text_judge *judge);
bool element_prefix(const struct fields *f, const char *key, const struct json_node *list, size_t i,
		    struct ip_prefix *out);

/* Judges of texts. */
text_judge title_judge;       /* anything that can be printed, also nothing */
text_judge tenant_name_judge; /* letters, digits, and . _ - within */
text_judge interface_judge;
text_judge any_text;

#endif
