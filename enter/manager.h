/* The service manager that started this process, by its own word in the environment: sd_notify(3) and the
 * variables of ExecStopPost= (systemd.exec(5)). */
#ifndef WEIR_ENTER_MANAGER_H
#define WEIR_ENTER_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

/* A connected datagram socket that does not block, to write states to ("READY=1"); where there is no manager,
 * /dev/null. -1 with errno. */
int manager_socket(void);

/* How the process ended that EXIT_CODE and EXIT_STATUS tell of, as wait(2) would have told it. False where
 * they tell of none. */
bool manager_wait_status(const char *code, const char *status, int32_t *wait_status);

#endif
