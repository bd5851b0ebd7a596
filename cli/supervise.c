/* Starts the processes, starts the dead ones again, and stops all in order. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "capabilities.h"
#include "cmd.h"
#include "death.h"
#include "interface.h"
#include "launcher.h"
#include "link_speed.h"
#include "notify.h"
#include "offload.h"
#include "units.h"

#define LOOK_SECONDS      1
#define INTERFACE_LOOK_MS 100
#define START_MS          10000
#define STOP_SECONDS      8
#define AUDIT_WAIT_MS     50
/* Of system calls that were only logged: lines at a look, and looks from one reminder to the next. */
#define UNENFORCED_LINES 16
#define UNENFORCED_EVERY 30
#define LOG_READS        16 /* reads of one pipe before the others get a turn */

static void start(struct child *c);

static int64_t
now_ms(void)
{
	return clock_boot_ns() / NS_PER_MS;
}

static void
set_state(struct child *c, enum component_state state, const char *why)
{
	c->component.state = (uint32_t)state;
	c->component.since_ns = clock_utc_ns();
	if (why != NULL)
		str_copy(c->component.why, sizeof(c->component.why), why);
	report_component(c->l, c);
}

static void
again_in(struct child *c, int64_t ms)
{
	struct timeval t = { ms / 1000, (ms % 1000) * 1000 };

	if (event_add(c->timer, &t) == -1)
		fatalx("no memory for a timer");
}

/* --- what processes write
 * --------------------------------------------------------------------------------------------- */

/* What a capture process of an analysis says is kept for the line about its file; everything else is passed
 * on. */
static void
put_line(void *ctx, const char *line)
{
	struct child *c = ctx;

	if (c->point != NULL && c->point->kind == POINT_FILE)
		str_copy(c->last_line, sizeof(c->last_line), line);
	if (!c->l->launch->analyze || c->point == NULL)
		(void)fprintf(stderr, "%s\n", line);
}

static void
read_log(struct child *c, bool to_the_end)
{
	char buf[4096];
	ssize_t n;

	for (int i = 0; to_the_end || i < LOG_READS; i++) {
		n = read(c->log, buf, sizeof(buf));
		if (n <= 0)
			break;
		child_log_take(&c->lines, buf, (size_t)n, now_ms() / 1000, put_line, c);
		if (i >= 64) /* more than a pipe holds: somebody else still writes */
			break;
	}
}

static void
on_log(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	read_log(arg, false);
}

static void
close_log(struct child *c)
{
	if (c->log == -1)
		return;
	read_log(c, true);
	child_log_end(&c->lines, now_ms() / 1000, put_line, c);
	event_free(c->readable);
	c->readable = NULL;
	fd_drop(&c->log);
}

/* --- starting
 * ---------------------------------------------------------------------------------------------------------
 */

/* False with errno. An engine never runs twice under one number, so that flow ids are never used twice. */
static bool
make_document(struct child *c, int *fd)
{
	AUTO(mem_drop) struct boot *b = mem_calloc(1, sizeof(*b));
	uint32_t number = c->l->boot_number;

	if (c->proc == PROC_ENGINE && !state_next_boot(&c->l->state, &number))
		return false;
	if (c->proc == PROC_AUTHD)
		prepare_master_key(c->l);
	plan_boot(c->l, c, number, b);
	*fd = boot_memfd(b);
	return *fd != -1;
}

int
supervise_document(struct child *c)
{
	int fd = -1;

	return make_document(c, &fd) ? fd : -1;
}

static bool
try_start(struct child *c)
{
	AUTO(fd_drop) int document = -1;
	AUTO(fd_drop) int theirs = -1;
	int ends[2];

	if (!make_document(c, &document) || pipe2(ends, O_CLOEXEC) == -1)
		return false;
	c->log = ends[0];
	theirs = ends[1];
	c->spawn.fd[BOOT_FD_DOCUMENT] = document;
	c->spawn.fd[STDERR_FILENO] = theirs;
	c->pid = spawn_start(&c->spawn);
	if (c->pid == -1) {
		c->pid = 0;
		fd_drop(&c->log);
		return false;
	}
	(void)fcntl(c->log, F_SETFL, O_NONBLOCK);
	c->readable = event_new(c->l->base, c->log, EV_READ | EV_PERSIST, on_log, c);
	if (c->readable == NULL || event_add(c->readable, NULL) == -1)
		fatalx("no memory for a log");
	return true;
}

