/* TLS for accepted connections: OpenSSL, seen by tls.c alone. */
#ifndef WEIR_HTTPD_TLS_H
#define WEIR_HTTPD_TLS_H

#include <stdbool.h>

#include "remote_key.h"

struct bufferevent;
struct event_base;
struct tls;
struct wire_ticket_keys;

/* Reads the certificate chain (PEM) from an open file and closes it; whoever has its key signs for it (ctx is
 * his). gone(owner) is called when a connection's memory goes, whatever the cause. Dies with a reason where
 * the certificate is unusable. */
struct tls *tls_new(int certificate, remote_sign_fn *sign, void *ctx, void (*gone)(void *owner));
void tls_free(struct tls **t);

/* Serves another certificate from the next connection on: its chain (PEM) in a file,
 * which is closed. False after a line in the log, where it is unusable: the one before stays. */
bool tls_replace(struct tls *t, int pem);

/* Handshakes with itself in memory, with a key and a certificate that it makes for that, so that OpenSSL has
 * loaded all it will ever load. Dies where that fails. */
void tls_warm(struct tls *t);

/* The server's side of a connection whose descriptor comes later (bufferevent_setfd); it is closed with the
 * result. */
struct bufferevent *tls_accept(struct tls *t, struct event_base *base, void *owner);
/* It has its descriptor now. */
void tls_opened(struct bufferevent *bev);
/* Whether something came of an opened one that it has not read, and that the kernel does not tell of. */
bool tls_has_more(struct bufferevent *bev);
/* Whether an opened one, once it has read a record, keeps the room for it (16 KiB) for the next: at first it
 * does not. Room that is given up is wiped before. */
void tls_keep_room(struct bufferevent *bev, bool keep);
/* It keeps none any more, and gives up what it has kept, but for that of a record of which a part came. */
void tls_give_up_room(struct bufferevent *bev);
/* The owner that tls_accept was given. */
void *tls_owner(struct bufferevent *bev);

/* Writes what waits to be sent, one piece of at most a record, without the loop's detour over "can be
 * written"; whoever waits for its end is told from the loop. What cannot be written now is written as ever.
 */
void tls_push(struct bufferevent *bev);

/* Keys of session tickets, n of which are 1 or 2. A session of the second gets a ticket of the first. */
void tls_ticket_keys(struct tls *t, const struct wire_ticket_keys *keys);
/* A key of our own; sessions of those before begin with a full handshake again. */
void tls_rotate(struct tls *t);

#endif
