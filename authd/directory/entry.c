#include "entry.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "template.h"

#define ID_BYTES_MAX 64

/* ADS_UF_ACCOUNTDISABLE of userAccountControl */
#define DISABLED_FLAG 2
/* accountExpires counts 100 ns from 1601; these two mean never. */
#define SECONDS_1601_TO_1970 INT64_C(11644473600)
#define TICKS_PER_S          INT64_C(10000000)
#define NEVER                INT64_MAX
/* pwdAccountLockedTime where an administrator locked it for good
 * (draft-behera-ldap-password-policy-10, 5.3.3) */
#define LOCKED_FOR_GOOD "000001010000Z"

/* What servers give an entry for good, in the order in which they are believed. */
static const struct {
	const char *attribute;
	bool binary;
} ids[] = {
	{ "objectGUID", true },   /* Active Directory */
	{ "entryUUID", false },   /* RFC 4530 */
	{ "nsUniqueId", false },  /* 389 Directory Server */
	{ "ipaUniqueID", false }, /* FreeIPA */
	{ "GUID", true },         /* eDirectory */
};
static const char *const standings[] = { "userAccountControl", "accountExpires", "nsAccountLock",
					 "pwdAccountLockedTime", "loginDisabled" };

static_assert(2 + ARRAY_LEN(ids) + ARRAY_LEN(standings) + 2 <= ENTRY_ATTRIBUTES,
	      "all of them can be asked for");

void
entry_attributes(const struct provider *p, char name[static 64], const char *out[static ENTRY_ATTRIBUTES])
{
	size_t n = 0;

	out[n++] = p->title;
	out[n++] = ENTRY_GROUPS;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		out[n++] = ids[i].attribute;
	for (size_t i = 0; i < ARRAY_LEN(standings); i++)
		out[n++] = standings[i];
	if (template_attribute(p->user_filter, name, 64))
		out[n++] = name;
	out[n] = NULL;
}

/* --- who it is --- */

static void
take_id(const struct link_entry *e, struct findings *f)
{
	uint8_t bytes[ID_BYTES_MAX];
	char value[2 * ID_BYTES_MAX + 1], text[2 * ID_BYTES_MAX + 32];
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(ids) && f->id == NULL; i++) {
		if (!link_entry_bytes(e, ids[i].attribute, bytes, sizeof(bytes), &len))
			continue;
		/* Hexadecimal digits can be printed, compared and kept, whatever the server says. */
		if (ids[i].binary)
			(void)sodium_bin2hex(value, sizeof(value), bytes, len);
		else
			(void)snprintf(value, sizeof(value), "%.*s", (int)len, (const char *)bytes);
		(void)snprintf(text, sizeof(text), "%s=%s", ids[i].attribute, value);
		f->id = mem_strdup(text);
	}
}

/* Of several values the first, whichever was typed: his account has one name. */
static bool
take_name(void *ctx, const char *value)
{
	struct findings *f = ctx;

	f->name = mem_strdup(value);
	return false;
}

static bool
take_title(void *ctx, const char *value)
{
	struct findings *f = ctx;

	if (f->title == NULL)
		f->title = mem_strdup(value);
	return false;
}

static bool
take_group(void *ctx, const char *value)
{
	struct findings *f = ctx;

	(void)findings_group(f, value);
	return !f->cut;
}

bool
entry_take_groups(const struct link_entry *e, struct findings *f, struct range *part)
{
	link_entry_values(e, ENTRY_GROUPS, take_group, f);
	return link_entry_range(e, ENTRY_GROUPS, take_group, f, part);
}

/* --- whether he may come in --- */

static bool
has_expired(const char *ticks, int64_t now_s)
{
	int64_t v;

	errno = 0;
	v = strtoll(ticks, NULL, 10);
	return errno == 0 && v > 0 && v != NEVER && v / TICKS_PER_S - SECONDS_1601_TO_1970 <= now_s;
}

enum directory_verdict
entry_standing(const char *attribute, const char *value, int64_t now_s)
{
	if (strcasecmp(attribute, "userAccountControl") == 0)
		return (strtoul(value, NULL, 10) & DISABLED_FLAG) != 0 ? DIRECTORY_DISABLED : DIRECTORY_RIGHT;
	if (strcasecmp(attribute, "accountExpires") == 0)
		return has_expired(value, now_s) ? DIRECTORY_EXPIRED : DIRECTORY_RIGHT;
	if (strcasecmp(attribute, "pwdAccountLockedTime") == 0)
		return strcmp(value, LOCKED_FOR_GOOD) == 0 ? DIRECTORY_DISABLED : DIRECTORY_RIGHT;
	return strcasecmp(value, "TRUE") == 0 ? DIRECTORY_DISABLED : DIRECTORY_RIGHT;
}

struct judging {
	const char *attribute;
	int64_t now_s;
	enum directory_verdict verdict;
};

static bool
judge_standing(void *ctx, const char *value)
{
	struct judging *j = ctx;

	j->verdict = entry_standing(j->attribute, value, j->now_s);
	return j->verdict == DIRECTORY_RIGHT;
}

enum directory_verdict
entry_read(const struct link_entry *e, const struct provider *p, struct findings *f)
{
	struct judging j = { .now_s = clock_utc_ns() / NS_PER_S, .verdict = DIRECTORY_RIGHT };
	char name[64], *dn = link_entry_dn(e);
	struct range part;

	f->dn = mem_strdup(dn == NULL ? "" : dn);
	link_free(dn);
	take_id(e, f);
	if (template_attribute(p->user_filter, name, sizeof(name)))
		link_entry_values(e, name, take_name, f);
	link_entry_values(e, p->title, take_title, f);
	if (entry_take_groups(e, f, &part))
		f->more_groups = part.next;
	for (size_t i = 0; i < ARRAY_LEN(standings) && j.verdict == DIRECTORY_RIGHT; i++) {
		j.attribute = standings[i];
		link_entry_values(e, j.attribute, judge_standing, &j);
	}
	return j.verdict;
}