static bool
is_of_interface(const struct child *c)
{
	return c->point != NULL && c->point->kind == POINT_INTERFACE;
}

void
supervise_began(struct child *c, pid_t pid)
{
	c->pid = pid;
	c->started_ms = now_ms();
	log_debug("%s: started as process %d, uid %u", c->name, (int)c->pid, c->uid);
	set_state(c, COMPONENT_RUNNING, NULL);
}

static void
start(struct child *c)
{
	if (is_of_interface(c) && c->l->settings->offload_off && interface_exists(c->point->source))
		offload_off(c->point->source);
	if (is_of_interface(c))
		c->component.speed_bps = link_speed(c->l->settings, c->point->source);
	if (c->l->launch->units) {
		units_allow(c);
		return;
	}
	if (try_start(c)) {
		supervise_began(c, c->pid);
		return;
	}
	log_error("%s: cannot be started: %s", c->name, strerror(errno));
	set_state(c, COMPONENT_RESTARTING, "cannot be started");
	again_in(c, backoff_next(&c->backoff, 0));
}

/* --- dying
 * ------------------------------------------------------------------------------------------------------------
 */

static bool
interface_is_back(const struct child *c)
{
	return interface_exists(c->point->source) && interface_is_up(c->point->source);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	if (c->l->stop != STOP_NOT || c->pid != 0)
		return;
	if (c->component.state == COMPONENT_WAITING && !interface_is_back(c)) {
		again_in(c, INTERFACE_LOOK_MS);
		return;
	}
	if (c->component.state == COMPONENT_WAITING)
		log_info("%s: %s is back", c->name, c->point->source);
	start(c);
}

static void
describe(struct child *c, int status, enum verdict *v)
{
	char *why = c->component.why;
	size_t size = sizeof(c->component.why), len;
	char call[96];

	*v = death_judge(c->proc, c->point != NULL && c->point->kind == POINT_FILE, status, why, size);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		return;
	len = strlen(why);
	if (audit_killed_by(c->l->audit, c->uid, AUDIT_WAIT_MS, call, sizeof(call)))
		(void)snprintf(why + len, size - len, ": %s is not in its sandbox", call);
	else
		(void)snprintf(
		    why + len, size - len,
		    ": a system call that is not in its sandbox (the kernel's log does not say which)");
}

/* Why a file could not be read (to its end): in the words of the process that tried, without its name and the
 * file's. */
static const char *
words_about_file(const struct child *c)
{
	const char *line = strstr(c->last_line, ": error: ");
	size_t n = strlen(c->point->name);

	if (line == NULL)
		return c->component.why;
	line += strlen(": error: ");
	return strncmp(line, c->point->name, n) == 0 && line[n] == ' ' ? line + n + 1 : line;
}

/* Whatever dies early spoils an analysis; a file that was read to its end or its cut does not. */
static void
died_in_analysis(struct child *c, enum verdict v)
{
	if (v == VERDICT_ENDED || v == VERDICT_TRUNCATED) {
		if (v == VERDICT_TRUNCATED) {
			say("%s: %s", c->point->source, words_about_file(c));
			c->l->truncated = true;
		}
		set_state(c, COMPONENT_ENDED, NULL);
		return;
	}
	if (c->point != NULL)
		say("%s: %s", c->point->source, words_about_file(c));
	else
		say("%s %s: the result would not be whole", c->name, c->component.why);
	supervise_stop(c->l, WEIR_FAILED);
}

/* What is hopeless right at the start is a mistake for whoever started it to mend, who is told so by the end
 * of everything: a file that is no capture, a database that is damaged. Later on the rest goes on without it,
 * visibly. */
static bool
spoils_the_start(const struct child *c)
{
	return c->component.restarts == 0 && now_ms() - c->l->began_ms < START_MS && !c->l->launch->units;
}

