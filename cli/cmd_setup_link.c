/* weir setup-link: the link that makes the first administrator, where Weir runs without a terminal. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "cmd.h"
#include "ipc/boot.h"
#include "ipc/channel.h"
#include "ipc/wire.h"
#include "page_address.h"
#include "place.h"

#define WAIT_MS 10000

static bool
ask_authd(int fd, struct wire_cli_answer *answer)
{
	static uint8_t body[MSG_BODY_MAX];
	const struct wire_cli_request request = { .request = 1 };
	enum msg_id id;
	bool good;

	if (!channel_write(fd, PROC_WEIR, PROC_AUTHD, MSG_CLI_SETUP_LINK, &request, sizeof(request)))
		return false;
	good = channel_read(fd, PROC_WEIR, PROC_AUTHD, &id, body, WAIT_MS) == (ssize_t)sizeof(*answer) &&
	       id == MSG_CLI_ANSWER;
	if (good)
		memcpy(answer, body, sizeof(*answer));
	sodium_memzero(body, sizeof(body));
	return good;
}

static int
tell(const struct settings *s, const struct wire_cli_answer *answer)
{
	if (answer->status != AUTH_OK) {
		say("there is an administrator: log in, or `weir user password NAME` gives him another one");
		return WEIR_FAILED;
	}
	printf("Open this link once to make the first administrator:\n");
	page_address_print_link(s, answer->secret);
	return WEIR_OK;
}

int
cmd_setup_link(int argc, char **argv)
{
	static struct settings s;
	struct wire_cli_answer answer;
	struct options o;
	char path[BOOT_PATH_MAX];
	AUTO(fd_drop) int held = -1;
	AUTO(fd_drop) int fd = -1;
	int status;

	if (!options_parse(&o, TAKES_CONFIG, argc, argv))
		return WEIR_USAGE;
	if (!options_settings(&o, &s))
		return WEIR_FAILED;
	(void)snprintf(path, sizeof(path), "%s/%s-0.sock", s.run_directory, proc_name(PROC_AUTHD));
	fd = channel_dial(path, PROC_WEIR, place_take(s.run_directory, &held), PROC_AUTHD, WAIT_MS);
	if (fd == -1 || !ask_authd(fd, &answer)) {
		say("%s: %s: is Weir running, and are you root?", path, strerror(errno));
		return WEIR_FAILED;
	}
	status = tell(&s, &answer);
	sodium_memzero(&answer, sizeof(answer));
	return status;
}
