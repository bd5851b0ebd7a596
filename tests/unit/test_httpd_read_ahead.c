/* Reading ahead from a socket: what OpenSSL gets, and how often the kernel is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "read_ahead.h"
#include "tls.h"

struct ends {
	int ours, theirs;
	bool may;
	BIO *bio;
};

static bool
may(void *ctx)
{
	return ((struct ends *)ctx)->may;
}

static void
open_ends(struct ends *e)
{
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s), 0);
	*e = (struct ends){ s[0], s[1], true, NULL };
	e->bio = read_ahead_new(e->ours, may, e);
	assert_non_null(e->bio);
}

static void
close_ends(struct ends *e)
{
	BIO_free(e->bio);
	close(e->ours);
	close(e->theirs);
}

static void
say(const struct ends *e, const char *text)
{
	assert_int_equal(write(e->theirs, text, strlen(text)), (ssize_t)strlen(text));
}

static void
hears(const struct ends *e, int size, const char *text)
{
	char out[64];

	assert_int_equal(BIO_read(e->bio, out, size), (int)strlen(text));
	assert_memory_equal(out, text, strlen(text));
}

static void
hears_no_more(const struct ends *e)
{
	char out[64];

	assert_int_equal(BIO_read(e->bio, out, sizeof(out)), -1);
	assert_true(BIO_should_retry(e->bio) && BIO_should_read(e->bio));
}

static int
left_in_kernel(const struct ends *e)
{
	int n = -1;

	assert_int_equal(ioctl(e->ours, FIONREAD, &n), 0);
	return n;
}

static void
one_call_takes_all_there_is(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	hears_no_more(&e);
	assert_int_equal(read_ahead_left(e.bio), 0);
	say(&e, "12345the restabc");
	hears(&e, 5, "12345");
	assert_int_equal(left_in_kernel(&e), 0);
	assert_int_equal(read_ahead_left(e.bio), 11);
	say(&e, "later");
	hears(&e, 8, "the rest");
	hears(&e, 5, "abc");
	assert_int_equal(read_ahead_left(e.bio), 0);
	assert_int_equal(left_in_kernel(&e), 5);
	hears(&e, 5, "later");
	hears_no_more(&e);
	close_ends(&e);
}

static void
nothing_is_read_ahead_where_it_may_not(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	e.may = false;
	say(&e, "12345the rest");
	hears(&e, 5, "12345");
	assert_int_equal(left_in_kernel(&e), 8);
	e.may = true;
	hears(&e, 3, "the");
	assert_int_equal(left_in_kernel(&e), 0);
	e.may = false;
	hears(&e, 5, " rest"); /* what was read already */
	hears_no_more(&e);
	close_ends(&e);
}

static void
the_end_is_an_end(void **state)
{
	struct ends e;
	char out[8];

	(void)state;
	open_ends(&e);
	say(&e, "last");
	assert_int_equal(shutdown(e.theirs, SHUT_WR), 0);
	hears(&e, 8, "last");
	assert_int_equal(BIO_read(e.bio, out, sizeof(out)), 0);
	assert_false(BIO_should_retry(e.bio));
	close_ends(&e);
}

/* More than there is room for at once. */
static void
long_texts_come_whole(void **state)
{
	static char sent[3 * READ_AHEAD_MAX], got[sizeof(sent)];
	struct ends e;
	size_t n = 0;

	(void)state;
	open_ends(&e);
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 31 + i / 251);
	assert_int_equal(write(e.theirs, sent, sizeof(sent)), (ssize_t)sizeof(sent));
	while (n < sizeof(got)) {
		int part = BIO_read(e.bio, got + n, 1000);

		assert_true(part > 0);
		n += (size_t)part;
	}
	hears_no_more(&e);
	assert_memory_equal(got, sent, sizeof(sent));
	close_ends(&e);
}

static void
connections_do_not_mix(void **state)
{
	struct ends a, b;

	(void)state;
	open_ends(&a);
	open_ends(&b);
	say(&a, "aaaa");
	say(&b, "bbbb");
	hears(&a, 4, "aaaa");
	hears(&b, 4, "bbbb");
	hears_no_more(&a);
	hears_no_more(&b);
	/* What one has left is its own, whoever reads meanwhile. */
	say(&a, "AAAA");
	say(&b, "BBBB");
	hears(&a, 1, "A");
	hears(&b, 1, "B");
	assert_int_equal(read_ahead_left(a.bio), 3);
	hears(&a, 2, "AA");
	hears(&b, 3, "BBB");
	hears_no_more(&b);
	hears(&a, 1, "A");
	hears_no_more(&a);
	/* One that goes takes its own along. */
	say(&a, "xy");
	say(&b, "XY");
	hears(&a, 1, "x");
	hears(&b, 1, "X");
	close_ends(&a);
	close_ends(&b);
	open_ends(&b);
	hears_no_more(&b);
	close_ends(&b);
}

