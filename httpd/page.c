#include "page.h"

#include <string.h>

static const struct page_file *
page_file(const char *path)
{
	for (size_t i = 0; i < page_nfiles; i++)
		if (strcmp(page_files[i].path, path) == 0)
			return &page_files[i];
	return NULL;
}

const struct page_file *
page_find(const char *path)
{
	const struct page_file *f = page_file(path);

	if (f == NULL && strchr(path, '.') == NULL)
		f = page_file("/index.html");
	return f;
}
