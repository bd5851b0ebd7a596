#define LDAP_DEPRECATED 0
#include "link.h"

#include <errno.h>
#include <lber.h>
#include <ldap.h>
#include <openldap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "tls.h"

#define PAGE_ENTRIES 500
#define PAGES_MAX    1000u
#define FD_PROTOCOL  1                    /* LDAP_PROTO_TCP: a connected socket */
#define MESSAGE_MAX  ((ber_len_t)8 << 20) /* bytes: longer ones end the connection */

static_assert(LINK_OK == LDAP_SUCCESS && LINK_NO_OBJECT == LDAP_NO_SUCH_OBJECT &&
		  LINK_SIZE_LIMIT == LDAP_SIZELIMIT_EXCEEDED && LINK_REFERRAL == LDAP_REFERRAL,
	      "as libldap has them");

struct link {
	LDAP *ldap;
	struct tls *tls;
	int fd;
};

struct link_entry {
	LDAP *ldap;
	LDAPMessage *message;
};

void
link_warm(void)
{
	LDAPAPIInfo info = { .ldapai_info_version = LDAP_API_INFO_VERSION };

	if (ldap_get_option(NULL, LDAP_OPT_API_INFO, &info) != LDAP_OPT_SUCCESS)
		fatalx("libldap could not be set up");
	ldap_memfree(info.ldapai_vendor_name);
	for (char **e = info.ldapai_extensions; e != NULL && *e != NULL; e++)
		ldap_memfree(*e);
	ldap_memfree(info.ldapai_extensions);
}

/* --- TLS as a layer of liblber's --- */

static int
layer_setup(Sockbuf_IO_Desc *d, void *arg)
{
	d->sbiod_pvt = arg;
	return 0;
}

static int
layer_remove(Sockbuf_IO_Desc *d)
{
	d->sbiod_pvt = NULL;
	return 0;
}

static int
layer_close(Sockbuf_IO_Desc *d)
{
	(void)d;
	return 0;
}

static int
layer_control(Sockbuf_IO_Desc *d, int opt, void *arg)
{
	struct link *l = d->sbiod_pvt;

	if (opt == LBER_SB_OPT_DATA_READY && tls_pending(l->tls))
		return 1;
	return LBER_SBIOD_CTRL_NEXT(d, opt, arg);
}

/* libldap waits for the socket before it reads, but for the rest of a record nobody waits but we. */
static ber_slen_t
layer_read(Sockbuf_IO_Desc *d, void *buf, ber_len_t len)
{
	struct link *l = d->sbiod_pvt;
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	ssize_t n;

	while ((n = tls_read(l->tls, buf, len)) == -1 && errno == EAGAIN)
		if (poll(&p, 1, TLS_WAIT_MS) != 1)
			break;
	return (ber_slen_t)n;
}

static ber_slen_t
layer_write(Sockbuf_IO_Desc *d, void *buf, ber_len_t len)
{
	struct link *l = d->sbiod_pvt;
	struct pollfd p = { .fd = l->fd, .events = POLLOUT };
	ssize_t n;

	while ((n = tls_write(l->tls, buf, len)) == -1 && errno == EAGAIN)
		if (poll(&p, 1, TLS_WAIT_MS) != 1)
			break;
	return (ber_slen_t)n;
}

static Sockbuf_IO layer = { layer_setup, layer_remove, layer_control, layer_read, layer_write, layer_close };

static bool
begin_tls(struct link *l, const struct link_way *way, char *why, size_t size)
{
	Sockbuf *sb = NULL;

	l->tls = tls_begin(l->fd, way->url->host, way->authorities, way->authorities_len, why, size);
	if (l->tls == NULL)
		return false;
	if (ldap_get_option(l->ldap, LDAP_OPT_SOCKBUF, &sb) == LDAP_OPT_SUCCESS && sb != NULL &&
	    ber_sockbuf_add_io(sb, &layer, LBER_SBIOD_LEVEL_TRANSPORT, l) == 0)
		return true;
	(void)snprintf(why, size, "libldap takes no TLS");
	return false;
}

/* --- answers --- */

/* The next message of an answer, to be freed with ldap_msgfree; NULL, with *code, where none comes. libldap
 * could wait for all of them, and would keep what a server sends until there is an end, if there is one. */
static LDAPMessage *
next_message(struct link *l, int id, int *code)
{
	LDAPMessage *m = NULL;

	if (ldap_result(l->ldap, id, LDAP_MSG_ONE, NULL, &m) > 0)
		return m;
	(void)ldap_get_option(l->ldap, LDAP_OPT_RESULT_CODE, code);
	if (*code == LDAP_SUCCESS)
		*code = LDAP_SERVER_DOWN;
	return NULL;
}

