/* Switches off what merges frames before we see them. */
#ifndef WEIR_CLI_OFFLOAD_H
#define WEIR_CLI_OFFLOAD_H

/* GRO and LRO off where the interface has no address (it is there to be monitored); says what it did. Others
 * are left alone. */
void offload_off(const char *interface);

#endif
