#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/utf8.h"
#include "cmd.h"

/* Reads byte by byte, so that nothing behind the line is taken, and no buffer of a library keeps it. */
static bool
read_line(int fd, const char *name, char *out, size_t size)
{
	size_t n = 0;
	ssize_t got;
	char c;

	while ((got = read(fd, &c, 1)) == 1 && c != '\n') {
		if (n + 1 == size) {
			say("%s: the password is longer than %zu bytes", name, size - 1);
			return false;
		}
		out[n++] = c;
	}
	if (n > 0 && out[n - 1] == '\r')
		n--;
	out[n] = '\0';
	if (got == -1)
		say("%s: %s", name, strerror(errno));
	else if (n == 0)
		say("%s: the password is empty", name);
	else if (strlen(out) != n || !utf8_valid(out, n))
		say("%s: the password is not valid UTF-8", name);
	else
		return true;
	return false;
}

bool
secret_from_file(const char *path, char *out, size_t size)
{
	AUTO(fd_drop) int fd = -1;

	if (strcmp(path, "-") == 0)
		return read_line(STDIN_FILENO, "standard input", out, size);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		say("--password-file %s: %s", path, strerror(errno));
		return false;
	}
	return read_line(fd, path, out, size);
}

static bool
ask_once(int terminal, const char *prompt, char *out, size_t size)
{
	struct termios before, silent;
	bool good;

	if (tcgetattr(terminal, &before) == -1) {
		say("the terminal cannot be used: %s", strerror(errno));
		return false;
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	(void)dprintf(terminal, "%s: ", prompt);
	if (tcsetattr(terminal, TCSAFLUSH, &silent) == -1) {
		say("the terminal cannot be used: %s", strerror(errno));
		return false;
	}
	good = read_line(terminal, prompt, out, size);
	(void)tcsetattr(terminal, TCSAFLUSH, &before);
	(void)dprintf(terminal, "\n");
	return good;
}

bool
secret_from_terminal(const char *prompt, char *out, size_t size)
{
	AUTO(fd_drop) int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char again[512];
	bool good = false;

	if (terminal == -1) {
		say("no terminal to ask for the password: give --password-file FILE (or \"-\") or "
		    "--generate-password");
		return false;
	}
	if (ask_once(terminal, prompt, out, size) && ask_once(terminal, "Again", again, sizeof(again))) {
		good = strcmp(out, again) == 0;
		if (!good)
			say("the two passwords are not the same");
	}
	explicit_bzero(again, sizeof(again));
	return good;
}
