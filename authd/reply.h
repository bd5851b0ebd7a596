/* Answers go back to the very connection that asked: a peer that was started anew never gets its
 * predecessor's. */
#ifndef WEIR_AUTHD_REPLY_H
#define WEIR_AUTHD_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/channel.h"
#include "ipc/wire.h"

struct authd;

struct return_address {
	enum proc proc;
	unsigned instance;
	uint64_t serial; /* of the connection */
};

/* The answer to an operation: a JSON text of any length. */
struct admin_answer {
	uint64_t request;
	enum admin_status status;
	bool unconfirmed; /* store did not say in time that it knows */
	char *body;       /* owned; NULL: none */
	size_t len;
};

/* Numbers a connection: once, when it comes up. */
void return_address_assign(struct authd *a, struct channel *ch);
struct return_address return_address_of(const struct channel *ch);
/* The connection, or NULL where it is gone. */
struct channel *return_address_find(const struct authd *a, const struct return_address *to);

/* Sends an answer, if anybody still waits for it, and wipes it. AUTH_ANSWER also says whether set-up is open.
 */
void reply_auth(struct authd *a, const struct return_address *to, struct wire_auth_answer *answer);
void reply_cli(struct authd *a, const struct return_address *to, struct wire_cli_answer *answer);
/* In as many parts as it needs. id: MSG_ADMIN_ANSWER or MSG_CLI_ADMIN_ANSWER. Frees the body. */
void reply_admin(struct authd *a, const struct return_address *to, enum msg_id id,
		 struct admin_answer *answer);
/* Puts a status and a sentence in the place of what it was. */
void admin_answer_refuse(struct admin_answer *answer, enum admin_status status, const char *detail);
/* An answer that has a status and nothing to hide. detail may be NULL. */
void reply_status(struct authd *a, const struct return_address *to, uint64_t request, enum auth_status status,
		  uint32_t retry_after_s, const char *detail);

#endif