static void
what_comes_while_it_is_shut_waits(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	say(&e, "12345the rest");
	hears(&e, 5, "12345");
	say(&e, "later");
	read_ahead_shut(e.bio, true);
	hears_no_more(&e);
	assert_int_equal(read_ahead_left(e.bio), 8);
	assert_int_equal(left_in_kernel(&e), 5);
	read_ahead_shut(e.bio, false);
	hears(&e, 8, "the rest");
	hears(&e, 5, "later");
	close_ends(&e);
}

/* --- below OpenSSL */

/* A server that shows a certificate made for it. */
static SSL_CTX *
server_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	assert_true(ctx != NULL && key != NULL && x != NULL);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(ctx, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	X509_free(x);
	EVP_PKEY_free(key);
	return ctx;
}

struct tls_ends {
	struct ends e;
	SSL_CTX *server_ctx, *client_ctx;
	SSL *server, *client;
};

static void
open_tls(struct tls_ends *t)
{
	int server = 0, client = 0;

	open_ends(&t->e);
	t->server_ctx = server_context();
	t->client_ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(t->client_ctx);
	t->server = SSL_new(t->server_ctx);
	t->client = SSL_new(t->client_ctx);
	assert_int_equal(SSL_set_fd(t->server, t->e.ours), 1);
	SSL_set0_rbio(t->server, t->e.bio);
	assert_int_equal(SSL_set_fd(t->client, t->e.theirs), 1);
	SSL_set_accept_state(t->server);
	SSL_set_connect_state(t->client);
	for (int i = 0; i < 10 && (server != 1 || client != 1); i++) {
		client = SSL_do_handshake(t->client);
		server = SSL_do_handshake(t->server);
	}
	assert_int_equal(client, 1);
	assert_int_equal(server, 1);
}

static void
close_tls(struct tls_ends *t)
{
	SSL_free(t->server);
	SSL_free(t->client);
	SSL_CTX_free(t->server_ctx);
	SSL_CTX_free(t->client_ctx);
	close(t->e.ours);
	close(t->e.theirs);
}

static void
record_says(SSL *ssl, const char *text)
{
	char out[64];

	assert_int_equal(SSL_read(ssl, out, sizeof(out)), (int)strlen(text));
	assert_memory_equal(out, text, strlen(text));
}

/* Records of all kinds that came at once: each call gives what one holds, and the end is seen behind the
 * last. */
