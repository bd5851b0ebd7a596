#include "record.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "codec.h"
#include "policy/role.h"

static_assert(PASSWORD_HASH_MAX == crypto_pwhash_STRBYTES, "record.h agrees with libsodium");

/* --- accounts --- */

#define ACCOUNT_VERSION 3

size_t
account_encode(const struct account *a, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, ACCOUNT_VERSION);
	wcur_be64(&w, a->number);
	wcur_be32(&w, a->kind);
	wcur_u8(&w, a->disabled);
	wcur_u8(&w, a->absent);
	codec_put_time(&w, a->created_ns);
	codec_put_text(&w, a->name, sizeof(a->name));
	codec_put_text(&w, a->title, sizeof(a->title));
	codec_put_text(&w, a->hash, sizeof(a->hash));
	codec_put_text(&w, a->provider, sizeof(a->provider));
	codec_put_text(&w, a->subject, sizeof(a->subject));
	return codec_finished(&w);
}

/* In the second version a hash that is none stood for the directory. */
static void
take_provider(struct rcur *c, uint8_t version, struct account *a)
{
	if (version == ACCOUNT_VERSION) {
		codec_take_text(c, a->provider, sizeof(a->provider));
		codec_take_text(c, a->subject, sizeof(a->subject));
	} else if (strcmp(a->hash, "directory") == 0) {
		memset(a->hash, 0, sizeof(a->hash));
		(void)str_copy(a->provider, sizeof(a->provider), "ldap");
	}
}

static bool
provider_can_be(const struct account *a)
{
	return a->provider[0] == '\0' ? a->subject[0] == '\0' && !a->absent
				      : a->hash[0] == '\0' && a->kind == ACCOUNT_PERSON;
}

bool
account_decode(const void *bytes, size_t len, struct account *a)
{
	struct rcur c = rcur_of(bytes, len);
	uint8_t version = rcur_u8(&c);

	memset(a, 0, sizeof(*a));
	if (version != 2 && version != ACCOUNT_VERSION)
		return false;
	a->number = rcur_be64(&c);
	a->kind = rcur_be32(&c);
	a->disabled = codec_take_flag(&c);
	a->absent = version == ACCOUNT_VERSION && codec_take_flag(&c);
	a->created_ns = codec_take_time(&c);
	codec_take_text(&c, a->name, sizeof(a->name));
	codec_take_text(&c, a->title, sizeof(a->title));
	codec_take_text(&c, a->hash, sizeof(a->hash));
	take_provider(&c, version, a);
	return codec_ended(&c) && a->number > 0 && a->kind > 0 && a->kind < ACCOUNT_KIND_COUNT &&
	       a->name[0] != '\0' && provider_can_be(a);
}

bool
account_v1_decode(const void *bytes, size_t len, struct account_v1 *v)
{
	struct rcur c = rcur_of(bytes, len);
	struct account *a = &v->account;

	memset(v, 0, sizeof(*v));
	if (rcur_u8(&c) != 1)
		return false;
	a->number = rcur_be64(&c);
	a->kind = ACCOUNT_PERSON;
	v->role = rcur_be32(&c);
	v->tenant = rcur_be32(&c);
	a->created_ns = codec_take_time(&c);
	codec_take_text(&c, a->name, sizeof(a->name));
	codec_take_text(&c, a->hash, sizeof(a->hash));
	return codec_ended(&c) && a->number > 0 && v->role > ROLE_NONE && v->role < ROLE_COUNT &&
	       a->name[0] != '\0' && a->hash[0] != '\0';
}

#define LOGIN_VERSION 1

size_t
login_encode(const struct login_record *l, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, LOGIN_VERSION);
	codec_put_time(&w, l->last_ns);
	codec_put_ip(&w, &l->last_ip);
	codec_put_time(&w, l->failed_ns);
	codec_put_ip(&w, &l->failed_ip);
	wcur_be32(&w, l->failures);
	return codec_finished(&w);
}

bool
login_decode(const void *bytes, size_t len, struct login_record *l)
{
	struct rcur c = rcur_of(bytes, len);

	memset(l, 0, sizeof(*l));
	if (rcur_u8(&c) != LOGIN_VERSION)
		return false;
	l->last_ns = codec_take_time(&c);
	codec_take_ip(&c, &l->last_ip);
	l->failed_ns = codec_take_time(&c);
	codec_take_ip(&c, &l->failed_ip);
	l->failures = rcur_be32(&c);
	return codec_ended(&c);
}

/* --- sessions --- */

#define SESSION_VERSION 3

