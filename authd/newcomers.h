/*
 * People of the directory as accounts: made when one comes in for the first time, with the memberships that
 * the directory gives, and looked after for as long as they can still come in.
 */
#ifndef WEIR_AUTHD_NEWCOMERS_H
#define WEIR_AUTHD_NEWCOMERS_H

#include <stdbool.h>

#include "attempt.h"
#include "hash_queue.h"
#include "people.h"

/* Whether a name is the directory's to judge: there is one, and the account, if there is one, is not of
 * Weir's own. who: NULL where there is none. */
bool newcomers_are_judged(const struct authd *a, const char *name, const struct account *who);

/* A name as its account is called: the directory does not tell Alice from alice. Names of Weir's own
 * accounts, and all of them where there is no directory, stay as they are. Before anything is counted by the
 * name. */
void newcomers_spell(struct authd *a, char *name);

/* A name as new accounts of others' people are called: small letters. */
void newcomers_fold(char *name);

/* What changed on disk of an account's memberships holds for what is in memory, too. */
void newcomers_settle(struct authd *a, uint64_t account);

/* As judging_begin, by the directory: where it says that it is he, his account is there with its memberships
 * when done is called, and t->account and t->judged are its. False where nobody can judge now, and the
 * attempt has ended. */
bool newcomers_judge(struct attempt *t, const char *password, hash_done *done, void *ctx);

/* Once a second: asks again, each ldap.interval, in which groups each of them is. What a group gave ends when
 * the directory says that he is not in it, and all of it when it does not have him, or has him disabled.
 * Where it does not answer nothing changes. */
void newcomers_turn(struct authd *a);

#endif
