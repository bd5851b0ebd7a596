/* Whom weir-dial asks for names of addresses where the settings name nobody. */
#ifndef WEIR_CLI_NAMESERVERS_H
#define WEIR_CLI_NAMESERVERS_H

#include <stdbool.h>

#include "base/settings.h"

/* Fills dial.nameservers from /etc/resolv.conf (resolv.conf(5)) where it is empty and wanted. False, having
 * said why, where there is none. */
bool nameservers_default(struct settings *s);
/* The addresses that a text of that form names, at most as many as fit; others of its lines mean nothing
 * here. */
void nameservers_read(const char *text, struct settings *s);

#endif