/* The result of an analysis may be complete, and everything told to stop, before the process that read a file
 * up to its cut has ended. */
static bool
had_trouble_with_file(const struct child *c)
{
	return c->l->launch->analyze && c->point != NULL && strstr(c->last_line, ": error: ") != NULL;
}

/* Somebody told it to end (SIGTERM; authd: `weir key rotate master`), and it has answered whom it was
 * serving.
 */
static void
restart_politely(struct child *c, int64_t lived)
{
	log_info("%s: ended as it was told; starts again", c->name);
	str_copy(c->component.why, sizeof(c->component.why), "ended as it was told");
	c->component.restarts++;
	set_state(c, COMPONENT_RESTARTING, NULL);
	again_in(c, lived < 1000 ? backoff_next(&c->backoff, lived) : 1);
}

static void
died(struct child *c, int status)
{
	int64_t lived = now_ms() - c->started_ms, wait;
	enum verdict v;

	c->pid = 0;
	close_log(c);
	if (c->l->stop != STOP_NOT) {
		if (had_trouble_with_file(c)) {
			say("%s: %s", c->point->source, words_about_file(c));
			return;
		}
		/* SIGTERM as such: it had not come as far as listening to it. */
		if (WIFEXITED(status) ? WEXITSTATUS(status) != 0 : WTERMSIG(status) != SIGTERM)
			log_warn("%s: did not end cleanly when told to stop (wait status 0x%x)", c->name,
				 (unsigned)status);
		return;
	}
	describe(c, status, &v);
	c->component.died_ns = clock_utc_ns();
	if (c->l->launch->analyze) {
		died_in_analysis(c, v);
		return;
	}
	switch (v) {
	case VERDICT_ENDED:
	case VERDICT_TRUNCATED:
		log_info("%s: %s: %s", c->name, c->point->name, c->component.why);
		set_state(c, COMPONENT_ENDED, NULL);
		return;
	case VERDICT_HOPELESS:
		set_state(c, COMPONENT_DEGRADED, NULL);
		if (spoils_the_start(c)) {
			if (c->point != NULL)
				say("%s: %s", c->point->source, words_about_file(c));
			else
				say("%s %s", c->name, c->component.why);
			supervise_stop(c->l, WEIR_FAILED);
			return;
		}
		log_error("%s: %s; it is not started again", c->name, c->component.why);
		return;
	case VERDICT_WAIT:
		log_warn("%s: %s is gone or down: waiting for it", c->name, c->point->source);
		c->component.restarts++;
		set_state(c, COMPONENT_WAITING, NULL);
		/* One that dies at once although the interface is up must not spin. */
		wait = lived < 1000 ? backoff_next(&c->backoff, lived) : 1;
		again_in(c, wait < INTERFACE_LOOK_MS || !interface_is_back(c) ? INTERFACE_LOOK_MS / 2 : wait);
		return;
	case VERDICT_RESTART:
		if ((c->proc == PROC_HTTPD || c->proc == PROC_AUTHD) && WIFEXITED(status) &&
		    WEXITSTATUS(status) == EXIT_OK) {
			restart_politely(c, lived);
			return;
		}
		wait = backoff_next(&c->backoff, lived);
		log_error("%s: %s after %lld.%03lld s; starts again in %lld ms", c->name, c->component.why,
			  (long long)lived / 1000, (long long)lived % 1000, (long long)wait);
		c->component.restarts++;
		set_state(c, COMPONENT_RESTARTING, NULL);
		again_in(c, wait);
		return;
	}
}

void
supervise_ended(struct child *c, int status)
{
	died(c, status);
}

/* What is hopeless is tried again where somebody asks for it: he may have mended it. */
void
supervise_asked(struct child *c)
{
	if (c->l->stop == STOP_NOT && c->component.state == COMPONENT_DEGRADED)
		start(c);
}

/* --- stopping
 * ---------------------------------------------------------------------------------------------------------
 */

