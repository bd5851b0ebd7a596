/* The HTTPS port: evhttp over TLS, with limits, from opening to draining. */
#ifndef WEIR_HTTPD_FRONT_H
#define WEIR_HTTPD_FRONT_H

struct httpd;

/* Reads certificate and key, takes over the listening sockets, and loads what would otherwise be loaded
 * later. */
void front_open(struct httpd *h);
/* Begins to accept: after the sandbox. */
void front_start(struct httpd *h);
/* Accepts no more, ends streams and idle connections; the loop ends once the rest is answered, or after two
 * seconds. */
void front_drain(struct httpd *h);
void front_close(struct httpd *h);

#endif
