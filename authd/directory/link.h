/*
 * A connection to a directory server that speaks LDAPv3 (RFC 4511). Wraps libldap, which is given the
 * connected socket and opens nothing by itself: no referral is followed, no SASL, no name resolved. It
 * blocks: whoever calls it can be killed.
 */
#ifndef WEIR_DIRECTORY_LINK_H
#define WEIR_DIRECTORY_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/server_url.h"
#include "range.h"
#include "refusal.h"

struct link;
struct link_entry;

#define LINK_WORDS_MAX  200 /* of what a server says about an error */
#define LINK_OK         0   /* an LDAP result code: success */
#define LINK_SIZE_LIMIT 4
#define LINK_REFERRAL   10
#define LINK_NO_OBJECT  32

/* Has libldap read what it reads at its first use. Before the sandbox. */
void link_warm(void);

struct link_way {
	const struct server_url *url;
	bool start_tls; /* on ldap:// */
	const char *authorities;
	size_t authorities_len;
};

/* Over fd, which stays the caller's. NULL with a sentence in why. */
struct link *link_open(int fd, const struct link_way *way, char *why, size_t size);
void link_close(struct link **l);

#define LINK_REFERRALS 8
#define LINK_BASE_MAX  512

/* A server that another one refers to (RFC 4511 sections 4.1.10 and 4.5.3), and what to ask there. */
struct link_referral {
	struct server_url url;
	char base[LINK_BASE_MAX];
};

/* What came of a question: an LDAP result code, or below 0 where there was no answer. */
struct link_result {
	int code;
	enum policy_said policy;
	char words[LINK_WORDS_MAX]; /* printable; "" where there are none */
	/* Of a search: the first ones that make sense. Nobody has followed them. */
	struct link_referral referral[LINK_REFERRALS];
	size_t nreferrals;
};

/* A simple bind. dn "" and password "": nobody. Otherwise the password is not empty: RFC 4513 section 5.1.2
 * would make nobody of it, and succeed. */
void link_bind(struct link *l, const char *dn, const char *password, struct link_result *r);

/* Called for each entry as it comes, until it returns false; an entry is forgotten after it. */
typedef bool link_entry_fn(void *ctx, const struct link_entry *e);
/* The whole subtree below base (only base itself where one is set), page by page where the server can
 * (RFC 2696). attributes end with NULL. */
void link_search(struct link *l, const char *base, bool one, const char *filter,
		 const char *const *attributes, link_entry_fn *each, void *ctx, struct link_result *r);

/* UTF-8, to be freed with link_free. */
char *link_entry_dn(const struct link_entry *e);
void link_free(char *text);

/* A type and a value of a distinguished name, unescaped; neither is terminated. Those of one component, of
 * which there are several only in names as "cn=a+sn=b,dc=x", have one number, counted from 0. */
struct link_dn_part {
	unsigned component;
	const char *type, *value;
	size_t type_len, value_len;
};
/* Calls each for every one of them until it returns false. False where the text is no distinguished name
 * (RFC 4514). */
bool link_dn_parts(const char *dn, bool (*each)(void *ctx, const struct link_dn_part *part), void *ctx);
/* The first value of an attribute, whatever its bytes are, into out; false where there is none, or it is
 * empty or longer than size. */
bool link_entry_bytes(const struct link_entry *e, const char *attribute, void *out, size_t size, size_t *len);
/* Calls each for every value of an attribute that is a text without NUL bytes, until it returns false. */
void link_entry_values(const struct link_entry *e, const char *attribute,
		       bool (*each)(void *ctx, const char *value), void *ctx);
/* The same, of an attribute of which the server tells a part (range.h). False where it does not. */
bool link_entry_range(const struct link_entry *e, const char *attribute,
		      bool (*each)(void *ctx, const char *value), void *ctx, struct range *r);

#endif
