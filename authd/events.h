/*
 * What the audit log is told of comings and goings. What somebody did who came in is written with the change
 * itself. Failures are gathered here and written a moment later: an answer must not take longer because there
 * is an account to write about.
 */
#ifndef WEIR_AUTHD_EVENTS_H
#define WEIR_AUTHD_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit.h"
#include "ipc/wire.h"
#include "record_policy.h"

#define EVENTS_PENDING 128 /* between two writings; more are only counted (audit_failure) */

struct authd;
struct events;

struct events *events_new(struct authd *a);
void events_free(struct events **ev);

/* An entry of a user ("": unknown) at a client's address. */
struct audit_entry events_entry(enum audit_kind kind, enum audit_outcome outcome, const char *user,
				const struct wire_client *client);

/* Somebody failed to come in. account 0: there is none of the name that was typed, which is not kept. why: in
 * words; may be NULL. */
void events_failed(struct authd *a, uint64_t account, const char *name, const struct wire_client *client,
		   const char *why);
/* The throttle did not look at it. */
void events_held_back(struct authd *a, const struct wire_client *client);
/* A token was shown for the first time from an address, or refused there. */
void events_token(struct authd *a, const struct token *t, const struct wire_client *client, bool taken);

/* Writes what was gathered. Once a second. */
enum db_status events_flush(struct authd *a);

/* The name by which people know a token or a session: the beginning of its hash, in hex. */
#define HANDLE_BYTES 8
#define HANDLE_TEXT  (2 * HANDLE_BYTES + 1)
const char *events_handle(const uint8_t *hash, char out[static HANDLE_TEXT]);

#endif
