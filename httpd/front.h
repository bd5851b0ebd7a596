/* The HTTPS port: evhttp over TLS, with limits, from opening to draining. */
#ifndef WEIR_HTTPD_FRONT_H
#define WEIR_HTTPD_FRONT_H

struct httpd;
struct wire_ticket_keys;

/* Reads the certificate, takes over the listening sockets, and loads what would otherwise be loaded
 * later. */
void front_open(struct httpd *h);
/* Begins to accept, once handshakes can be signed: after the sandbox. */
void front_start(struct httpd *h);
/* Looks again whether connections may come: whoever signs handshakes has come or gone. */
void front_admit(struct httpd *h);
/* Accepts no more and ends streams, but goes on with the connections that are there: each gets its answers,
 * the last of which says that it is the last. The loop ends when all have gone; those that ask for nothing
 * more are let go after a second, all after five. */
void front_drain(struct httpd *h);
void front_close(struct httpd *h);

/* Keys for session tickets, from the launcher. */
void front_ticket_keys(struct httpd *h, const struct wire_ticket_keys *keys);

#endif
