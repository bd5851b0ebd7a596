/* What libevent holds of secrets: it frees its memory as it is. */
#ifndef WEIR_HTTPD_WIPE_H
#define WEIR_HTTPD_WIPE_H

struct evbuffer;

/* Overwrites all that b holds and empties it. Nothing of it may be memory that is another's. */
void wipe_buffer(struct evbuffer *b);

#endif
