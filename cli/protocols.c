/* Two ways of writing the same: nDPI's rules and `name host:port`. */
#include "protocols.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/ip.h"
#include "base/mem.h"

#define NAME_MAX_LEN 31

/* --- one line
 * ----------------------------------------------------------------------------------------------------------------
 */

static bool
is_name(const char *s, size_t len)
{
	if (len == 0 || len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && strchr("_.-", s[i]) == NULL)
			return false;
	return true;
}

/* "443" up to most; *end behind it. */
static bool
is_number(const char *s, unsigned long most, const char **end)
{
	char *stop;
	unsigned long n;

	if (!isdigit((unsigned char)s[0]))
		return false;
	n = strtoul(s, &stop, 10);
	*end = stop;
	return n <= most && stop - s <= 5;
}

static bool
is_ports(const char *s)
{
	const char *end;

	if (!is_number(s, 65535, &end))
		return false;
	return *end == '\0' || (*end == '-' && is_number(end + 1, 65535, &end) && *end == '\0');
}

/* A.B.C.D[/bits][:port] */
static const char *
judge_address(const char *s)
{
	const char *end = s + strcspn(s, "/:");
	char text[IP_TEXT_MAX];
	struct ip_addr ip;

	if (strchr(s, ':') != NULL && strchr(strchr(s, ':') + 1, ':') != NULL)
		return "an IPv6 address: nDPI knows rules for IPv4 addresses only";
	if ((size_t)(end - s) >= sizeof(text))
		return "no IPv4 address: write it as ip:192.0.2.0/24:443@name";
	memcpy(text, s, (size_t)(end - s));
	text[end - s] = '\0';
	if (!ip_parse(text, &ip) || !ip_is_v4(&ip))
		return "no IPv4 address: write it as ip:192.0.2.0/24:443@name";
	if (*end == '/' && !is_number(end + 1, 32, &end))
		return "a network is written as 192.0.2.0/24";
	if (*end == ':' && (!is_number(end + 1, 65535, &end) || end[-1] == ':'))
		return "a port is a number up to 65535";
	return *end == '\0' ? NULL
			    : "something stands behind the address: write it as ip:192.0.2.0/24:443@name";
}

static const char *
judge_host(const char *s)
{
	size_t len = strlen(s);

	if (len >= 2 && s[0] == '"' && s[len - 1] == '"') {
		s++;
		len -= 2;
	}
	if (len < 3 || len > 253)
		return "a host name has 3 to 253 characters: write it as host:\"example.org\"@name";
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && strchr("_.-", s[i]) == NULL)
			return "a host name has letters, digits, dots and dashes only";
	return NULL;
}

static const char *
judge_item(const char *item)
{
	if (strncmp(item, "tcp:", 4) == 0 || strncmp(item, "udp:", 4) == 0)
		return is_ports(item + 4) ? NULL : "ports are written as tcp:8080 or udp:1000-1010";
	if (strncmp(item, "ip:", 3) == 0)
		return judge_address(item + 3);
	if (strncmp(item, "host:", 5) == 0)
		return judge_host(item + 5);
	return "begin each part with tcp:, udp:, ip: or host:, as in tcp:8081@name";
}

