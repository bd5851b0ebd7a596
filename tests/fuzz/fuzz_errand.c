/* What a process says that was started for an errand (store check, backup), and how it ends. None is started:
 * the pipe that it would have holds the input. */
#include <assert.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "errand.h"
#include "ipc/boot.h"
#include "programs.h"
#include "spawn.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SAID_MAX 32768u /* a pipe takes it without a reader */
#define PID      4242

static const uint8_t *said;
static size_t nsaid;
static int ended; /* as wait(2) tells it */

/* --- what errand.c would start it with --- */

bool
programs_find(char out[static PROGRAMS_MAX])
{
	out[0] = '/';
	out[1] = '\0';
	return true;
}

pid_t
spawn_start(const struct spawn *s)
{
	assert(write(s->fd[BOOT_FD_TOLD], said, nsaid) == (ssize_t)nsaid);
	return PID;
}

/* Nobody is killed: it has ended, whatever errand.c thinks of it. */
int
kill(pid_t pid, int sig)
{
	assert(pid == PID && sig == SIGKILL);
	return 0;
}

pid_t
waitpid(pid_t pid, int *status, int options)
{
	assert(pid == PID && options == WNOHANG);
	*status = ended;
	return pid;
}

/* --- who hears it --- */

static bool
ends(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static void
on_word(void *ctx, const struct errand_word *w)
{
	char shown[1024];

	assert(w->kind == ERRAND_FAULT || w->kind == ERRAND_NOTE);
	assert(ends(w->file, sizeof(w->file)) && ends(w->part, sizeof(w->part)) &&
	       ends(w->text, sizeof(w->text)));
	for (const char *p = text_escape(shown, sizeof(shown), w->text, strlen(w->text)); *p != '\0'; p++)
		assert((unsigned char)*p >= 0x20 && *p != 0x7f);
	++*(size_t *)ctx;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings settings;
	size_t words = 0;
	struct errand e = { .proc = PROC_STORE,
			    .flag = BOOT_CHECK,
			    .uid = 1,
			    .directory = -1,
			    .copy = -1,
			    .settings = &settings,
			    .word = on_word,
			    .ctx = &words };

	if (settings.workers == 0) {
		log_init("fuzz", LOG_LEVEL_ERROR);
		settings_default(&settings);
	}
	if (size < 2 || size > SAID_MAX)
		return 0;
	/* Mostly it ends well. */
	ended = data[0] % 4 != 0 ? 0 : data[1] % 2 == 0 ? data[1] << 8 : data[1] & 0x7f;
	said = data + 2;
	nsaid = size - 2;
	assert(errand_run(&e) == e.done);
	assert(words <= nsaid / sizeof(struct errand_word));
	assert(!e.done || ended == 0);
	assert(e.done || e.refused[0] != '\0');
	assert(ends(e.file, sizeof(e.file)) && ends(e.refused, sizeof(e.refused)));
	return 0;
}
