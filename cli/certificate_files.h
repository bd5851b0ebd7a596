/* The certificate that httpd serves and its key: the operator's files, or those that Weir makes itself.
 * Opened at the start, and again when they have changed. */
#ifndef WEIR_CLI_CERTIFICATE_FILES_H
#define WEIR_CLI_CERTIFICATE_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/settings.h"
#include "file_version.h"

#define CERTIFICATE_PATH_MAX 320

struct certificate_file {
	char path[CERTIFICATE_PATH_MAX];
	int fd;                           /* read-only, its offset never moved; -1: none */
	struct file_version judged, seen; /* that was last opened, good or not; at the last look */
};

struct certificate_files {
	struct certificate_file chain, key;
	int directory;  /* that Weir's own are in; -1: they are the operator's */
	unsigned looks; /* since Weir's own were last judged by their age */
	bool told;      /* that one cannot be read */
};

/* Zeroed memory is no certificate: descriptors are -1 after this. */
void certificate_files_init(struct certificate_files *f);
/* Finds, makes where there are none, and opens them. False with a sentence in err. */
bool certificate_files_open(struct certificate_files *f, const struct settings *s, int data_directory,
			    char *err, size_t errsize);
void certificate_files_close(struct certificate_files *f);

/* Looks again, to be called once a second. True where both descriptors are of a new pair that belongs
 * together: the files had changed, and then stood still for one look. A pair that is none is a line in the
 * log, and the one before stays. */
bool certificate_files_look(struct certificate_files *f);

/* Chain and key one after the other in sealed memory, the caller's to close; -1 with errno. */
int certificate_files_memory(const struct certificate_files *f);
/* The same of the chain alone. */
int certificate_files_chain_memory(const struct certificate_files *f);

#endif
