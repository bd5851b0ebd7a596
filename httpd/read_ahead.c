#include "read_ahead.h"

#include <errno.h>
#include <openssl/bio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

struct reader {
	int fd;
	bool (*may)(void *ctx);
	void *ctx;
	uint8_t *rest; /* what it left when another one began to read; NULL: nothing */
	size_t at, len;
	bool shut;
};

/* Of all readers, since nearly always the last one has taken everything. Encrypted: nothing is wiped. */
static uint8_t shared[READ_AHEAD_MAX];
static struct reader *owner;

static struct reader *
reader_of(BIO *b)
{
	return BIO_get_data(b);
}

static int
receive(BIO *b, const struct reader *r, void *out, size_t size)
{
	ssize_t n;

	do {
		n = read(r->fd, out, size);
	} while (n == -1 && errno == EINTR);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		BIO_set_retry_read(b);
	return (int)n;
}

static int
take(struct reader *r, void *out, size_t size)
{
	size_t n = r->len - r->at < size ? r->len - r->at : size;

	memcpy(out, (r->rest != NULL ? r->rest : shared) + r->at, n);
	r->at += n;
	if (r->at == r->len) {
		free(r->rest);
		r->rest = NULL;
	}
	return (int)n;
}

/* The shared bytes are r's from now on. */
static void
take_over(struct reader *r)
{
	if (owner != NULL && owner != r && owner->at < owner->len) {
		size_t left = owner->len - owner->at;

		owner->rest = mem_reallocarray(NULL, left, 1);
		memcpy(owner->rest, shared + owner->at, left);
		owner->at = 0;
		owner->len = left;
	}
	owner = r;
}

static int
read_some(BIO *b, char *out, int size)
{
	struct reader *r = reader_of(b);
	int n;

	BIO_clear_retry_flags(b);
	if (size <= 0)
		return 0;
	if (r->shut) {
		BIO_set_retry_read(b);
		return -1;
	}
	if (r->at < r->len)
		return take(r, out, (size_t)size);
	if ((size_t)size >= sizeof(shared) || !r->may(r->ctx))
		return receive(b, r, out, (size_t)size);
	take_over(r);
	n = receive(b, r, shared, sizeof(shared));
	r->at = 0;
	r->len = n > 0 ? (size_t)n : 0;
	return n > 0 ? take(r, out, (size_t)size) : n;
}

static long
control(BIO *b, int command, long number, void *pointer)
{
	(void)b;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static int
destroy(BIO *b)
{
	struct reader *r = reader_of(b);

	if (owner == r)
		owner = NULL;
	if (r != NULL)
		free(r->rest);
	free(r);
	return 1;
}

/* OpenSSL numbers kinds of BIO once a program. */
static const BIO_METHOD *
method(void)
{
	static BIO_METHOD *m;

	if (m != NULL)
		return m;
	m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "read ahead");
	if (m == NULL || BIO_meth_set_read(m, read_some) != 1 || BIO_meth_set_ctrl(m, control) != 1 ||
	    BIO_meth_set_destroy(m, destroy) != 1) {
		BIO_meth_free(m);
		m = NULL;
	}
	return m;
}

BIO *
read_ahead_new(int fd, bool (*may)(void *ctx), void *ctx)
{
	const BIO_METHOD *m = method();
	BIO *b = m == NULL ? NULL : BIO_new(m);
	struct reader *r;

	if (b == NULL)
		return NULL;
	r = mem_calloc(1, sizeof(*r));
	*r = (struct reader){ .fd = fd, .may = may, .ctx = ctx };
	BIO_set_data(b, r);
	BIO_set_init(b, 1);
	return b;
}

void
read_ahead_shut(BIO *b, bool shut)
{
	struct reader *r = reader_of(b);

	r->shut = shut;
}

size_t
read_ahead_left(BIO *b)
{
	const struct reader *r = reader_of(b);

	return r->len - r->at;
}
