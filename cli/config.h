/* The configuration: one YAML file into struct settings, every mistake named with file, line, key and what to
 * do. */
#ifndef WEIR_CLI_CONFIG_H
#define WEIR_CLI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"

/* Gets one line for each mistake, without newline. */
typedef void (*config_report)(void *ctx, const char *line);

#define CONFIG_FILE_MAX     262144u /* bytes of a file that is read at all */
#define CONFIG_MISTAKES_MAX 50u     /* mistakes that are named */

/* Reads the file over what s holds. All mistakes are reported; false where there was one (s is then of no
 * use). */
bool config_load(const char *path, struct settings *s, config_report report, void *ctx);
/* As config_load for text in memory; name stands for the file in the reports. */
bool config_load_text(const char *name, const char *text, size_t len, struct settings *s,
		      config_report report, void *ctx);

/* settings_set, and what a row cannot say: texts that must be addresses, numbers that must be powers of two.
 */
bool config_set(struct settings *s, const char *key, const char *value, char *err, size_t errsize);
/* The length of the name in "eth1=7", and its address space; 0 where the text is no such pair. */
size_t config_address_space(const char *v, uint32_t *space);
/* Likewise of "eth1=10G", and the bits a second: above 0. */
size_t config_interface_speed(const char *v, uint64_t *speed);
/* Whether the keys agree with each other: a certificate needs its key, and the like. */
bool config_agrees(const struct settings *s, char *err, size_t errsize);

#endif