/* item,item,...@name */
static const char *
judge_rule(const char *line)
{
	char copy[PROTOCOLS_RULE_MAX];
	char *at, *item = copy, *comma;
	const char *wrong;

	str_copy(copy, sizeof(copy), line);
	at = strrchr(copy, '@');
	if (!is_name(at + 1, strlen(at + 1)))
		return "the name behind @ has 1 to 31 letters, digits, dots, dashes and underscores";
	*at = '\0';
	for (; item != NULL; item = comma) {
		comma = strchr(item, ',');
		if (comma != NULL)
			*comma++ = '\0';
		wrong = judge_item(item);
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

/* name host:port */
static const char *
translate(const char *line, char rule[static PROTOCOLS_RULE_MAX])
{
	size_t name = strcspn(line, " \t");
	const char *host = line + name + strspn(line + name, " \t");
	const char *colon = strrchr(host, ':');
	char item[PROTOCOLS_RULE_MAX];
	const char *wrong;

	if (*host == '\0' || colon == NULL)
		return "neither a rule (tcp:8081@name) nor a name with host and port (name 192.0.2.7:8080)";
	if (!is_name(line, name))
		return "a name has 1 to 31 letters, digits, dots, dashes and underscores";
	(void)snprintf(item, sizeof(item), "%s", host);
	wrong = judge_address(item);
	if (wrong != NULL && isalpha((unsigned char)host[0]) &&
	    strspn(colon + 1, "0123456789") == strlen(colon + 1))
		return "a host name and a port cannot be told together: write host:\"example.org\"@name";
	if (wrong != NULL)
		return wrong;
	(void)snprintf(rule, PROTOCOLS_RULE_MAX, "ip:%.256s@%.*s", host, (int)name, line);
	return NULL;
}

const char *
protocols_line(const char *line, char rule[static PROTOCOLS_RULE_MAX])
{
	char text[PROTOCOLS_RULE_MAX];
	size_t len;
	const char *wrong;

	rule[0] = '\0';
	line += strspn(line, " \t");
	len = strcspn(line, "\r\n");
	if (len == 0 || line[0] == '#')
		return NULL;
	if (len >= sizeof(text) - 8)
		return "a line of more than 470 characters: spread it over several with the same name";
	memcpy(text, line, len);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	text[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 && text[i] != '\t')
			return "a control character";
	if (strchr(text, '@') == NULL)
		return translate(text, rule);
	wrong = judge_rule(text);
	if (wrong == NULL)
		str_copy(rule, PROTOCOLS_RULE_MAX, text);
	return wrong;
}

/* --- the file
 * ----------------------------------------------------------------------------------------------------------------
 */

struct reading {
	const char *path;
	config_report report;
	void *ctx;
	unsigned mistakes, names;
	char name[PROTOCOLS_NAMES_MAX][NAME_MAX_LEN + 1];
};

__attribute__((format(printf, 3, 4))) static void
mistake(struct reading *r, unsigned line, const char *format, ...)
{
	char text[256], whole[640];
	va_list args;

	if (r->mistakes++ >= CONFIG_MISTAKES_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (line > 0)
		(void)snprintf(whole, sizeof(whole), "%s:%u: %s", r->path, line, text);
	else
		(void)snprintf(whole, sizeof(whole), "%s: %s", r->path, text);
	r->report(r->ctx, whole);
}

/* The whole file, terminated; NULL after a report. */
static char *
read_whole(struct reading *r)
{
	AUTO(fd_drop) int fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t len = 0;
	ssize_t n = 0;
	char *text;

	if (fd == -1 || fstat(fd, &st) == -1) {
		mistake(r, 0, "cannot be read: %s (engine.protocols_file names it)", strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)PROTOCOLS_FILE_MAX) {
		mistake(r, 0, "is no file of at most 1 MiB");
		return NULL;
	}
	text = mem_calloc(1, PROTOCOLS_FILE_MAX + 1);
	while (len < PROTOCOLS_FILE_MAX && (n = read(fd, text + len, PROTOCOLS_FILE_MAX - len)) > 0)
		len += (size_t)n;
	if (n == -1 || strlen(text) != len) {
		mistake(r, 0, n == -1 ? "cannot be read to its end" : "is no text: it holds a NUL");
		free(text);
		return NULL;
	}
	return text;
}

/* nDPI has room for so many names, and says nothing when there are more. */
static void
count_name(struct reading *r, unsigned line, const char *rule)
{
	const char *name = strrchr(rule, '@') + 1;

	for (unsigned i = 0; i < r->names; i++)
		if (strcasecmp(r->name[i], name) == 0)
			return;
	if (r->names == PROTOCOLS_NAMES_MAX)
		mistake(r, line, "%s is the %uth name: at most %u are possible", name, r->names + 1,
			PROTOCOLS_NAMES_MAX);
	else
		str_copy(r->name[r->names++], sizeof(r->name[0]), name);
}

static bool
write_rules(struct reading *r, char *text, int fd)
{
	char rule[PROTOCOLS_RULE_MAX];
	char *next;
	unsigned line = 0;

	for (char *at = text; at != NULL && *at != '\0'; at = next) {
		const char *wrong;

		next = strchr(at, '\n');
		if (next != NULL)
			*next++ = '\0';
		wrong = protocols_line(at, rule);
		line++;
		if (wrong != NULL) {
			mistake(r, line, "%s", wrong);
			continue;
		}
		if (rule[0] == '\0')
			continue;
		count_name(r, line, rule);
		if (dprintf(fd, "%s\n", rule) < 0) {
			mistake(r, 0, "no memory for its rules: %s", strerror(errno));
			return false;
		}
	}
	return r->mistakes == 0;
}

int
protocols_open(const char *path, config_report report, void *ctx)
{
	AUTO(mem_drop) struct reading *r = mem_calloc(1, sizeof(*r));
	AUTO(fd_drop) int fd = memfd_create("weir-protocols", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	AUTO(mem_drop) char *text = NULL;

	r->path = path;
	r->report = report;
	r->ctx = ctx;
	text = read_whole(r);
	if (text == NULL || fd == -1 || !write_rules(r, text, fd))
		return -1;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == -1) {
		mistake(r, 0, "its rules cannot be sealed: %s", strerror(errno));
		return -1;
	}
	return fd_keep(&fd);
}
