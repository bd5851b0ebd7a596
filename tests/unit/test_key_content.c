/* What a server of TLS signs, and what is nothing of that kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "content.h"

#include <string.h>

#define CONTEXT "TLS 1.3, server CertificateVerify"

static uint8_t bytes[256];

static size_t
tls13(const char *context, size_t hash)
{
	memset(bytes, ' ', 64);
	memcpy(bytes + 64, context, strlen(context) + 1);
	memset(bytes + 65 + strlen(context), 0xa5, hash);
	return 65 + strlen(context) + hash;
}

static size_t
tls12(unsigned type, unsigned group, size_t point, unsigned form)
{
	memset(bytes, 0x5a, 64);
	bytes[64] = (uint8_t)type;
	bytes[65] = (uint8_t)(group >> 8);
	bytes[66] = (uint8_t)group;
	bytes[67] = (uint8_t)point;
	memset(bytes + 68, 1, point);
	bytes[68] = (uint8_t)form;
	return 68 + point;
}

static void
handshakes_are_known(void **state)
{
	(void)state;
	assert_int_equal(content_of(bytes, tls13(CONTEXT, 32)), CONTENT_TLS13);
	assert_int_equal(content_of(bytes, tls13(CONTEXT, 48)), CONTENT_TLS13);
	assert_int_equal(content_of(bytes, tls12(3, 23, 65, 4)), CONTENT_TLS12);
	assert_int_equal(content_of(bytes, tls12(3, 24, 97, 4)), CONTENT_TLS12);
	assert_int_equal(content_of(bytes, tls12(3, 29, 32, 9)), CONTENT_TLS12);
}

static void
anything_else_is_none(void **state)
{
	size_t len = tls13(CONTEXT, 32);

	(void)state;
	assert_int_equal(content_of(bytes, 0), CONTENT_NONE);
	assert_int_equal(content_of(bytes, len - 1), CONTENT_NONE);
	assert_int_equal(content_of(bytes, len + 1), CONTENT_NONE);
	bytes[63] = '!';
	assert_int_equal(content_of(bytes, len), CONTENT_NONE);
	/* A client's, which would let whoever has it in as this server somewhere else. */
	assert_int_equal(content_of(bytes, tls13("TLS 1.3, client CertificateVerify", 32)), CONTENT_NONE);
	assert_int_equal(content_of(bytes, tls13(CONTEXT, 64)), CONTENT_NONE);
	len = tls12(3, 23, 65, 4);
	assert_int_equal(content_of(bytes, len - 1), CONTENT_NONE);
	assert_int_equal(content_of(bytes, len + 1), CONTENT_NONE);
	assert_int_equal(content_of(bytes, tls12(3, 23, 65, 2)), CONTENT_NONE);
	assert_int_equal(content_of(bytes, tls12(3, 23, 32, 4)), CONTENT_NONE);
	assert_int_equal(content_of(bytes, tls12(3, 25, 133, 4)), CONTENT_NONE);
	assert_int_equal(content_of(bytes, tls12(1, 23, 65, 4)), CONTENT_NONE);
	for (size_t n = 0; n < 64; n++)
		assert_int_equal(content_of(bytes, n), CONTENT_NONE); /* a digest, say */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshakes_are_known),
		cmocka_unit_test(anything_else_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