static bool
in_phase(const struct child *c, enum stop_phase phase)
{
	static const enum proc order[] = { [STOP_CAPTURE] = PROC_CAPTURE,     [STOP_ENGINE] = PROC_ENGINE,
					   [STOP_HTTPD] = PROC_HTTPD,         [STOP_DIAL] = PROC_DIAL,
					   [STOP_DIRECTORY] = PROC_DIRECTORY, [STOP_AUTHD] = PROC_AUTHD,
					   [STOP_STORE] = PROC_STORE,         [STOP_KEY] = PROC_KEY };

	return c->pid != 0 && phase < STOP_DONE && c->proc == order[phase];
}

static unsigned
signal_phase(struct launcher *l, int sig)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->nchildren; i++) {
		if (!in_phase(&l->child[i], l->stop))
			continue;
		n++;
		if (sig != 0)
			(void)kill(l->child[i].pid, sig);
	}
	return n;
}

/* Frames stop first, then what makes records of them, then who asks, and store last: nothing is lost on the
 * way. */
static void
stop_step(struct launcher *l)
{
	static const struct timeval patience = { STOP_SECONDS, 0 };

	while (l->stop < STOP_DONE && signal_phase(l, 0) == 0) {
		l->stop++;
		if (signal_phase(l, SIGTERM) > 0 && event_add(l->deadline, &patience) == -1)
			fatalx("no memory for a timer");
	}
	if (l->stop == STOP_DONE && l->asker == 0)
		event_base_loopbreak(l->base);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct launcher *l = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < l->nchildren; i++)
		if (in_phase(&l->child[i], l->stop))
			log_warn("%s: has not ended after %d s: killed", l->child[i].name, STOP_SECONDS);
	(void)signal_phase(l, SIGKILL);
}

void
supervise_stop(struct launcher *l, int status)
{
	static const struct timeval patience = { STOP_SECONDS, 0 };

	if (l->stop != STOP_NOT) {
		(void)signal_phase(l, SIGKILL); /* told twice */
		return;
	}
	l->status = status;
	notify("STOPPING=1");
	if (l->launch->units) { /* whoever stops this unit stops the others, in the order that they say */
		l->stop = STOP_DONE;
		event_base_loopbreak(l->base);
		return;
	}
	for (unsigned i = 0; i < l->nchildren; i++)
		event_del(l->child[i].timer);
	if (l->asker != 0)
		(void)kill(l->asker, SIGKILL);
	l->stop = STOP_CAPTURE;
	(void)signal_phase(l, SIGTERM);
	if (event_add(l->deadline, &patience) == -1)
		fatalx("no memory for a timer");
	stop_step(l);
}

/* --- signals
 * ----------------------------------------------------------------------------------------------------------
 */

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct launcher *l = arg;

	(void)what;
	if (!l->launch->analyze)
		log_info("stopping (SIG%s)", sigabbrev_np((int)sig));
	supervise_stop(l, l->launch->analyze ? WEIR_FAILED : WEIR_OK);
}

static void
asker_ended(struct launcher *l, int status)
{
	l->asker = 0;
	if (l->stop == STOP_NOT)
		supervise_stop(l, WIFEXITED(status) ? WEXITSTATUS(status) : WEIR_FAILED);
}

static void
on_child(evutil_socket_t sig, short what, void *arg)
{
	struct launcher *l = arg;
	int status;

	(void)sig;
	(void)what;
	for (unsigned i = 0; i < l->nchildren; i++)
		if (l->child[i].pid != 0 && waitpid(l->child[i].pid, &status, WNOHANG) == l->child[i].pid)
			died(&l->child[i], status);
	if (l->asker != 0 && waitpid(l->asker, &status, WNOHANG) == l->asker)
		asker_ended(l, status);
	if (l->stop != STOP_NOT)
		stop_step(l);
}

/* --- files and links that change
 * ------------------------------------------------------------------------------------------------ */

/* A link can be negotiated anew while its interface stays up. */
static void
look_at_link(struct child *c)
{
	uint64_t speed;

	if (!is_of_interface(c) || c->component.state != COMPONENT_RUNNING)
		return;
	speed = link_speed(c->l->settings, c->point->source);
	if (speed == c->component.speed_bps)
		return;
	c->component.speed_bps = speed;
	report_component(c->l, c);
}

/* What the filters would have refused, and that they refuse nothing: again and again, for nobody to forget.
 */
