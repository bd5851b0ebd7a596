#include "utf8.h"

static const struct {
	uint8_t mask, lead;
	unsigned more;  /* bytes that follow */
	uint32_t least; /* smallest character that needs so many */
} forms[] = {
	{ 0x80, 0x00, 0, 0 },
	{ 0xe0, 0xc0, 1, 0x80 },
	{ 0xf0, 0xe0, 2, 0x800 },
	{ 0xf8, 0xf0, 3, 0x10000 },
};

uint32_t
utf8_next(const char **p)
{
	const uint8_t *s = (const uint8_t *)*p;
	unsigned form = 0, n;
	uint32_t c;

	(*p)++;
	while (form < 4 && (s[0] & forms[form].mask) != forms[form].lead)
		form++;
	if (form == 4)
		return UTF8_BAD;
	c = s[0] & (uint8_t)~forms[form].mask;
	for (n = 1; n <= forms[form].more; n++) {
		if ((s[n] & 0xc0) != 0x80)
			return UTF8_BAD;
		c = c << 6 | (s[n] & 0x3f);
	}
	if (c < forms[form].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return UTF8_BAD;
	*p += n - 1;
	return c;
}

size_t
utf8_length(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; n++)
		(void)utf8_next(&s);
	return n;
}
