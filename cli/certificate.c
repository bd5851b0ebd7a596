#include "certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "certificate_judge.h"

#define LIFE_DAYS                                                                                            \
	397 /* browsers refuse more than 398 of public ones; what they think of private ones changes */
#define RENEW_DAYS 30
#define DAY_S      86400L
#define NAMES_MAX  4096

static void
key_drop(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
	*k = NULL;
}

static void
x509_drop(X509 **x)
{
	X509_free(*x);
	*x = NULL;
}

/* The host's name, where it is one that may stand in a certificate; "" otherwise. */
static void
host_name(char *out, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

	if (gethostname(out, size) == -1)
		out[0] = '\0';
	out[size - 1] = '\0';
	if (strspn(out, allowed) != strlen(out) || strlen(out) > 63)
		out[0] = '\0';
}

/* "DNS:host,DNS:localhost,IP:127.0.0.1,...": what OpenSSL's configuration of this extension takes. */
static void
alternative_names(char *out, size_t size, const char *host, const struct ip_addr *addresses, size_t n)
{
	size_t at = (size_t)snprintf(out, size, "DNS:localhost,IP:127.0.0.1,IP:::1");

	if (host[0] != '\0' && strcmp(host, "localhost") != 0)
		at += (size_t)snprintf(out + at, size - at, ",DNS:%s", host);
	for (size_t i = 0; i < n && at + IP_TEXT_MAX + 8 < size; i++) {
		char text[IP_TEXT_MAX];

		at += (size_t)snprintf(out + at, size - at, ",IP:%s", ip_format(&addresses[i], text));
	}
}

static bool
add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool
set_serial(X509 *x)
{
	unsigned char bytes[16];
	BIGNUM *n;
	bool ok;

	randombytes_buf(bytes, sizeof(bytes));
	bytes[0] &= 0x7f;
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return ok;
}

static bool
set_name(X509 *x, const char *host)
{
	X509_NAME *name = X509_get_subject_name(x);
	const unsigned char *cn = (const unsigned char *)(host[0] != '\0' ? host : "weir");

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, cn, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x, name) == 1;
}

static bool
fill(X509 *x, EVP_PKEY *key, const struct ip_addr *addresses, size_t n)
{
	char host[256], names[NAMES_MAX];

	host_name(host, sizeof(host));
	alternative_names(names, sizeof(names), host, addresses, n);
	/* A minute of grace for clients whose clock is behind. */
	return X509_set_version(x, 2) == 1 && set_serial(x) &&
	       X509_gmtime_adj(X509_getm_notBefore(x), -60) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(x), LIFE_DAYS * DAY_S) != NULL &&
	       X509_set_pubkey(x, key) == 1 && set_name(x, host) &&
	       add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(x, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(x, NID_ext_key_usage, "serverAuth") &&
	       add_extension(x, NID_subject_alt_name, names) &&
	       add_extension(x, NID_subject_key_identifier, "hash") && X509_sign(x, key, EVP_sha256()) > 0;
}

/* A new file beside the name, to be renamed once it is whole. */
static FILE *
begin_file(int directory, const char *name, mode_t mode)
{
	char beside[64];
	AUTO(fd_drop) int fd = -1;
	FILE *f;

	(void)snprintf(beside, sizeof(beside), "%s.new", name);
	(void)unlinkat(directory, beside, 0);
	fd = openat(directory, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd == -1)
		return NULL;
	f = fdopen(fd, "w");
	if (f != NULL)
		fd = -1;
	return f;
}

static bool
finish_file(int directory, const char *name, FILE **f, bool written)
{
	char beside[64];
	bool ok = written && fflush(*f) == 0 && fsync(fileno(*f)) == 0;

	(void)snprintf(beside, sizeof(beside), "%s.new", name);
	file_drop(f);
	if (ok && renameat(directory, beside, directory, name) == 0)
		return true;
	(void)unlinkat(directory, beside, 0);
	return false;
}

static bool
write_both(int directory, X509 *x, EVP_PKEY *key)
{
	FILE *f = begin_file(directory, CERTIFICATE_KEY_FILE, 0600);

	if (f == NULL || !finish_file(directory, CERTIFICATE_KEY_FILE, &f,
				      PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1))
		return false;
	f = begin_file(directory, CERTIFICATE_FILE, 0644);
	return f != NULL && finish_file(directory, CERTIFICATE_FILE, &f, PEM_write_X509(f, x) == 1) &&
	       fsync(directory) == 0;
}

/* Both files are there, belong together, and the certificate goes on for a while. */
static bool
is_good(int directory)
{
	AUTO(fd_drop) int fd = openat(directory, CERTIFICATE_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO(fd_drop) int key = openat(directory, CERTIFICATE_KEY_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct certificate_judged j;
	char err[128];

	return fd != -1 && key != -1 && certificate_judge(fd, key, &j, err, sizeof(err)) &&
	       j.certificate == PEM_GOOD && j.key == PEM_GOOD &&
	       j.ends_s > (int64_t)time(NULL) + RENEW_DAYS * DAY_S;
}

bool
certificate_check(int certificate, const char *certificate_name, int key, const char *key_name, char *err,
		  size_t errsize)
{
	struct certificate_judged j;

	if (!certificate_judge(certificate, key, &j, err, errsize))
		return false;
	if (j.certificate != PEM_GOOD)
		(void)snprintf(err, errsize, "%s: %s", certificate_name,
			       pem_fault_text((enum pem_fault)j.certificate));
	else if (j.key == PEM_OTHER_KEY)
		(void)snprintf(err, errsize, "%s: %s in %s", key_name, pem_fault_text(PEM_OTHER_KEY),
			       certificate_name);
	else if (j.key != PEM_GOOD)
		(void)snprintf(err, errsize, "%s: %s", key_name, pem_fault_text((enum pem_fault)j.key));
	return j.certificate == PEM_GOOD && j.key == PEM_GOOD;
}

bool
certificate_ensure(int directory, const struct ip_addr *addresses, size_t n, bool *made, char *err,
		   size_t errsize)
{
	AUTO(x509_drop) X509 *x = NULL;
	AUTO(key_drop) EVP_PKEY *key = NULL;

	*made = false;
	if (is_good(directory))
		return true;
	key = EVP_EC_gen("P-256");
	x = X509_new();
	if (key == NULL || x == NULL || !fill(x, key, addresses, n)) {
		(void)snprintf(err, errsize, "cannot make a certificate (OpenSSL refused)");
		return false;
	}
	*made = write_both(directory, x, key);
	if (!*made)
		(void)snprintf(err, errsize, "cannot write the certificate: %s", strerror(errno));
	return *made;
}