size_t
session_encode(const struct session_record *s, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, SESSION_VERSION);
	wcur_put(&w, s->id, sizeof(s->id));
	wcur_be64(&w, s->account);
	codec_put_time(&w, s->created_ns);
	codec_put_time(&w, s->last_seen_ns);
	codec_put_time(&w, s->expires_ns);
	codec_put_ip(&w, &s->ip);
	codec_put_text(&w, s->agent, sizeof(s->agent));
	codec_put_text(&w, s->origin.provider, sizeof(s->origin.provider));
	wcur_put(&w, s->origin.sid, sizeof(s->origin.sid));
	return codec_finished(&w);
}

bool
session_decode(const void *bytes, size_t len, struct session_record *s)
{
	struct rcur c = rcur_of(bytes, len);
	uint8_t version = rcur_u8(&c);

	memset(s, 0, sizeof(*s));
	if (version < 1 || version > SESSION_VERSION)
		return false;
	rcur_copy(&c, s->id, sizeof(s->id));
	s->account = rcur_be64(&c);
	s->created_ns = codec_take_time(&c);
	s->last_seen_ns = codec_take_time(&c);
	s->expires_ns = codec_take_time(&c);
	if (version >= 2) {
		codec_take_ip(&c, &s->ip);
		codec_take_text(&c, s->agent, sizeof(s->agent));
	}
	if (version >= 3) {
		codec_take_text(&c, s->origin.provider, sizeof(s->origin.provider));
		rcur_copy(&c, s->origin.sid, sizeof(s->origin.sid));
	}
	return codec_ended(&c) && s->account > 0;
}

/* --- second factors --- */

#define FACTOR_VERSION 1

size_t
factor_encode(const struct factor_record *f, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	if (f->nrecovery > RECOVERY_CODES)
		return 0;
	wcur_u8(&w, FACTOR_VERSION);
	wcur_be32(&w, f->kind);
	wcur_u8(&w, f->confirmed);
	codec_put_time(&w, f->created_ns);
	wcur_put(&w, f->secret, sizeof(f->secret));
	wcur_be64(&w, f->last_step);
	wcur_u8(&w, (uint8_t)f->nrecovery);
	wcur_put(&w, f->recovery, f->nrecovery * sizeof(f->recovery[0]));
	return codec_finished(&w);
}

bool
factor_decode(const void *bytes, size_t len, struct factor_record *f)
{
	struct rcur c = rcur_of(bytes, len);

	memset(f, 0, sizeof(*f));
	if (rcur_u8(&c) != FACTOR_VERSION)
		return false;
	f->kind = rcur_be32(&c);
	f->confirmed = codec_take_flag(&c);
	f->created_ns = codec_take_time(&c);
	rcur_copy(&c, f->secret, sizeof(f->secret));
	f->last_step = rcur_be64(&c);
	f->nrecovery = rcur_u8(&c);
	if (f->nrecovery > RECOVERY_CODES)
		return false;
	rcur_copy(&c, f->recovery, f->nrecovery * sizeof(f->recovery[0]));
	return codec_ended(&c) && f->kind > 0 && f->kind < FACTOR_KIND_COUNT;
}

/* --- tokens: when they were used --- */

#define TOKEN_USE_VERSION 1

size_t
token_use_encode(const struct token_use *u, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, TOKEN_USE_VERSION);
	codec_put_time(&w, u->ns);
	codec_put_ip(&w, &u->ip);
	return codec_finished(&w);
}

bool
token_use_decode(const void *bytes, size_t len, struct token_use *u)
{
	struct rcur c = rcur_of(bytes, len);

	memset(u, 0, sizeof(*u));
	if (rcur_u8(&c) != TOKEN_USE_VERSION)
		return false;
	u->ns = codec_take_time(&c);
	codec_take_ip(&c, &u->ip);
	return codec_ended(&c);
}

/* --- the signing key --- */

#define SIGNING_VERSION 1

size_t
signing_encode(const struct signing_record *s, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, SIGNING_VERSION);
	wcur_put(&w, s->secret, sizeof(s->secret));
	wcur_u8(&w, s->has_previous);
	wcur_put(&w, s->previous_public, sizeof(s->previous_public));
	codec_put_time(&w, s->created_ns);
	return codec_finished(&w);
}

bool
signing_decode(const void *bytes, size_t len, struct signing_record *s)
{
	struct rcur c = rcur_of(bytes, len);

	memset(s, 0, sizeof(*s));
	if (rcur_u8(&c) != SIGNING_VERSION)
		return false;
	rcur_copy(&c, s->secret, sizeof(s->secret));
	s->has_previous = rcur_u8(&c);
	rcur_copy(&c, s->previous_public, sizeof(s->previous_public));
	s->created_ns = codec_take_time(&c);
	return codec_ended(&c) && s->has_previous <= 1;
}
