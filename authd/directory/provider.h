/* The settings of a directory, as authd hands them over: an object of JSON, without secrets. */
#ifndef WEIR_DIRECTORY_PROVIDER_H
#define WEIR_DIRECTORY_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

struct json_doc;

#define PROVIDER_GROUPS_MAX 32

enum nested_groups {
	NESTED_NONE,
	NESTED_WALK, /* group by group, by group_filter */
	NESTED_CHAIN /* Active Directory's matching rule, in one question */
};

/* Texts are the document's; none is NULL. */
struct provider {
	struct json_doc *doc;
	bool tls;                 /* must be, by ldaps or StartTLS: true unless "tls": false */
	const char *authorities;  /* PEM; "": the machine's */
	const char *bind_dn;      /* whom Weir binds as; "": nobody */
	const char *direct;       /* a user binds by himself, as this: "%username%@ad.example.com"; "": no */
	const char *base;         /* below which users are */
	const char *user_filter;  /* "(uid=%username%)" */
	const char *title;        /* attribute with a person's name: "cn" */
	const char *group_base;   /* "": base */
	const char *group_filter; /* "(member=%userdn%)"; "": only what memberOf says */
	enum nested_groups nested;
	/* That count, as the administrator wrote them: distinguished names, or the values of their first
	 * components. */
	const char *group[PROVIDER_GROUPS_MAX];
	size_t ngroups;
};

/* False with a sentence that names the member. */
bool provider_read(const char *text, size_t len, struct provider *p, char *err, size_t errsize);
void provider_free(struct provider *p);

#endif
