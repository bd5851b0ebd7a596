/* Tells a process's own unit of systemd that it is ready, and then that its loop still turns (sd_notify(3)).
 */
#ifndef WEIR_IPC_ALIVE_H
#define WEIR_IPC_ALIVE_H

#include "ipc/boot.h"

struct event_base;
struct alive;

/* Begins to write to BOOT_FD_NOTIFY as soon as the loop turns; NULL where the boot document says that there
 * is none. Call before the sandbox. Dies where memory ends. */
struct alive *alive_new(struct event_base *base, const struct boot *b);
void alive_free(struct alive **a);

#endif
