/*
 * Names of new hosts from the operator's name servers (setting engine.dns_mode), through weir-dial. What is
 * asked and what waits to be is bounded; where dial is away nothing waits, and a host is asked for when it
 * comes anew.
 */
#ifndef WEIR_STORE_RESOLVE_H
#define WEIR_STORE_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "hosts.h"
#include "ipc/wire.h"

struct store;
struct resolve;

/* NULL where the settings do not want names, or files are analysed. */
struct resolve *resolve_new(const struct store *s);
void resolve_free(struct resolve **r);

/* A host that was not there before. Nothing where s->resolve is NULL. */
void resolve_host(struct store *s, const struct host *h);
/* Asks what waits, as far as dial may be asked. Often. */
void resolve_turn(struct store *s);
/* NAME_TOLD; false where it is a lie. */
bool resolve_told(struct store *s, const struct wire_name_told *w);
/* dial is gone: what was asked has no answer. */
void resolve_lost(struct store *s);

#endif