/* --- opening --- */

static bool
start_tls(struct link *l, char *why, size_t size)
{
	LDAPMessage *m = NULL;
	int id, code = LDAP_SUCCESS,
		rc = ldap_extended_operation(l->ldap, LDAP_EXOP_START_TLS, NULL, NULL, NULL, &id);

	if (rc == LDAP_SUCCESS)
		m = next_message(l, id, &rc);
	if (m != NULL) {
		rc = ldap_parse_result(l->ldap, m, &code, NULL, NULL, NULL, NULL, 0);
		rc = rc == LDAP_SUCCESS ? code : rc;
		ldap_msgfree(m);
	}
	if (rc != LDAP_SUCCESS)
		(void)snprintf(why, size, "it does not do StartTLS: %s", ldap_err2string(rc));
	return rc == LDAP_SUCCESS;
}

static bool
set_up(LDAP *ldap)
{
	const int version = LDAP_VERSION3, never = LDAP_DEREF_NEVER;
	ber_len_t most = MESSAGE_MAX;
	Sockbuf *sb = NULL;

	return ldap_get_option(ldap, LDAP_OPT_SOCKBUF, &sb) == LDAP_OPT_SUCCESS && sb != NULL &&
	       ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &most) == 1 &&
	       ldap_set_option(ldap, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ldap, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ldap, LDAP_OPT_RESTART, LDAP_OPT_ON) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ldap, LDAP_OPT_DEREF, &never) == LDAP_OPT_SUCCESS;
}

struct link *
link_open(int fd, const struct link_way *way, char *why, size_t size)
{
	struct link *l = mem_calloc(1, sizeof(*l));
	int rc;

	l->fd = fd;
	/* The URL is only for messages: the connection is there. */
	rc = ldap_init_fd(fd, FD_PROTOCOL, "ldap://directory", &l->ldap);
	if (rc != LDAP_SUCCESS || !set_up(l->ldap))
		(void)snprintf(why, size, "libldap: %s", ldap_err2string(rc));
	else if ((way->url->ldaps || (way->start_tls && start_tls(l, why, size)))
		     ? begin_tls(l, way, why, size)
		     : !way->start_tls)
		return l;
	link_close(&l);
	return NULL;
}

/* A last layer, which takes libldap's goodbye: the sandbox lets nobody write to a socket that is not there.
 */
static int
pass_on(Sockbuf_IO_Desc *d, int opt, void *arg)
{
	return LBER_SBIOD_CTRL_NEXT(d, opt, arg);
}

static ber_slen_t
read_nothing(Sockbuf_IO_Desc *d, void *buf, ber_len_t len)
{
	(void)d;
	(void)buf;
	(void)len;
	return 0;
}

static ber_slen_t
take_goodbye(Sockbuf_IO_Desc *d, void *buf, ber_len_t len)
{
	(void)d;
	(void)buf;
	return (ber_slen_t)len;
}

static Sockbuf_IO last_layer = {
	layer_setup, layer_remove, pass_on, read_nothing, take_goodbye, layer_close
};

/* Without its socket, which libldap would close. */
static void
forget(LDAP *ldap)
{
	ber_socket_t none = -1;
	Sockbuf *sb = NULL;

	if (ldap != NULL && ldap_get_option(ldap, LDAP_OPT_SOCKBUF, &sb) == LDAP_OPT_SUCCESS && sb != NULL &&
	    ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_FD, &none) == 1 &&
	    ber_sockbuf_add_io(sb, &last_layer, LBER_SBIOD_LEVEL_APPLICATION, NULL) == 0)
		(void)ldap_destroy(ldap);
}

void
link_close(struct link **l)
{
	if (*l == NULL)
		return;
	tls_end(&(*l)->tls);
	forget((*l)->ldap);
	free(*l);
	*l = NULL;
}

/* --- results --- */

