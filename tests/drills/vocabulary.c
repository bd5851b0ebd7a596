/* Prints what processes may say to each other (ipc/msg.def) as JSON, for the drills: who takes a process over
 * knows it too. */
#include <stddef.h>
#include <stdio.h>

#include "ipc/msg.h"
#include "ipc/wire.h"

int
main(void)
{
	printf("{\"version\": %u, \"processes\": [", (unsigned)WIRE_VERSION);
	for (unsigned p = 0; p < PROC_COUNT; p++)
		printf("%s\"%s\"", p > 0 ? ", " : "", p == PROC_NONE ? "none" : proc_name((enum proc)p));
	printf("],\n \"question\": {\"size\": %zu, \"kind\": %zu, \"grant_len\": %zu, \"kinds\": %u, "
	       "\"not_granted\": %u, \"bad\": %u},\n",
	       sizeof(struct wire_question), offsetof(struct wire_question, kind),
	       offsetof(struct wire_question, grant_len), (unsigned)ASK_KIND_COUNT,
	       (unsigned)ANSWER_NOT_GRANTED, (unsigned)ANSWER_BAD_QUESTION);
	printf(" \"answer\": {\"status\": %zu, \"nrows\": %zu},\n", offsetof(struct wire_answer, status),
	       offsetof(struct wire_answer, nrows));
	printf(" \"login\": {\"size\": %zu, \"name\": %zu, \"password\": %zu},\n", sizeof(struct wire_login),
	       offsetof(struct wire_login, name), offsetof(struct wire_login, password));
	printf(" \"session\": {\"size\": %zu, \"cookie\": %zu, \"cookie_size\": %u},\n",
	       sizeof(struct wire_session), offsetof(struct wire_session, cookie), (unsigned)COOKIE_BYTES);
	printf(" \"auth_answer\": {\"status\": %zu, \"cookie\": %zu, \"grant_len\": %zu, \"grant\": %zu, "
	       "\"ok\": %u},\n",
	       offsetof(struct wire_auth_answer, status), offsetof(struct wire_auth_answer, cookie),
	       offsetof(struct wire_auth_answer, grant_len), offsetof(struct wire_auth_answer, grant),
	       (unsigned)AUTH_OK);
	printf(" \"admin\": {\"size\": %zu, \"grant_len\": %zu, \"body_len\": %zu, \"status\": %zu, \"ok\": "
	       "%u},\n",
	       sizeof(struct wire_admin), offsetof(struct wire_admin, grant_len),
	       offsetof(struct wire_admin, body_len), offsetof(struct wire_admin_answer, status),
	       (unsigned)ADMIN_OK);
	printf(" \"messages\": [\n");
	for (unsigned m = 0; m < MSG_COUNT; m++) {
		const struct msg_rule *r = msg_rule((enum msg_id)m);

		printf("%s{\"id\": %u, \"name\": \"%s\", \"from\": %u, \"to\": %u, \"min\": %u, \"max\": %u, "
		       "\"fds\": %u}",
		       m > 0 ? ",\n" : "", m, msg_name((enum msg_id)m), (unsigned)r->from, (unsigned)r->to,
		       r->min, r->max, r->fds);
	}
	printf("\n]}\n");
	return 0;
}
