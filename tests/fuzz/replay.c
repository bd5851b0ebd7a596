/* Replays files and folders through a fuzz target, so that every old crash is a regression test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long done;

static int
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *b = NULL;
	size_t len = 0, size = 0;

	if (f == NULL) {
		perror(path);
		return -1;
	}
	do {
		if (len == size) {
			size = size == 0 ? 65536 : size * 2;
			b = realloc(b, size);
			if (b == NULL)
				abort();
		}
		len += fread(b + len, 1, size - len, f);
	} while (!feof(f) && !ferror(f));
	fclose(f);
	/* an exact copy, so that a sanitizer sees the first byte past the end */
	uint8_t *exact = malloc(len == 0 ? 1 : len);
	if (exact == NULL)
		abort();
	memcpy(exact, b, len);
	free(b);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	done++;
	return 0;
}

static int
replay(const char *path)
{
	struct stat st;
	struct dirent **names;
	int n, rc = 0;

	if (stat(path, &st) == -1) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char sub[4096];

		if (names[i]->d_name[0] != '.') {
			snprintf(sub, sizeof(sub), "%s/%s", path, names[i]->d_name);
			if (replay_file(sub) != 0)
				rc = -1;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return rc;
}

int
main(int argc, char **argv)
{
	int rc = 0;

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		if (replay(argv[i]) != 0)
			rc = 1;
	printf("%lu inputs replayed\n", done);
	if (done == 0) {
		fprintf(stderr, "the corpus is empty\n");
		rc = 1;
	}
	return rc;
}
