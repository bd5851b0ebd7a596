#include "nameservers.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/ip.h"
#include "base/mem.h"
#include "cmd.h"

#define FILE_NAME "/etc/resolv.conf"
#define FILE_MAX  65536
#define BLANKS    " \t\r"

/* The address of "nameserver ADDRESS", NULL where the line is none. Link-local addresses with their interface
 * (fe80::1%eth0) are left out: a connected socket would need the number of the interface. */
static const char *
address_of(char *line)
{
	char *rest = line + strspn(line, BLANKS), *word = strsep(&rest, BLANKS);
	struct ip_addr ip;

	if (rest == NULL || strcmp(word, "nameserver") != 0)
		return NULL;
	rest += strspn(rest, BLANKS);
	word = strsep(&rest, BLANKS);
	return ip_parse(word, &ip) ? word : NULL;
}

void
nameservers_read(const char *text, struct settings *s)
{
	char line[128];

	while (*text != '\0' && s->nameservers.n < ARRAY_LEN(s->nameservers.item)) {
		size_t len = strcspn(text, "\n");
		const char *address = NULL;

		if (len < sizeof(line)) {
			memcpy(line, text, len);
			line[len] = '\0';
			address = address_of(line);
		}
		if (address != NULL &&
		    str_copy(s->nameservers.item[s->nameservers.n], sizeof(s->nameservers.item[0]), address))
			s->nameservers.n++;
		text += len + (text[len] == '\n');
	}
}

bool
nameservers_default(struct settings *s)
{
	AUTO(fd_drop) int fd = -1;
	static char text[FILE_MAX];
	ssize_t n = 0;

	if (s->nameservers.n > 0)
		return true;
	fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd != -1)
		n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	nameservers_read(text, s);
	if (s->nameservers.n > 0 || s->dns_mode >= DNS_MODE_DECODE)
		return true;
	say("engine.dns_mode %d asks name servers, and " FILE_NAME " names none: set dial.nameservers",
	    (int)s->dns_mode);
	return false;
}
