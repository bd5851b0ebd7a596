#include "remote_key.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"

#define PARAM_CERTIFICATE "weir-certificate"

struct remote_key {
	const struct kind *kind;
	EVP_PKEY *public;
	uint8_t certificate[CERTIFICATE_ID_BYTES];
};

struct signing {
	const struct remote_key *key;
	unsigned hash; /* row of hashes[] */
	bool pss;
};

/* The names are those of OpenSSL's own keys, so that libssl knows them again. */
#define NAMES_EC      "EC:id-ecPublicKey:1.2.840.10045.2.1"
#define NAMES_RSA     "RSA:rsaEncryption:1.2.840.113549.1.1.1"
#define NAMES_RSA_PSS "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10"
#define NAMES_ED25519 "ED25519:1.3.101.112"
#define NAMES_ED448   "ED448:1.3.101.113"

/* The algorithms of a certificate's key. */
static const struct kind {
	const char *type, *operation;
	uint32_t scheme; /* of the first hash; the next ones follow in steps */
	uint32_t step;   /* 0: its only one, with a hash of its own */
} kinds[] = {
	{ "EC", "ECDSA", 0x0403, 0x100 },    { "RSA", "RSA", 0x0401, 0x100 }, { "RSA-PSS", "RSA", 0x0809, 1 },
	{ "ED25519", "ED25519", 0x0807, 0 }, { "ED448", "ED448", 0x0808, 0 },
};
enum { KIND_EC, KIND_RSA, KIND_RSA_PSS, KIND_ED25519, KIND_ED448 };
#define SCHEME_RSA_PSS 0x0804u

static const char *const hashes[][2] = { { "SHA256", "SHA2-256" },
					 { "SHA384", "SHA2-384" },
					 { "SHA512", "SHA2-512" } };

/* OpenSSL has one table of providers a program; this one is alone in a library context of its own, so that
 * nothing else ever takes its algorithms for OpenSSL's. */
static struct {
	OSSL_LIB_CTX *context;
	remote_sign_fn *sign;
	void *ctx;
} remote;

/* --- keys
 * -----------------------------------------------------------------------------------------------------------
 */

static void *
key_new(const struct kind *kind)
{
	struct remote_key *k = OPENSSL_zalloc(sizeof(*k));

	if (k != NULL)
		k->kind = kind;
	return k;
}

/* OpenSSL does not say which algorithm a new key is of: each has a function of its own. */
#define KEY_NEW(name, kind)                                                                                  \
	static void *key_new_##name(void *provider)                                                          \
	{                                                                                                    \
		(void)provider;                                                                              \
		return key_new(&kinds[kind]);                                                                \
	}
KEY_NEW(ec, KIND_EC)
KEY_NEW(rsa, KIND_RSA)
KEY_NEW(rsa_pss, KIND_RSA_PSS)
KEY_NEW(ed25519, KIND_ED25519)
KEY_NEW(ed448, KIND_ED448)
#undef KEY_NEW

static void
key_free(void *key)
{
	struct remote_key *k = key;

	if (k == NULL)
		return;
	EVP_PKEY_free(k->public);
	OPENSSL_free(k);
}

/* There is a private half, as far as OpenSSL is concerned. */
static int
key_has(const void *key, int selection)
{
	const struct remote_key *k = key;

	(void)selection;
	return k != NULL && k->public != NULL;
}

/* The public half, as OpenSSL's own key: it also answers what is asked about the key. */
static int
key_import(void *key, int selection, const OSSL_PARAM params[])
{
	struct remote_key *k = key;
	const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, PARAM_CERTIFICATE);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, k->kind->type, NULL);
	void *id = k->certificate;
	bool good;

	(void)selection;
	good =
	    ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &k->public, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)(uintptr_t)params) == 1 &&
	    (p == NULL || OSSL_PARAM_get_octet_string(p, &id, sizeof(k->certificate), NULL) == 1);
	EVP_PKEY_CTX_free(ctx);
	return good;
}

static const OSSL_PARAM *
key_import_types(int selection)
{
	static const OSSL_PARAM types[] = { OSSL_PARAM_octet_string(PARAM_CERTIFICATE, NULL, 0),
					    OSSL_PARAM_END };

	(void)selection;
	return types;
}

