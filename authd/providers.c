#include "providers.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "authd.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/mem.h"
#include "handed_secret.h"
#include "locked.h"
#include "people.h"

struct providers {
	size_t n;
	struct provider item[OIDC_PROVIDERS_MAX];
	char (*secret)[OIDC_SECRET_MAX]; /* locked */
};

static void
add(struct providers *p, const struct boot *b, unsigned place)
{
	const struct provider_settings *s = &b->settings.oidc[place];
	struct provider *new = &p->item[p->n++];

	new->s = s;
	new->secret = p->secret[place];
	new->mapping = mapping_of_provider(s);
	if ((b->flags & BOOT_HAS_CLIENT_SECRET(place)) != 0 &&
	    !handed_secret((int)(BOOT_FD_CLIENT_SECRET + place), p->secret[place], OIDC_SECRET_MAX))
		log_warn("oidc.%u.client_secret_file: has no secret of 1 to %d bytes in its first line",
			 place + 1, OIDC_SECRET_MAX - 1);
}

struct providers *
providers_new(const struct authd *a)
{
	struct providers *p = mem_calloc(1, sizeof(*p));

	p->secret = locked_pages(OIDC_PROVIDERS_MAX * OIDC_SECRET_MAX);
	for (unsigned i = 0; i < OIDC_PROVIDERS_MAX && a->boot->settings.oidc[i].name[0] != '\0'; i++)
		add(p, a->boot, i);
	return p;
}

void
providers_free(struct providers **pp)
{
	struct providers *p = *pp;

	if (p == NULL)
		return;
	sodium_memzero(p->secret, OIDC_PROVIDERS_MAX * OIDC_SECRET_MAX);
	free(p);
	*pp = NULL;
}

struct provider *
providers_at(struct providers *p, size_t i)
{
	return i < p->n ? &p->item[i] : NULL;
}

struct provider *
providers_find(struct providers *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->item[i].s->name, name) == 0)
			return &p->item[i];
	return NULL;
}

const struct provider *
providers_of_login(const struct providers *p, const char *login)
{
	for (size_t i = 0; p != NULL && i < p->n; i++)
		if (provider_has_login(p->item[i].s, login))
			return &p->item[i];
	return NULL;
}

/* Whether an address is one that a browser can be sent to: nothing in it ends a header. */
static bool
is_address(const struct provider_settings *s, const char *url)
{
	if (strncmp(url, "https://", 8) != 0 && !(s->insecure && strncmp(url, "http://", 7) == 0))
		return false;
	for (const unsigned char *p = (const unsigned char *)url; *p != '\0'; p++)
		if (*p <= 0x20 || *p >= 0x7f || *p == '#')
			return false;
	return true;
}

static void
take_address(const struct provider *p, const struct json_node *root, const char *key,
	     char out[static ENDPOINT_MAX])
{
	const char *url = json_node_text(json_node_member(root, key));

	if (url == NULL || !is_address(p->s, url) || !str_copy(out, ENDPOINT_MAX, url))
		out[0] = '\0';
}

void
provider_learn(struct provider *p, const struct person_told *t, int64_t now_ns)
{
	const struct json_node *root = t->doc == NULL ? NULL : json_root(t->doc);

	p->looked_ns = now_ns;
	p->known = t->verdict == DIRECTORY_RIGHT && root != NULL;
	(void)str_copy(p->why, sizeof(p->why), t->why);
	if (!p->known)
		return;
	take_address(p, root, "authorization_endpoint", p->authorization);
	take_address(p, root, "end_session_endpoint", p->end_session);
	if (!json_node_bool(json_node_member(root, "iss_parameter"), &p->iss_parameter))
		p->iss_parameter = false;
	p->known = p->authorization[0] != '\0';
	if (!p->known)
		(void)str_copy(p->why, sizeof(p->why),
			       "it has no authorization endpoint that a browser can be sent to");
}
