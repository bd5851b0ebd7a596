/* The page's files, which the build put into the program (embed.cmake). */
#ifndef WEIR_HTTPD_PAGE_H
#define WEIR_HTTPD_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct page_file {
	const char *path; /* "/index.html" */
	const char *type;
	const char *etag; /* with quotes */
	bool immutable;   /* its name holds a hash of its content */
	const unsigned char *data, *data_end;
	const unsigned char *gzip,
	    *gzip_end; /* the same where no smaller form exists: then gzip == gzip_end */
};

extern const struct page_file page_files[];
extern const size_t page_nfiles;
/* httpd/openapi.json */
extern const struct page_file page_openapi;

/* The file of a path: "/" and paths without a dot that are no file are the page itself, which knows its own
 * places. NULL: no such file. */
const struct page_file *page_find(const char *path);

#endif
