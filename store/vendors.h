/* Who made a device: the first 24, 28 or 36 bits of its MAC address as IEEE assigns them, from IEEE's own
 * lists (CSV). */
#ifndef WEIR_STORE_VENDORS_H
#define WEIR_STORE_VENDORS_H

#include <stddef.h>
#include <stdint.h>

struct vendors;

struct vendors *vendors_new(void);
void vendors_free(struct vendors **v);
/* Adds the assignments of one list; lines that are none are left out. Returns how many were added. */
size_t vendors_read(struct vendors *v, const uint8_t *csv, size_t len);
/* As vendors_read, for an open file, which is read to its end and not closed. */
size_t vendors_read_file(struct vendors *v, int fd);
/* The name, not terminated, *len bytes; NULL where nobody has it, and for addresses that were made up
 * locally. */
const char *vendors_find(const struct vendors *v, const uint8_t mac[static 6], size_t *len);

#define VENDOR_FILE_MAX (64u << 20)
#define VENDOR_NAME_MAX 64

#endif
