/* What an interface can carry: as the operator says, or its driver. */
#ifndef WEIR_CLI_LINK_SPEED_H
#define WEIR_CLI_LINK_SPEED_H

#include <stdint.h>

struct settings;

/* Bits a second; 0 where it is not known (no carrier, or a device that has none). */
uint64_t link_speed(const struct settings *s, const char *interface);

#endif
