#include "password.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/wire.h"
#include "utf8.h"

/* ASCII only: the list has nothing else, and what is left out of folding is only accepted more readily. */
static void
fold(char *out, size_t size, const char *s)
{
	size_t i;

	for (i = 0; i + 1 < size && s[i] != '\0'; i++)
		out[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] - 'A' + 'a') : s[i];
	out[i] = '\0';
}

static int
order(const void *key, const void *row)
{
	return strcmp(key, *(const char *const *)row);
}

static bool
is_common(const char *s)
{
	return bsearch(s, common_passwords, common_passwords_count, sizeof(common_passwords[0]), order) !=
	       NULL;
}

/* "aaaaaaaaaaaa", "abcabcabcabc", also where the last repetition is cut. */
static bool
repeats_itself(const char *s, size_t n)
{
	for (size_t period = 1; period <= 6 && period * 2 <= n; period++)
		if (memcmp(s, s + period, n - period) == 0)
			return true;
	return false;
}

/* "abcdefghijkl", "123456789012", "zyxwvuts": each byte one more (or one less) than the one before, 9 before
 * 0. */
static bool
counts(const char *s, size_t n, int step)
{
	for (size_t i = 1; i < n; i++) {
		int next = s[i - 1] + step;

		if (s[i - 1] == '9' && step == 1)
			next = '0';
		if (s[i - 1] == '0' && step == -1)
			next = '9';
		if (s[i] != next)
			return false;
	}
	return true;
}

/* The user name, once or again and again, whatever digits and signs stand before and behind it. */
static bool
is_the_name(const char *s, size_t n, const char *name)
{
	size_t len = strlen(name), i = 0;

	if (len < 3)
		return false;
	while (i < n && (s[i] < 'a' || s[i] > 'z') && strncmp(s + i, name, len) != 0)
		i++;
	if (strncmp(s + i, name, len) != 0)
		return false;
	while (strncmp(s + i, name, len) == 0)
		i += len;
	while (i < n && !(s[i] >= 'a' && s[i] <= 'z') && (unsigned char)s[i] < 0x80)
		i++;
	return i == n;
}

static const char *
judge_folded(const char *s, const char *name)
{
	size_t n = strlen(s);

	if (is_common(s))
		return "The password is one of those that are tried first.";
	if (repeats_itself(s, n) || counts(s, n, 1) || counts(s, n, -1))
		return "The password is a simple pattern.";
	if (is_the_name(s, n, name))
		return "The password is the user name.";
	return NULL;
}

const char *
password_judge(const char *password, const char *name, size_t least)
{
	static char too_short[80];
	char s[PASSWORD_MAX], who[ACCOUNT_NAME_MAX];
	const char *verdict;

	if (password[0] == '\0')
		return "The password is empty.";
	if (utf8_length(password) < least) {
		(void)snprintf(too_short, sizeof(too_short), "The password is shorter than %zu characters.",
			       least);
		return too_short;
	}
	fold(s, sizeof(s), password);
	fold(who, sizeof(who), name);
	verdict = judge_folded(s, who);
	sodium_memzero(s, sizeof(s));
	return verdict;
}
