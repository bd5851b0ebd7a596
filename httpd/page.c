#include "page.h"

#include <string.h>

#include "base/mem.h"

static const struct page_file *
page_file(const char *path)
{
	for (size_t i = 0; i < page_nfiles; i++)
		if (strcmp(page_files[i].path, path) == 0)
			return &page_files[i];
	return NULL;
}

/* Views of the page are paths without a file; where a view is of one thing, its name may hold dots. */
static bool
is_view(const char *path)
{
	static const char *const of_one[] = { "/hosts/", "/applications/" };

	for (size_t i = 0; i < ARRAY_LEN(of_one); i++)
		if (strncmp(path, of_one[i], strlen(of_one[i])) == 0)
			return true;
	return strchr(path, '.') == NULL;
}

const struct page_file *
page_find(const char *path)
{
	const struct page_file *f = page_file(path);

	if (f == NULL && is_view(path))
		f = page_file("/index.html");
	return f;
}