static int
key_match(const void *one, const void *other, int selection)
{
	const struct remote_key *a = one, *b = other;

	(void)selection;
	return EVP_PKEY_eq(a->public, b->public) == 1;
}

static int
key_get_params(void *key, OSSL_PARAM params[])
{
	const struct remote_key *k = key;

	return EVP_PKEY_get_params(k->public, params);
}

static const OSSL_PARAM *
key_gettable_params(void *provider)
{
	static const OSSL_PARAM gettable[] = { OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
					       OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
					       OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
					       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
					       OSSL_PARAM_END };

	(void)provider;
	return gettable;
}

#define OPERATION(name, kind)                                                                                \
	static const char *operation_##name(int operation)                                                   \
	{                                                                                                    \
		return operation == OSSL_OP_SIGNATURE ? kinds[kind].operation : NULL;                        \
	}
OPERATION(ec, KIND_EC)
OPERATION(rsa, KIND_RSA)
OPERATION(ed25519, KIND_ED25519)
OPERATION(ed448, KIND_ED448)
#undef OPERATION

/* --- signatures
 * ----------------------------------------------------------------------------------------------------- */

static void *
signing_new(void *provider, const char *propq)
{
	(void)provider;
	(void)propq;
	return OPENSSL_zalloc(sizeof(struct signing));
}

static void
signing_free(void *signing)
{
	OPENSSL_free(signing);
}

static int
signing_set_params(void *signing, const OSSL_PARAM params[])
{
	struct signing *s = signing;
	const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	const char *name;
	int number;

	if (p == NULL) /* the length of the salt, say: TLS has but one */
		return 1;
	if (p->data_type == OSSL_PARAM_UTF8_STRING) {
		if (OSSL_PARAM_get_utf8_string_ptr(p, &name) != 1)
			return 0;
		s->pss = strcmp(name, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
		return s->pss || strcmp(name, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0;
	}
	if (OSSL_PARAM_get_int(p, &number) != 1)
		return 0;
	s->pss = number == RSA_PKCS1_PSS_PADDING;
	return s->pss || number == RSA_PKCS1_PADDING;
}

static const OSSL_PARAM *
signing_settable_params(void *signing, void *provider)
{
	static const OSSL_PARAM settable[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0), OSSL_PARAM_END
	};

	(void)signing;
	(void)provider;
	return settable;
}

/* Hashes that TLS does not sign with any more are not there. */
static int
signing_begin(void *signing, const char *hash, void *key, const OSSL_PARAM params[])
{
	struct signing *s = signing;
	unsigned i = 0;

	s->key = key;
	if (s->key == NULL || s->key->public == NULL)
		return 0;
	if (s->key->kind->step == 0)
		return hash == NULL || hash[0] == '\0';
	while (i < ARRAY_LEN(hashes) && hash != NULL && strcasecmp(hash, hashes[i][0]) != 0 &&
	       strcasecmp(hash, hashes[i][1]) != 0)
		i++;
	if (hash == NULL || i == ARRAY_LEN(hashes))
		return 0;
	s->hash = i;
	return params == NULL ? 1 : signing_set_params(s, params);
}

static uint32_t
scheme_of(const struct signing *s)
{
	const struct kind *kind = s->key->kind;

	if (s->pss && kind == &kinds[KIND_RSA])
		return SCHEME_RSA_PSS + s->hash;
	return kind->scheme + s->hash * kind->step;
}

static int
signing_sign(void *signing, unsigned char *signature, size_t *len, size_t room, const unsigned char *content,
	     size_t content_len)
{
	const struct signing *s = signing;
	int most = EVP_PKEY_get_size(s->key->public);

	if (most <= 0)
		return 0;
	if (signature == NULL) {
		*len = (size_t)most;
		return 1;
	}
	*len = room;
	return remote.sign(remote.ctx, s->key->certificate, scheme_of(s), content, content_len, signature,
			   len);
}

/* --- the provider
 * --------------------------------------------------------------------------------------------------- */

/* OpenSSL's tables hold functions of every type as this one. */
#define FUNCTION(id, f)                                                                                      \
	{                                                                                                    \
		id, (void (*)(void))(f)                                                                      \
	}
#define KEYS(name, operation)                                                                                \
	static const OSSL_DISPATCH keys_##name[] = {                                                         \
		FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new_##name),                                             \
		FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),                                                  \
		FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),                                                    \
		FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, key_import),                                              \
		FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_import_types),                                  \
		FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match),                                                \
		FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),                                      \
		FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable_params),                            \
		FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation),                                 \
		{ 0, NULL }                                                                                  \
	};