static void
records_keep_their_bounds(void **state)
{
	struct tls_ends t;
	char out[8];

	(void)state;
	open_tls(&t);
	assert_int_equal(SSL_write(t.client, "one", 3), 3);
	assert_int_equal(SSL_write(t.client, "two", 3), 3);
	assert_int_equal(SSL_key_update(t.client, SSL_KEY_UPDATE_REQUESTED), 1);
	assert_int_equal(SSL_write(t.client, "under a new key", 15), 15);
	assert_int_equal(SSL_shutdown(t.client), 0);
	record_says(t.server, "one");
	assert_int_equal(left_in_kernel(&t.e), 0);
	record_says(t.server, "two");
	assert_true(read_ahead_left(t.e.bio) > 0);
	record_says(t.server, "under a new key");
	assert_true(read_ahead_left(t.e.bio) > 0);
	assert_int_equal(SSL_write(t.server, "under ours", 10), 10); /* it was asked for one, too */
	assert_int_equal(SSL_read(t.server, out, sizeof(out)), 0);
	assert_int_equal(SSL_get_error(t.server, 0), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(read_ahead_left(t.e.bio), 0);
	record_says(t.client, "under ours");
	close_tls(&t);
}

/* Whose bytes come one by one. */
static void
a_record_in_pieces_is_one(void **state)
{
	static const char *const texts[] = { "first", "next" };
	struct tls_ends t;
	uint8_t sent[256];
	char out[8];
	size_t got = 0;
	ssize_t n;
	BIO *aside = BIO_new(BIO_s_mem());

	(void)state;
	open_tls(&t);
	assert_non_null(aside);
	SSL_set0_wbio(t.client, aside);
	assert_int_equal(SSL_write(t.client, "first", 5), 5);
	assert_int_equal(SSL_write(t.client, "next", 4), 4);
	n = BIO_read(aside, sent, sizeof(sent));
	assert_true(n > 40 && n < 200);
	for (ssize_t i = 0; i < n; i++) {
		int r;

		assert_int_equal(write(t.e.theirs, sent + i, 1), 1);
		r = SSL_read(t.server, out, sizeof(out));
		if (r <= 0) {
			assert_int_equal(SSL_get_error(t.server, r), SSL_ERROR_WANT_READ);
			continue;
		}
		assert_true(got < 2);
		assert_int_equal(r, strlen(texts[got]));
		assert_memory_equal(out, texts[got], (size_t)r);
		got++;
	}
	assert_int_equal(got, 2);
	assert_int_equal(read_ahead_left(t.e.bio), 0);
	close_tls(&t);
}

/* --- room for a record: what OpenSSL has of this size */

#define ROOM 16384u /* bytes: a record's at least */

static int rooms;

static void *
counted_malloc(size_t n, const char *file, int line)
{
	size_t *p = malloc(sizeof(max_align_t) + n);

	(void)file;
	(void)line;
	if (p == NULL)
		return NULL;
	*p = n;
	rooms += n >= ROOM;
	return (uint8_t *)p + sizeof(max_align_t);
}

static void
counted_free(void *at, const char *file, int line)
{
	size_t *p = at == NULL ? NULL : (void *)((uint8_t *)at - sizeof(max_align_t));

	(void)file;
	(void)line;
	if (p != NULL)
		rooms -= *p >= ROOM;
	free(p);
}

static void *
counted_realloc(void *at, size_t n, const char *file, int line)
{
	void *to = counted_malloc(n, file, line);
	size_t before;

	if (at == NULL || to == NULL)
		return to;
	memcpy(&before, (uint8_t *)at - sizeof(max_align_t), sizeof(before));
	memcpy(to, at, before < n ? before : n);
	counted_free(at, file, line);
	return to;
}

static void
room_is_kept_and_given_up(void **state)
{
	struct event_base *base = event_base_new();
	BIO *aside = BIO_new(BIO_s_mem());
	struct bufferevent *bev;
	struct tls_ends t;
	uint8_t sent[256];
	char out[8];
	ssize_t n;
	int none;

	(void)state;
	open_tls(&t);
	(void)SSL_set_mode(t.server, SSL_MODE_RELEASE_BUFFERS);
	bev = bufferevent_openssl_socket_new(base, t.e.ours, t.server, BUFFEREVENT_SSL_OPEN, 0);
	assert_non_null(bev);
	tls_give_up_room(bev); /* the handshake's */
	none = rooms;

	assert_int_equal(SSL_write(t.client, "one", 3), 3);
	record_says(t.server, "one");
	assert_int_equal(rooms, none);
	tls_keep_room(bev, true);
	assert_int_equal(SSL_write(t.client, "two", 3), 3);
	record_says(t.server, "two");
	assert_int_equal(rooms, none + 1);
	tls_keep_room(bev, false);
	assert_int_equal(rooms, none + 1);
	tls_give_up_room(bev);
	assert_int_equal(rooms, none);

	/* What was read ahead stays, and so does the room where a record is not read to its end. */
	tls_keep_room(bev, true);
	assert_int_equal(SSL_write(t.client, "three", 5), 5);
	assert_int_equal(SSL_write(t.client, "four", 4), 4);
	record_says(t.server, "three");
	tls_give_up_room(bev);
	assert_int_equal(rooms, none);
	assert_int_equal(SSL_read(t.server, out, 1), 1);
	assert_int_equal(rooms, none + 1);
	tls_give_up_room(bev);
	assert_int_equal(rooms, none + 1);
	record_says(t.server, "our");
	tls_give_up_room(bev);
	assert_int_equal(rooms, none);

	/* Nor where it has not come to its end. */
	SSL_set0_wbio(t.client, aside);
	assert_int_equal(SSL_write(t.client, "five", 4), 4);
	n = BIO_read(aside, sent, sizeof(sent));
	for (ssize_t i = 0; i < n - 1; i++) {
		assert_int_equal(write(t.e.theirs, sent + i, 1), 1);
		assert_int_equal(SSL_read(t.server, out, sizeof(out)), -1);
		tls_give_up_room(bev);
		assert_int_equal(rooms, none + 1);
	}
	assert_int_equal(write(t.e.theirs, sent + n - 1, 1), 1);
	record_says(t.server, "five");
	assert_int_equal(rooms, none);
	bufferevent_free(bev);
	event_base_free(base);
	close_tls(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_call_takes_all_there_is),
		cmocka_unit_test(nothing_is_read_ahead_where_it_may_not),
		cmocka_unit_test(the_end_is_an_end),
		cmocka_unit_test(long_texts_come_whole),
		cmocka_unit_test(connections_do_not_mix),
		cmocka_unit_test(what_comes_while_it_is_shut_waits),
		cmocka_unit_test(records_keep_their_bounds),
		cmocka_unit_test(a_record_in_pieces_is_one),
		cmocka_unit_test(room_is_kept_and_given_up),
	};

	if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