static void
say_what_is_not_enforced(struct launcher *l)
{
	char call[96];
	uid_t uid;

	if (l->settings->sandbox_enforce)
		return;
	for (unsigned n = 0; n < UNENFORCED_LINES && audit_logged(l->audit, &uid, call, sizeof(call)); n++)
		for (unsigned i = 0; i < l->nchildren; i++)
			if (l->child[i].uid == uid)
				log_error("%s made %s, which its filter does not have", l->child[i].name,
					  call);
	if (l->unenforced_looks++ % UNENFORCED_EVERY == 0)
		log_error(
		    "system calls are NOT filtered: set sandbox.enforce to yes again as soon as you know "
		    "what you wanted to know");
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct launcher *l = arg;

	(void)fd;
	(void)what;
	notify("WATCHDOG=1");
	for (unsigned i = 0; i < l->geo.n && l->stop == STOP_NOT; i++)
		if (geo_files_look(&l->geo, i))
			report_geo(l, i);
	if (l->stop == STOP_NOT && certificate_files_look(&l->certificate))
		report_certificate(l);
	if (l->stop == STOP_NOT && ticket_keys_look(&l->tickets, now_ms()))
		report_ticket_keys(l);
	say_what_is_not_enforced(l);
	for (unsigned i = 0; i < l->nchildren && l->stop == STOP_NOT; i++)
		look_at_link(&l->child[i]);
	report_counters(l);
}

/* What is analysed has one answer: files that change meanwhile are none of it. */
static void
watch_files(struct launcher *l)
{
	static const struct timeval often = { LOOK_SECONDS, 0 };

	if (l->launch->analyze)
		return;
	l->look = event_new(l->base, -1, EV_PERSIST, on_look, l);
	if (l->look == NULL || event_add(l->look, &often) == -1)
		fatalx("no memory for a timer");
}

/* --- beginning
 * -------------------------------------------------------------------------------------------------------- */

/* Asks and prints in a process of its own: it may wait, the launcher may not. It keeps uid 0, which is its
 * identity, and no capability. */
static void
start_asker(struct launcher *l)
{
	static const int mine[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	pid_t launcher = getpid();

	(void)fflush(stdout);
	l->asker = fork();
	if (l->asker == -1)
		fatal("cannot fork");
	if (l->asker != 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(mine); i++)
		(void)signal(mine[i], i < 1 ? SIG_DFL : SIG_IGN);
	if (!capabilities_bound(0) || !capabilities_hand_down(0) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 || getppid() != launcher)
		_exit(WEIR_FAILED);
	{
		int status = l->launch->asker(l->launch);

		_exit(fflush(stdout) == 0 ? status : WEIR_FAILED);
	}
}

static struct event *
on_signal(struct launcher *l, int sig, event_callback_fn fn)
{
	struct event *e = evsignal_new(l->base, sig, fn, l);

	if (e == NULL || event_add(e, NULL) == -1)
		fatalx("cannot listen to signals");
	return e;
}

void
supervise_begin(struct launcher *l)
{
	l->began_ms = now_ms();
	l->signals[0] = on_signal(l, SIGTERM, on_stop);
	l->signals[1] = on_signal(l, SIGINT, on_stop);
	l->signals[2] = on_signal(l, SIGHUP, on_stop);
	l->signals[3] = on_signal(l, SIGCHLD, on_child);
	(void)signal(SIGPIPE, SIG_IGN);
	l->deadline = event_new(l->base, -1, 0, on_deadline, l);
	if (l->deadline == NULL)
		fatalx("no memory for a timer");
	for (unsigned i = 0; i < l->nchildren; i++) {
		l->child[i].timer = event_new(l->base, -1, 0, on_timer, &l->child[i]);
		if (l->child[i].timer == NULL)
			fatalx("no memory for a timer");
	}
	watch_files(l);
	if (l->launch->units)
		units_begin(l);
	for (unsigned i = 0; i < l->nchildren && l->stop == STOP_NOT; i++)
		start(&l->child[i]);
	if (l->launch->units)
		notify("READY=1"); /* the units wait for this one, so it cannot wait for them */
	if (l->launch->analyze)
		start_asker(l);
}
