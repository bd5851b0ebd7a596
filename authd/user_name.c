#include "user_name.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "utf8.h"

struct span {
	uint32_t first, last;
};

/* What cannot be seen, or makes a name look like another one when it is printed. */
static const struct span unprintable[] = {
	{ 0x00, 0x1f },     { 0x7f, 0x9f },     { 0xad, 0xad },     { 0x200b, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xd800, 0xf8ff }, { 0xfdd0, 0xfdef },
	{ 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0x10ffff },
};

static const struct span spaces[] = {
	{ 0x20, 0x20 },     { 0xa0, 0xa0 },     { 0x1680, 0x1680 }, { 0x2000, 0x200a },
	{ 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 },
};

static bool
within(uint32_t c, const struct span *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= list[i].first && c <= list[i].last)
			return true;
	return false;
}

const char *
user_name_judge(const char *name)
{
	bool space = true; /* the character before: a name does not begin with one */

	if (name[0] == '\0')
		return "The user name is empty.";
	if (strlen(name) > USER_NAME_MAX)
		return "The user name is longer than 64 bytes.";
	for (const char *p = name; *p != '\0';) {
		uint32_t c = utf8_next(&p);
		bool first = space && p != name;

		if (c == UTF8_BAD)
			return "The user name is not valid UTF-8.";
		if (within(c, unprintable, ARRAY_LEN(unprintable)))
			return "The user name has a character that cannot be printed.";
		space = within(c, spaces, ARRAY_LEN(spaces));
		if (space && (first || *p == '\0'))
			return "The user name begins or ends with a space, or has two in a row.";
	}
	return NULL;
}
