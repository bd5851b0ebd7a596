/* Files that hold a secret of the operator's: where a setting says they are, and that nobody else can read
 * them. */
#ifndef WEIR_CLI_SECRET_FILE_H
#define WEIR_CLI_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define SECRET_CREDENTIAL "credential:"

/* Whether a setting names a file so: "" (none), an absolute path, or credential:NAME, which is what systemd's
 * LoadCredential= hands over under that name (letters, digits, ".", "_" and "-"). */
bool secret_file_is_named(const char *setting);
/* The path that it means, into out; false with a sentence in err, where there is no such credential or no
 * room. */
bool secret_file_path(const char *setting, char *out, size_t size, char *err, size_t errsize);
/* Whether it is a regular file of root's that nobody else may read or write. */
bool secret_file_is_closed(const struct stat *st);
/* Opens what the setting of this key names, for reading; -1 with a sentence in err. */
int secret_file_open(const char *setting, const char *key, char *err, size_t errsize);

#endif
