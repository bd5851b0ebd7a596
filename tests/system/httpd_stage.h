/* What the files of httpd_stage share: who is played, how they behave, and what was asked of them. */
#ifndef WEIR_TESTS_HTTPD_STAGE_H
#define WEIR_TESTS_HTTPD_STAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/boot.h"
#include "ipc/channel.h"
#include "ipc/wire.h"

struct event;
struct event_base;
struct pair;

#define PAD_MAX 4000u

struct actor {
	struct stage *stage;
	struct boot boot;
	struct peers *peers;
	int listener;
};

struct stage {
	struct event_base *base;
	struct boot boot; /* httpd's */
	char dir[64];
	struct actor authd, store, key;
	struct pair *pair; /* that key has */
	pid_t pid;
	struct event *input;
	int https, http, listener, certificate;
	char **wrapper;
	uid_t uid;
	/* how the actors behave */
	bool silent_key, lying_key, silent_store, silent_pages, silent_authd, lie, refuse_grant_once,
	    no_session, history_down, unconfirmed;
	uint32_t rows;        /* of each list; 0: two pages of any length */
	unsigned busy;        /* so many questions are answered with ANSWER_BUSY */
	bool formula;         /* names as attackers choose them */
	unsigned life, quiet; /* of store, for its cursors of events; no flow does anything */
	unsigned left_out;    /* events that the next answer says are not told; UINT32_MAX: nobody knows */
	uint32_t pad;         /* bytes of server name in each flow, at most PAD_MAX, to make answers long */
	bool setup_open, limited, no_token, parts, refuse_admin_once, refuse_grants;
	bool endless;          /* operations: half of what an answer may have, and never its end */
	unsigned admin_status; /* that operations are answered with; 0: ADMIN_OK */
	/* what was asked of them */
	unsigned signs, logins, sessions, tokens, admins, questions, questions_of[ASK_KIND_COUNT], cancelled;
	uint8_t cookie[COOKIE_BYTES];
	bool logged_in;
};

/* What each does with a message of httpd's; ctx is its actor. */
bool authd_message(void *ctx, struct channel *ch, struct msg *m);
bool store_message(void *ctx, struct channel *ch, struct msg *m);
bool key_message(void *ctx, struct channel *ch, struct msg *m);
/* What key owes, once it is not silent any more. */
bool key_answer(struct stage *s, struct channel *ch);

/* httpd_stage_actors.c: where each is reached, and its coming and going; call: it connects to httpd. */
int unix_listener(const char *path);
void path_of(const struct stage *s, const char *who, char path[static BOOT_PATH_MAX]);
void actor_up(struct stage *s, struct actor *a, enum proc proc, bool call);
void actor_down(struct actor *a);

#endif
