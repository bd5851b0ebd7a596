/* What the launcher tells: components to store, the page's address and the set-up link to whoever started it.
 */
#include "launcher.h"

#include <event2/event.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "notify.h"
#include "page_address.h"

void
report_component(struct launcher *l, const struct child *c)
{
	struct channel *store = l->peers == NULL ? NULL : peers_find(l->peers, PROC_STORE, 0);

	if (store != NULL)
		(void)channel_send(store, MSG_COMPONENT, &c->component, sizeof(c->component));
}

void
report_counters(struct launcher *l)
{
	if (l->peers != NULL)
		process_counters_tell(&l->counters, l->peers, &l->boot, COUNTED_WEIR_CHANNEL_BROKEN,
				      PROC_STORE, MSG_WEIR_COUNTERS);
}

/* key has no channel to store: what it counts is passed on. */
static void
pass_on_keys(const struct launcher *l)
{
	struct channel *store = peers_find(l->peers, PROC_STORE, 0);

	if (store != NULL && l->keys.proc == PROC_KEY)
		(void)channel_send(store, MSG_WEIR_COUNTERS, &l->keys, sizeof(l->keys));
}

static bool
take_keys(struct launcher *l, const struct channel *key, const struct msg *m)
{
	struct wire_counters w;

	memcpy(&w, m->body, sizeof(w));
	if (w.proc != PROC_KEY || w.instance != channel_instance(key))
		return false;
	l->keys = w;
	pass_on_keys(l);
	return true;
}

static void
send_geo(struct launcher *l, struct channel *engine, unsigned index)
{
	const struct wire_geo_file m = { index, 0 };
	int fd = fcntl(l->geo.file[index].memory, F_DUPFD_CLOEXEC, 0);

	if (fd != -1)
		(void)channel_send_fd(engine, MSG_GEO_FILE, &m, sizeof(m), fd);
}

void
report_geo(struct launcher *l, unsigned index)
{
	plan_geo(l);
	for (unsigned i = 0; i < l->nchildren; i++) {
		const struct child *c = &l->child[i];
		struct channel *engine =
		    c->proc == PROC_ENGINE ? peers_find(l->peers, PROC_ENGINE, c->instance) : NULL;

		if (engine != NULL)
			send_geo(l, engine, index);
	}
	log_info("geoip_files: %s has changed: handed to the engines", l->geo.file[index].path);
}

static void
send_pair(struct launcher *l)
{
	struct channel *key = peers_find(l->peers, PROC_KEY, 0);
	const struct wire_key_pair m = { l->certificates };
	int memory = key == NULL ? -1 : certificate_files_memory(&l->certificate);

	if (key != NULL && (memory == -1 || !channel_send_fd(key, MSG_KEY_PAIR, &m, sizeof(m), memory)))
		log_warn("%s: cannot be handed to weir-key@0: it gets it when it starts again",
			 l->certificate.chain.path);
}

/* Its key is where it is asked for: from now on it may be served. */
static void
send_certificates(struct launcher *l)
{
	for (unsigned i = 0; i < l->nchildren; i++) {
		const struct child *c = &l->child[i];
		struct channel *httpd =
		    c->proc == PROC_HTTPD ? peers_find(l->peers, PROC_HTTPD, c->instance) : NULL;
		int memory = httpd == NULL ? -1 : certificate_files_chain_memory(&l->certificate);

		if (httpd != NULL &&
		    (memory == -1 || !channel_send_fd(httpd, MSG_CERTIFICATE, NULL, 0, memory)))
			log_warn("%s: cannot be handed to %s: it gets it when it starts again",
				 l->certificate.chain.path, c->name);
	}
	/* Nobody resumes what another certificate vouched for. */
	ticket_keys_renew(&l->tickets);
	report_ticket_keys(l);
}

void
report_certificate(struct launcher *l)
{
	plan_certificate(l);
	l->certificates++;
	log_info("httpd.certificate: %s has changed", l->certificate.chain.path);
	send_pair(l);
}

/* Of several changes in a row the last one counts. */
static void
key_taken(struct launcher *l, const struct wire_key_pair *m)
{
	if (m->number != l->certificates || l->certificates_told == l->certificates)
		return;
	l->certificates_told = l->certificates;
	send_certificates(l);
}

