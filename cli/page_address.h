/* Where a browser reaches the page, for people to read. */
#ifndef WEIR_CLI_PAGE_ADDRESS_H
#define WEIR_CLI_PAGE_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"

#define PAGE_ADDRESS_MAX 96

/* "https://192.0.2.7:3001": of the configured address, else of the machine's own, else of localhost. Returns
 * out. */
const char *page_address(const struct settings *s, char out[static PAGE_ADDRESS_MAX]);
/* Prints the link of a set-up secret (SETUP_SECRET_BYTES) to standard output, which is whoever asked for it:
 * it goes to no log. */
void page_address_print_link(const struct settings *s, const uint8_t *secret);

#endif
