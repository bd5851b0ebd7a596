#include "death.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "ipc/boot.h"

static const struct {
	int status;
	const char *meaning;
	enum verdict verdict;
} meanings[] = {
	{ EXIT_OK, "ended by itself", VERDICT_RESTART },
	{ EXIT_FAILED, "gave up (status 1): its last lines say why", VERDICT_RESTART },
	{ EXIT_INTERFACE_GONE, "the interface is gone or down", VERDICT_WAIT },
	{ EXIT_BAD_INPUT, "its input cannot be read: starting it again is no use", VERDICT_HOPELESS },
	{ EXIT_FILE_TRUNCATED, "the file is cut (truncated) or damaged: what was before that place was read",
	  VERDICT_TRUNCATED },
	{ 127, "could not be started: its last line says why", VERDICT_RESTART },
};

static enum verdict
judge_exit(int status, char *why, size_t size)
{
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		if (meanings[i].status == status) {
			str_copy(why, size, meanings[i].meaning);
			return meanings[i].verdict;
		}
	}
	(void)snprintf(why, size, "ended with status %d", status);
	return VERDICT_RESTART;
}

enum verdict
death_judge(enum proc proc, int of_file, int status, char *why, size_t size)
{
	enum verdict v;

	if (WIFEXITED(status)) {
		v = judge_exit(WEXITSTATUS(status), why, size);
		if (proc != PROC_CAPTURE && (v == VERDICT_WAIT || v == VERDICT_TRUNCATED))
			return VERDICT_RESTART; /* only a capture process means that */
		if (!of_file)
			return v == VERDICT_TRUNCATED ? VERDICT_RESTART : v;
		if (WEXITSTATUS(status) == EXIT_OK) {
			str_copy(why, size, "the file was read to its end");
			return VERDICT_ENDED;
		}
		/* Once more from the start would count twice what was read before. */
		return v == VERDICT_TRUNCATED ? v : VERDICT_HOPELESS;
	}
	if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));

		(void)snprintf(why, size, "killed by SIG%s%s", name != NULL ? name : "?",
			       of_file ? ": the file is not read again, so that nothing counts twice" : "");
		return of_file ? VERDICT_HOPELESS : VERDICT_RESTART;
	}
	str_copy(why, size, "ended in an unknown way");
	return VERDICT_RESTART;
}