void
report_ticket_keys(struct launcher *l)
{
	for (unsigned i = 0; i < l->nchildren; i++) {
		struct channel *httpd = l->child[i].proc == PROC_HTTPD
					    ? peers_find(l->peers, PROC_HTTPD, l->child[i].instance)
					    : NULL;

		if (httpd != NULL)
			(void)channel_send(httpd, MSG_TICKET_KEYS, l->tickets.keys, sizeof(*l->tickets.keys));
	}
}

static void
tell_address(struct launcher *l)
{
	char address[PAGE_ADDRESS_MAX];

	printf("weir: the page is at %s/\n", page_address(l->settings, address));
	(void)fflush(stdout);
	l->address_told = true;
}

/* To the service manager: people can log in. */
static void
tell_ready(struct launcher *l)
{
	if (!l->launch->units && !l->ready_told && l->address_told && l->httpd_up) {
		notify("READY=1");
		l->ready_told = true;
	}
}

/* The secret goes to standard output alone, which is whoever runs this: never to a log. */
static void
tell_link(struct launcher *l, const struct wire_cli_answer *answer)
{
	if (notify_is_wanted()) {
		if (!l->link_told)
			printf("weir: there is no administrator yet: `weir setup-link` prints the link that "
			       "makes "
			       "the first one\n");
	} else {
		printf("weir: %s Open this link once to make the first administrator:\n",
		       l->link_told ? "the link above is void (authd was started again)."
				    : "there is no administrator yet.");
		page_address_print_link(l->settings, answer->secret);
	}
	(void)fflush(stdout);
	l->link_told = true;
}

/* A Weir whose walls are not whole is not well, whatever its processes do. */
static const struct wire_component unenforced = { .proc = PROC_WEIR,
						  .state = COMPONENT_DEGRADED,
						  .why =
						      "system calls are not filtered (sandbox.enforce: no)" };

static void
up(void *ctx, struct channel *ch)
{
	struct launcher *l = ctx;
	struct wire_cli_request ask = { .request = 1 };

	log_debug("channel to %s is open", channel_name(ch));
	if (channel_proc(ch) == PROC_STORE) {
		if (!l->settings->sandbox_enforce)
			(void)channel_send(ch, MSG_COMPONENT, &unenforced, sizeof(unenforced));
		for (unsigned i = 0; i < l->nchildren; i++)
			(void)channel_send(ch, MSG_COMPONENT, &l->child[i].component,
					   sizeof(l->child[i].component));
		process_counters_again(&l->counters);
		pass_on_keys(l);
	} else if (channel_proc(ch) == PROC_HTTPD) {
		l->httpd_up = true;
		tell_ready(l);
		(void)channel_send(ch, MSG_TICKET_KEYS, l->tickets.keys, sizeof(*l->tickets.keys));
	} else if (channel_proc(ch) == PROC_KEY && l->certificates_told != l->certificates) {
		send_pair(l); /* it may have it already, and then says so */
	} else if (channel_proc(ch) == PROC_AUTHD && !l->launch->analyze) {
		(void)channel_send(ch, MSG_CLI_SETUP_LINK, &ask, sizeof(ask));
	}
}

static void
down(void *ctx, struct channel *ch)
{
	(void)ctx;
	log_debug("channel to %s is closed", channel_name(ch));
}

static bool
message(void *ctx, struct channel *ch, struct msg *m)
{
	struct launcher *l = ctx;
	struct wire_cli_answer answer;

	if (m->id == MSG_KEY_TAKEN) {
		key_taken(l, m->body);
		return true;
	}
	if (m->id == MSG_KEY_COUNTERS)
		return take_keys(l, ch, m);
	if (m->id != MSG_CLI_ANSWER)
		return false;
	memcpy(&answer, m->body, sizeof(answer));
	if (!l->address_told)
		tell_address(l);
	tell_ready(l);
	if (answer.status == AUTH_OK)
		tell_link(l, &answer);
	sodium_memzero(&answer, sizeof(answer));
	return true;
}

void
report_begin(struct launcher *l)
{
	static const struct peers_handlers handlers = { up, down, message };

	plan_boot(l, NULL, l->boot_number, &l->boot);
	l->peers = peers_new(l->base, &l->boot, l->listener, &handlers, l);
}
