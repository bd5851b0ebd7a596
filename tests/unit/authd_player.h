/* Plays launcher, httpd and store against a real weir-authd: what the tests of the process share. */
#ifndef WEIR_TESTS_AUTHD_PLAYER_H
#define WEIR_TESTS_AUTHD_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/settings.h"
#include "ipc/msg.h"
#include "ipc/wire.h"

#define PATIENCE_MS 30000 /* a test that waits longer has failed */

struct player {
	char home[64]; /* with the socket and, in data/, the files of authd */
	char data[96], socket[96];
	int listener, binary;
	struct settings settings;
	pid_t pid;
	int errors; /* authd's standard error, to be read */

	int httpd, store, weir; /* -1: not connected */
	bool mute;              /* store takes changes without saying so */
	uint64_t request;

	/* What store was told so far. */
	struct wire_grant_keys keys;
	unsigned nkeys, nsnapshots, nsets, nadds, nrevokes, nalive;
	int snapshot_fd;
	struct wire_snapshot snapshot;
	struct wire_grant_live set[4096];
	size_t nset;
	bool set_open;
	struct wire_grant_change last_add, last_revoke;
	struct wire_counters counted;
};

void player_open(struct player *p);
void player_close(struct player *p);

/* Starts authd; it may fail: player_exit says how. */
void player_spawn(struct player *p);
/* Starts it and connects httpd and weir. */
void player_start(struct player *p);
/* Sends a signal (0: none), waits for the end, closes all links; returns the exit status, or minus the signal
 * that ended it. */
int player_exit(struct player *p, int signal);
/* What authd wrote on standard error until its end. */
void player_errors(struct player *p, char *out, size_t size);

void player_connect_httpd(struct player *p);
void player_connect_weir(struct player *p);
/* Connects store and takes in keys, snapshot and set. */
void player_connect_store(struct player *p);
void player_hang_up(int *fd);

/* Handles one message to store, which must come before the deadline. */
void player_store_step(struct player *p);
/* Whether something waits at fd within ms. */
bool player_waits(int fd, int ms);
/* Whether authd ends the connection before it has sent 50 more messages (store hears from it every 2 s). */
bool player_hung_up(int fd);

uint64_t player_send_login(struct player *p, const char *name, const char *password, const char *from);
uint64_t player_send_setup(struct player *p, const uint8_t *secret, const char *name, const char *password,
			   const char *from);
uint64_t player_send_session(struct player *p, enum msg_id id, const uint8_t *cookie);
/* The answer to a request of httpd; answers to others are dropped. store takes and confirms what comes
 * meanwhile. */
void player_answer(struct player *p, uint64_t request, struct wire_auth_answer *a);
/* Any answer; false where the channel ended. */
bool player_any_answer(struct player *p, struct wire_auth_answer *a);
void player_cli(struct player *p, enum msg_id id, struct wire_cli_answer *a);

uint64_t player_send_tenant_session(struct player *p, const uint8_t *cookie, const char *tenant);
uint64_t player_send_token(struct player *p, const char *token, const char *tenant, const char *from);
uint64_t player_send_basic(struct player *p, const char *name, const char *password, const char *tenant,
			   const char *from);
uint64_t player_send_second_factor(struct player *p, const uint8_t *ticket, const char *code,
				   const char *from);
/* An operation, as whoever has the grant (len 0: as the command line): its status; the answer's text goes to
 * body, which is static, until the next one. store takes and confirms what comes meanwhile. */
enum admin_status player_admin(struct player *p, const uint8_t *grant, size_t len, const char *json);
/* Only sends it. */
uint64_t player_send_admin(struct player *p, const uint8_t *grant, size_t len, const char *json);
extern char player_body[1 << 20];
extern bool player_unconfirmed; /* of that answer */

/* The usual beginning: set-up with this name and password; the answer has the first session. */
#define PLAYER_NAME     "alice"
#define PLAYER_PASSWORD "a weir in the river"
void player_set_up(struct player *p, struct wire_auth_answer *a);

/* The processes that compute argon2id for authd: their ids into pid, and how many (at least one). */
#define PLAYER_HASHERS 16
size_t player_hashers(const struct player *p, pid_t pid[static PLAYER_HASHERS]);

#endif
