#include "signer.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "front.h"
#include "httpd.h"
#include "ipc/channel.h"
#include "tally.h"

/* Everybody who is connected waits as long: of a busy machine, not of a key that is ill. */
#define PATIENCE_MS 250

static bool
take(const struct wire_signed *a, uint8_t *signature, size_t *len)
{
	if (a->status != SIGN_OK || a->len == 0 || a->len > sizeof(a->signature) || a->len > *len)
		return false;
	memcpy(signature, a->signature, a->len);
	*len = a->len;
	return true;
}

static bool
ask(struct httpd *h, struct wire_sign *q, struct wire_signed *a)
{
	static struct log_limit limit;
	struct channel *ch = h->key_late ? NULL : peers_find(h->peers, PROC_KEY, 0);

	if (ch == NULL)
		return false;
	q->ticket = ++h->sign_ticket; /* of the last one that was asked: its answer may still come */
	if (channel_ask(ch, MSG_SIGN, q, sizeof(*q), MSG_SIGNED, a, sizeof(*a), PATIENCE_MS)) {
		if (a->ticket == q->ticket && a->status >= SIGN_OK && a->status < SIGN_STATUS_COUNT)
			return true;
		channel_end(ch, "it answered what was not asked");
		return false;
	}
	if (errno == ETIMEDOUT) {
		h->key_late = true;
		front_admit(h);
		log_warn_limited(&limit,
				 "key@0 has not answered for %d ms: no handshake begins until it does",
				 PATIENCE_MS);
	}
	return false;
}

bool
signer_sign(void *httpd, const uint8_t certificate[CERTIFICATE_ID_BYTES], uint32_t scheme,
	    const void *content, size_t content_len, uint8_t *signature, size_t *len)
{
	static struct log_limit limit;
	struct httpd *h = httpd;
	struct wire_sign q = { .scheme = scheme, .len = (uint32_t)content_len };
	struct wire_signed a;

	if (content_len > sizeof(q.content))
		return false;
	memcpy(q.certificate, certificate, sizeof(q.certificate));
	memcpy(q.content, content, content_len);
	if (ask(h, &q, &a)) {
		if (take(&a, signature, len))
			return true;
		log_warn_limited(&limit, "key@0 does not sign a handshake (status %u, scheme 0x%04x)",
				 a.status, scheme);
	}
	tally_unsigned(h->tally);
	return false;
}

bool
signer_there(const struct httpd *h)
{
	return !h->key_late && peers_find(h->peers, PROC_KEY, 0) != NULL;
}

bool
signer_late(struct httpd *h, const struct wire_signed *answer)
{
	if (!h->key_late || answer->ticket != h->sign_ticket)
		return false;
	h->key_late = false;
	front_admit(h);
	return true;
}

void
signer_changed(struct httpd *h)
{
	h->key_late = false;
	front_admit(h);
}
