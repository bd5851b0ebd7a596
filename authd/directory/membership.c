#include "membership.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "entry.h"
#include "range.h"
#include "template.h"

#define CHAIN        "1.2.840.113556.1.4.1941" /* LDAP_MATCHING_RULE_IN_CHAIN */
#define ONE_MAX      4096u                     /* bytes of one group's part of a filter */
#define AT_A_TIME    16u                       /* groups that one question is about */
#define QUESTION_MAX (AT_A_TIME * ONE_MAX + 4)
#define QUESTIONS    (FINDINGS_GROUPS / AT_A_TIME + 1)

struct membership {
	struct link *link;
	const struct provider *p;
	const char *name;
	struct findings *f;
	char *question; /* QUESTION_MAX bytes */
};

/* --- that his own entry tells --- */

struct part {
	struct findings *f;
	bool told;
	struct range range;
};

static bool
take_part(void *ctx, const struct link_entry *e)
{
	struct part *p = ctx;

	p->told = entry_take_groups(e, p->f, &p->range);
	return false;
}

/* The groups from f->more_groups on, as many as the server tells at once. */
static bool
ask_part(struct membership *m)
{
	struct findings *f = m->f;
	struct part p = { .f = f, .told = false };
	const char *attributes[] = { m->question, NULL };
	struct link_result r;

	if (!range_write(ENTRY_GROUPS, f->more_groups, m->question, QUESTION_MAX))
		return false;
	link_search(m->link, f->dn, true, "(objectClass=*)", attributes, take_part, &p, &r);
	if (r.code != LINK_OK) {
		findings_step(f, "%s of his entry: %s", m->question, r.words);
		return false;
	}
	/* It tells what it was asked for, so that there is an end. */
	if (!p.told || p.range.first != f->more_groups) {
		findings_step(f, "%s of his entry: the server tells another part, or none", m->question);
		return false;
	}
	f->more_groups = p.range.next;
	return true;
}

/* False where the server would not say. */
static bool
ask_for_the_rest(struct membership *m)
{
	for (unsigned questions = 0; m->f->more_groups != 0 && !m->f->cut; questions++) {
		if (questions == QUESTIONS) {
			m->f->cut = true;
			break;
		}
		if (!ask_part(m))
			return false;
	}
	return true;
}

/* --- that groups tell --- */

static bool
take_group(void *ctx, const struct link_entry *e)
{
	struct findings *f = ctx;
	char *dn = link_entry_dn(e);

	if (dn != NULL)
		(void)findings_group(f, dn);
	link_free(dn);
	return !f->cut;
}

/* False where the server would not say. */
static bool
ask(struct membership *m)
{
	static const char *const attributes[] = { "1.1", NULL }; /* none: RFC 4511 section 4.5.1.8 */
	struct link_result r;

	link_search(m->link, m->p->group_base, false, m->question, attributes, take_group, m->f, &r);
	/* The server tells no more of them than it wants to: those count that it told. */
	m->f->cut = m->f->cut || r.code == LINK_SIZE_LIMIT;
	if (r.code == LINK_OK || r.code == LINK_SIZE_LIMIT)
		return true;
	findings_step(m->f, "search for %.200s below %.200s: %s", m->question, m->p->group_base, r.words);
	return false;
}

static const char *
filter_of(const struct provider *p)
{
	return p->nested == NESTED_CHAIN ? "(member:" CHAIN ":=%userdn%)" : p->group_filter;
}

/* The groups that groups i, i + 1, ... of f are in, as many of them as one question takes: returns how many,
 * 0 where the server would not say. */
static size_t
ask_of_groups(struct membership *m, size_t i)
{
	size_t at = 2, n;
	char one[ONE_MAX];

	memcpy(m->question, "(|", 3);
	for (n = 0; n < AT_A_TIME && i + n < m->f->ngroups; n++) {
		const char *dn = m->f->group[i + n];

		if (!template_expand(filter_of(m->p), TEMPLATE_FILTER, m->name, dn, one, sizeof(one))) {
			findings_step(m->f, "group_filter cannot be asked for %.200s", dn);
			continue;
		}
		memcpy(m->question + at, one, strlen(one));
		at += strlen(one);
	}
	memcpy(m->question + at, ")", 2);
	return at == 2 || ask(m) ? n : 0;
}

/* Each group once, so a circle of them ends. */
static bool
walk(struct membership *m)
{
	unsigned questions = 0;

	for (size_t i = 0, n; i < m->f->ngroups; i += n) {
		if (questions++ == QUESTIONS) {
			m->f->cut = true;
			break;
		}
		n = ask_of_groups(m, i);
		if (n == 0)
			return false;
	}
	return true;
}

bool
membership_find(struct link *l, const struct provider *p, const char *name, struct findings *f)
{
	struct membership m = { l, p, name, f, mem_calloc(QUESTION_MAX, 1) };
	bool good = ask_for_the_rest(&m);

	if (good && filter_of(p)[0] != '\0') {
		good = template_expand(filter_of(p), TEMPLATE_FILTER, name, f->dn, m.question, QUESTION_MAX);
		if (!good)
			findings_step(f, "group_filter cannot be asked for %.200s", f->dn);
		good = good && ask(&m);
	}
	/* By a filter without %userdn% groups are in none. */
	if (good && p->nested == NESTED_WALK && strstr(p->group_filter, "%userdn%") != NULL)
		good = walk(&m);
	findings_step(f, "%zu groups%s", f->ngroups, f->cut ? ", and more that are left out" : "");
	free(m.question);
	return good;
}
