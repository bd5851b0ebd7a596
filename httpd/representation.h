/* What an answer that is a table can be, and which of it a client wants. Pure. */
#ifndef WEIR_HTTPD_REPRESENTATION_H
#define WEIR_HTTPD_REPRESENTATION_H

enum representation {
	AS_JSON,   /* one document, a page at a time */
	AS_NDJSON, /* an object a line, to the end of the table */
	AS_CSV,    /* a line of names and one a row, to the end of the table */
	REPRESENTATIONS
};

/* Its media type, as Content-Type has it. */
const char *representation_type(enum representation as);
/* What names of files end with. */
const char *representation_suffix(enum representation as);
/* What the header Accept (RFC 9110 section 12.5.1; NULL: none) likes best; where it likes several alike, or
 * none: JSON before NDJSON before CSV. */
enum representation representation_of(const char *accept);

#endif