KEYS(ec, operation_ec)
KEYS(rsa, operation_rsa)
KEYS(rsa_pss, operation_rsa)
KEYS(ed25519, operation_ed25519)
KEYS(ed448, operation_ed448)
#undef KEYS

static const OSSL_DISPATCH signatures[] = {
	FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, signing_new),
	FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, signing_free),
	FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signing_begin),
	FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signing_sign),
	FUNCTION(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signing_set_params),
	FUNCTION(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signing_settable_params),
	{ 0, NULL },
};

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
	static const OSSL_ALGORITHM keys[] = { { NAMES_EC, "provider=weir", keys_ec, NULL },
					       { NAMES_RSA, "provider=weir", keys_rsa, NULL },
					       { NAMES_RSA_PSS, "provider=weir", keys_rsa_pss, NULL },
					       { NAMES_ED25519, "provider=weir", keys_ed25519, NULL },
					       { NAMES_ED448, "provider=weir", keys_ed448, NULL },
					       { NULL, NULL, NULL, NULL } };
	static const OSSL_ALGORITHM signs[] = { { "ECDSA", "provider=weir", signatures, NULL },
						{ NAMES_RSA, "provider=weir", signatures, NULL },
						{ NAMES_ED25519, "provider=weir", signatures, NULL },
						{ NAMES_ED448, "provider=weir", signatures, NULL },
						{ NULL, NULL, NULL, NULL } };

	(void)provider;
	*no_cache = 0;
	return operation == OSSL_OP_KEYMGMT ? keys : operation == OSSL_OP_SIGNATURE ? signs : NULL;
}

static int
provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
	      void **provider)
{
	static const OSSL_DISPATCH functions[] = { FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
						   { 0, NULL } };

	(void)in;
	*out = functions;
	*provider = (void *)(uintptr_t)handle; /* anything but NULL */
	return 1;
}

void
remote_key_open(remote_sign_fn *sign, void *ctx)
{
	remote.sign = sign;
	remote.ctx = ctx;
	if (remote.context != NULL)
		return;
	remote.context = OSSL_LIB_CTX_new();
	if (remote.context == NULL || OSSL_PROVIDER_add_builtin(remote.context, "weir", provider_init) != 1 ||
	    OSSL_PROVIDER_load(remote.context, "weir") == NULL)
		fatalx("OpenSSL does not take a provider for keys that are elsewhere");
}

EVP_PKEY *
remote_key_new(X509 *x)
{
	EVP_PKEY *public = X509_get0_pubkey(x), *key = NULL;
	uint8_t id[EVP_MAX_MD_SIZE];
	const struct kind *kind = kinds;
	OSSL_PARAM *known = NULL, *all = NULL, certificate[2];
	EVP_PKEY_CTX *ctx = NULL;

	while (public != NULL && kind < kinds + ARRAY_LEN(kinds) && !EVP_PKEY_is_a(public, kind->type))
		kind++;
	if (public == NULL || kind == kinds + ARRAY_LEN(kinds) || X509_digest(x, EVP_sha256(), id, NULL) != 1)
		return NULL;
	certificate[0] = OSSL_PARAM_construct_octet_string(PARAM_CERTIFICATE, id, CERTIFICATE_ID_BYTES);
	certificate[1] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_todata(public, EVP_PKEY_PUBLIC_KEY, &known) == 1)
		all = OSSL_PARAM_merge(known, certificate);
	if (all != NULL)
		ctx = EVP_PKEY_CTX_new_from_name(remote.context, kind->type, NULL);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, all) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(known);
	OPENSSL_free(all);
	return key;
}
