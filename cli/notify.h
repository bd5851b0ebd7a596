/* Tells the service manager (systemd's protocol: sd_notify(3)) how the launcher does, where one started it.
 */
#ifndef WEIR_CLI_NOTIFY_H
#define WEIR_CLI_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a service manager listens: standard output is a log then, and nobody's terminal. */
bool notify_is_wanted(void);
/* Sends one state ("READY=1"); does nothing where nobody listens. */
void notify(const char *state);
/* How often it wants "WATCHDOG=1" at the least, in milliseconds; 0: not at all. */
int64_t notify_watchdog_ms(void);

#endif