static void
take_words(struct link *l, struct link_result *r)
{
	char *words = NULL;

	if (ldap_get_option(l->ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &words) == LDAP_OPT_SUCCESS &&
	    words != NULL) {
		(void)str_copy(r->words, sizeof(r->words), words);
		ldap_memfree(words);
	}
	if (r->words[0] == '\0' && r->code != LDAP_SUCCESS)
		(void)str_copy(r->words, sizeof(r->words), ldap_err2string(r->code));
	for (char *c = r->words; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
}

/* libldap would read the value of a control that has none, or an empty one: its assertion ends the process,
 * or a NULL pointer does. */
static LDAPControl *
find_control(const char *oid, LDAPControl **controls)
{
	LDAPControl *c = ldap_control_find(oid, controls, NULL);

	return c == NULL || c->ldctl_value.bv_val == NULL || c->ldctl_value.bv_len == 0 ? NULL : c;
}

static void
take_policy(struct link *l, LDAPControl **controls, struct link_result *r)
{
	LDAPControl *c = find_control(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls);
	LDAPPasswordPolicyError error = PP_noError;
	ber_int_t expires = -1, grace = -1;

	if (c == NULL ||
	    ldap_parse_passwordpolicy_control(l->ldap, c, &expires, &grace, &error) != LDAP_SUCCESS)
		return;
	if (error == PP_accountLocked)
		r->policy = POLICY_LOCKED;
	else if (error == PP_passwordExpired)
		r->policy = POLICY_EXPIRED;
	else if (error == PP_changeAfterReset)
		r->policy = POLICY_CHANGE;
}

void
link_bind(struct link *l, const char *dn, const char *password, struct link_result *r)
{
	struct berval given = { .bv_len = strlen(password), .bv_val = (char *)(uintptr_t)password };
	LDAPControl policy = { .ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST };
	LDAPControl *asked[] = { &policy, NULL }, **controls = NULL;
	LDAPMessage *m;
	int id, code = LDAP_SUCCESS;

	memset(r, 0, sizeof(*r));
	r->code = dn[0] != '\0' && password[0] == '\0'
		      ? LDAP_INVALID_CREDENTIALS
		      : ldap_sasl_bind(l->ldap, dn, LDAP_SASL_SIMPLE, &given, asked, NULL, &id);
	if (r->code != LDAP_SUCCESS)
		return;
	m = next_message(l, id, &r->code);
	if (m != NULL) {
		r->code = ldap_parse_result(l->ldap, m, &code, NULL, NULL, NULL, &controls, 0);
		if (r->code == LDAP_SUCCESS)
			r->code = code;
		take_policy(l, controls, r);
		ldap_controls_free(controls);
		ldap_msgfree(m);
	}
	take_words(l, r);
}

/* --- searching --- */

static void
take_referral(const char *text, const char *base, struct link_result *r)
{
	struct link_referral *to = &r->referral[r->nreferrals];
	LDAPURLDesc *u = NULL;

	if (r->nreferrals == LINK_REFERRALS || ldap_url_parse(text, &u) != LDAP_URL_SUCCESS)
		return;
	to->url = (struct server_url){ .ldaps = strcmp(u->lud_scheme, "ldaps") == 0,
				       .port = (uint16_t)u->lud_port };
	/* Without a name of its own it is about the same entry (RFC 4511 section 4.1.10). */
	if ((to->url.ldaps || strcmp(u->lud_scheme, "ldap") == 0) && u->lud_host != NULL && u->lud_port > 0 &&
	    u->lud_port <= UINT16_MAX && str_copy(to->url.host, sizeof(to->url.host), u->lud_host) &&
	    str_copy(to->base, sizeof(to->base),
		     u->lud_dn == NULL || u->lud_dn[0] == '\0' ? base : u->lud_dn))
		r->nreferrals++;
	ldap_free_urldesc(u);
}

/* Those of a reference, or of a result: frees them. */
static void
take_referrals(char **url, const char *base, struct link_result *r)
{
	for (char **u = url; u != NULL && *u != NULL; u++)
		take_referral(*u, base, r);
	ldap_memvfree((void **)url);
}

/* cookie: of the next page; empty where there is none. */
static void
take_result(struct link *l, LDAPMessage *m, const char *base, struct berval *cookie, struct link_result *r)
{
	LDAPControl **controls = NULL, *c;
	ber_int_t count = 0;
	char **url = NULL;
	int code = LDAP_SUCCESS;

	if (ldap_parse_result(l->ldap, m, &code, NULL, NULL, &url, &controls, 0) != LDAP_SUCCESS)
		code = LDAP_DECODING_ERROR;
	r->code = code;
	take_referrals(url, base, r);
	c = find_control(LDAP_CONTROL_PAGEDRESULTS, controls);
	if (c != NULL)
		(void)ldap_parse_pageresponse_control(l->ldap, c, &count, cookie);
	ldap_controls_free(controls);
}

/* All of one page. False where no more is wanted of the search; what the server sends until its end is read
 * all the same, and left. */
static bool
take_page(struct link *l, int id, const char *base, link_entry_fn *each, void *ctx, struct berval *cookie,
	  struct link_result *r)
{
	bool more = true, end = false;
	LDAPMessage *m;

	while (!end && (m = next_message(l, id, &r->code)) != NULL) {
		const struct link_entry entry = { l->ldap, m };
		char **url = NULL;

		switch (ldap_msgtype(m)) {
		case LDAP_RES_SEARCH_ENTRY:
			more = more && each(ctx, &entry);
			break;
		case LDAP_RES_SEARCH_REFERENCE:
			if (ldap_parse_reference(l->ldap, m, &url, NULL, 0) == LDAP_SUCCESS)
				take_referrals(url, base, r);
			break;
		case LDAP_RES_INTERMEDIATE:
			break;
		default:
			take_result(l, m, base, cookie, r);
			end = true;
		}
		ldap_msgfree(m);
	}
	return more && end;
}

void
link_search(struct link *l, const char *base, bool one, const char *filter, const char *const *attributes,
	    link_entry_fn *each, void *ctx, struct link_result *r)
{
	int scope = one ? LDAP_SCOPE_BASE : LDAP_SCOPE_SUBTREE;
	struct berval cookie = { .bv_len = 0 };
	bool more = true;

	memset(r, 0, sizeof(*r));
	for (unsigned page = 0; more && page < PAGES_MAX; page++) {
		LDAPControl *paging = NULL, *controls[] = { NULL, NULL };
		int id = 0;

		r->code =
		    one ? LDAP_SUCCESS : ldap_create_page_control(l->ldap, PAGE_ENTRIES, &cookie, 0, &paging);
		controls[0] = paging;
		if (r->code == LDAP_SUCCESS)
			r->code =
			    ldap_search_ext(l->ldap, base, scope, filter, (char **)(uintptr_t)attributes, 0,
					    controls, NULL, NULL, LDAP_NO_LIMIT, &id);
		if (paging != NULL)
			ldap_control_free(paging);
		ber_memfree(cookie.bv_val);
		cookie = (struct berval){ .bv_len = 0 };
		more = r->code == LDAP_SUCCESS && take_page(l, id, base, each, ctx, &cookie, r);
		take_words(l, r);
		more = more && r->code == LDAP_SUCCESS && cookie.bv_len > 0;
	}
	ber_memfree(cookie.bv_val);
}

char *
link_entry_dn(const struct link_entry *e)
{
	return ldap_get_dn(e->ldap, e->message);
}

void
link_free(char *text)
{
	ldap_memfree(text);
}

bool
link_entry_bytes(const struct link_entry *e, const char *attribute, void *out, size_t size, size_t *len)
{
	struct berval **v = ldap_get_values_len(e->ldap, e->message, attribute);
	bool there = v != NULL && v[0] != NULL && v[0]->bv_len > 0 && v[0]->bv_len <= size;

	if (there) {
		*len = v[0]->bv_len;
		memcpy(out, v[0]->bv_val, v[0]->bv_len);
	}
	ldap_value_free_len(v);
	return there;
}

void
link_entry_values(const struct link_entry *e, const char *attribute,
		  bool (*each)(void *ctx, const char *value), void *ctx)
{
	struct berval **v = ldap_get_values_len(e->ldap, e->message, attribute);
	bool more = true;

	/* liblber ends each value with a NUL of its own. */
	for (size_t i = 0; v != NULL && v[i] != NULL && more; i++)
		if (memchr(v[i]->bv_val, 0, v[i]->bv_len) == NULL)
			more = each(ctx, v[i]->bv_val);
	ldap_value_free_len(v);
}

bool
link_entry_range(const struct link_entry *e, const char *attribute,
		 bool (*each)(void *ctx, const char *value), void *ctx, struct range *r)
{
	BerElement *at = NULL;
	bool told = false;

	for (char *name = ldap_first_attribute(e->ldap, e->message, &at); name != NULL;
	     name = ldap_next_attribute(e->ldap, e->message, at)) {
		told = range_read(name, attribute, r);
		if (told)
			link_entry_values(e, name, each, ctx);
		ldap_memfree(name);
		if (told)
			break;
	}
	ber_free(at, 0);
	return told;
}

bool
link_dn_parts(const char *dn, bool (*each)(void *ctx, const struct link_dn_part *part), void *ctx)
{
	LDAPDN parsed = NULL;
	bool more = true;

	if (ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return false;
	for (unsigned i = 0; parsed != NULL && parsed[i] != NULL && more; i++)
		for (unsigned k = 0; parsed[i][k] != NULL && more; k++) {
			const LDAPAVA *a = parsed[i][k];
			const struct link_dn_part part = { i, a->la_attr.bv_val, a->la_value.bv_val,
							   a->la_attr.bv_len, a->la_value.bv_len };

			more = each(ctx, &part);
		}
	ldap_dnfree(parsed);
	return true;
}
