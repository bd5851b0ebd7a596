#include "admin_password.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "authd.h"
#include "base/mem.h"
#include "password.h"

struct admin_secrets *
admin_secrets_new(void)
{
	return mem_calloc(1, sizeof(struct admin_secrets));
}

void
admin_secrets_free(struct admin_secrets **s)
{
	if (*s != NULL)
		sodium_memzero(*s, sizeof(**s));
	free(*s);
	*s = NULL;
}

bool
admin_password_new(struct admin_call *c, const char *key, const char *name, bool required)
{
	struct admin_secrets *s = c->secrets;
	const char *weak;

	if (!field_text(&c->body, key, required ? REQUIRED : OPTIONAL, any_text, s->make, sizeof(s->make)))
		return false;
	weak = password_judge(s->make, name, (size_t)c->a->boot->settings.password_length);
	if (weak != NULL)
		fields_wrong(&c->body, key, "%s", weak);
	return weak == NULL;
}

void
admin_password_draw(struct admin_call *c)
{
	/* No letter that is taken for another; 24 of them are 120 bits. */
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	struct admin_secrets *s = c->secrets;

	for (size_t i = 0; i < 24; i++)
		s->make[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
	s->make[24] = '\0';
	s->generated = true;
}

/* Operations that wait for a hasher: logins have the rest of the queue. */
#define ADMIN_HASHING_MAX (HASH_QUEUE_MAX / 4)

/* What waits for a hasher. */
struct computing {
	struct admin_call *c;
	void (*go_on)(struct admin_call *c);
};

static void compute(struct computing *w);

static void
finished(struct computing *w)
{
	void (*go_on)(struct admin_call * c) = w->go_on;
	struct admin_call *c = w->c;

	c->a->admin_hashing--;
	free(w);
	go_on(c);
}

static void
on_checked(void *ctx, const struct hash_answer *judged)
{
	struct computing *w = ctx;
	struct admin_secrets *s = w->c->secrets;

	sodium_memzero(s->check, sizeof(s->check));
	s->wrong = judged->verdict != HASH_MATCH;
	if (judged->verdict == HASH_FAILED)
		call_end(w->c, ADMIN_BUSY);
	if (s->wrong)
		finished(w);
	else
		compute(w);
}

static void
on_made(void *ctx, const struct hash_answer *made)
{
	struct computing *w = ctx;
	struct admin_secrets *s = w->c->secrets;

	if (!s->generated)
		sodium_memzero(s->make, sizeof(s->make));
	if (made->verdict == HASH_MADE)
		(void)str_copy(s->hash, sizeof(s->hash), made->hash);
	else
		call_end(w->c, ADMIN_BUSY);
	finished(w);
}

/* First what is to be checked, then what is to be made. */
static void
compute(struct computing *w)
{
	struct hash_queue *q = w->c->a->hashing;
	struct admin_secrets *s = w->c->secrets;
	bool taken = true;

	if (s->check[0] != '\0')
		taken = hash_queue_verify(q, s->check, s->against, on_checked, w);
	else if (s->make[0] != '\0')
		taken = hash_queue_make(q, s->make, on_made, w);
	else
		finished(w);
	if (!taken) {
		call_end(w->c, ADMIN_BUSY);
		finished(w);
	}
}

void
admin_password_compute(struct admin_call *c, void (*go_on)(struct admin_call *c))
{
	struct computing *w = mem_calloc(1, sizeof(*w));

	w->c = c;
	w->go_on = go_on;
	c->a->admin_hashing++;
	if (c->a->admin_hashing > ADMIN_HASHING_MAX &&
	    (c->secrets->check[0] != '\0' || c->secrets->make[0] != '\0')) {
		call_end(c, ADMIN_BUSY);
		finished(w);
	} else {
		compute(w);
	}
}
