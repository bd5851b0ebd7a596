#include "me.h"

#include "guard.h"

void
put_me(struct json_writer *w, const struct request *r, const struct me *me, const uint8_t *cookie)
{
	char csrf[TOKEN_TEXT_MAX];

	if (cookie != NULL)
		csrf_token(cookie, csrf);
	json_string(w, "name", me->name);
	json_string(w, "role", me->role);
	json_string(w, "tenant", me->tenant[0] != '\0' ? me->tenant : NULL);
	json_string(w, "csrf", cookie != NULL ? csrf : NULL);
	if (me->session_expires_ns != 0)
		json_time_ns(w, "session_expires", me->session_expires_ns);
	else
		json_null(w, "session_expires");
	json_string(w, "version", WEIR_VERSION);
	json_string(w, "monitor", r->httpd->boot->settings.name);
}
