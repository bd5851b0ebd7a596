/* The HTTP port: sends every request to https on the same host, and does nothing else. */
#ifndef WEIR_HTTPD_REDIRECT_H
#define WEIR_HTTPD_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct redirect;

/* Serves on a listening socket, which stays the caller's. */
struct redirect *redirect_new(struct event_base *base, int listener, unsigned https_port);
/* Accepts no more. */
void redirect_stop(struct redirect *r);
/* Whether somebody is still being answered; r may be NULL. */
bool redirect_busy(const struct redirect *r);
void redirect_free(struct redirect **r);

#define REDIRECT_ANSWER_MAX 4096
/*
 * The answer to the head of a request (up to and with the empty line), written into out, and its length: 308
 * with a Location on the request's own host and path, or 400 where that cannot be. Pure.
 */
size_t redirect_answer(const char *head, size_t len, unsigned https_port,
		       char out[static REDIRECT_ANSWER_MAX]);

#endif
