/* The table of routes, the page's places, and the redirect of the HTTP port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "page.h"
#include "redirect.h"
#include "routes.h"

#define DIGITS_64 "0123456789012345678901234567890123456789012345678901234567890123"

#define ROUTES 70 /* in the table: none is left out here */

static void
found(void **state)
{
	char segment[SEGMENT_MAX];
	unsigned methods;
	const struct route *r = route_find("/api/v1/hosts", METHOD_GET, segment, &methods);

	(void)state;
	assert_non_null(r);
	assert_string_equal(segment, "");
	assert_int_equal(r->flags & ROUTE_SESSION, ROUTE_SESSION);
	assert_non_null(route_find("/api/v1/hosts/2001%3adb8::1", METHOD_GET, segment, &methods));
	assert_string_equal(segment, "2001:db8::1");
	assert_null(route_find("/api/v1/setup", 0, segment, &methods));
	assert_int_equal(methods, METHOD_GET | METHOD_POST);
	assert_null(route_find("/api/v1/logout", METHOD_GET, segment, &methods));
	assert_int_equal(methods, METHOD_POST);
}

static void
not_found(void **state)
{
	static const char *const none[] = {
		"",
		"/",
		"/api/v1",
		"/api/v1/",
		"/api/v1/host",
		"/api/v1/hostss",
		"/api/v1/hosts/",
		"/api/v1/hosts/a/b",
		"/api/v1/hosts/%zz",
		"/api/v1/hosts/%00",
		"/api/v1/flows/{}/",
		"/api/v2/hosts",
		"/API/v1/hosts",
		"//api/v1/hosts",
		"/api/v1//hosts",
		"/api/v1/{}",
		"/api/v1/users//password",
		"/api/v1/users/a/b/password",
		"/api/v1/users/a/passwords",
		("/api/v1/hosts/" DIGITS_64 DIGITS_64),
	};
	char segment[SEGMENT_MAX];
	unsigned methods;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		assert_null(route_find(none[i], METHOD_GET, segment, &methods));
		assert_int_equal(methods, 0);
	}
}

/* Everything that changes something needs a token of CSRF, and everything else but a few needs a session.
 * What is a person's own business no token may do. */
static void
conditions(void **state)
{
	static const unsigned all[] = { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE };
	static const char *const open[] = { "/health",
					    "/openapi.json",
					    "/setup",
					    "/login",
					    "/login/second-factor",
					    "/session/providers",
					    "/session/oidc/x/start",
					    "/session/oidc/x/callback",
					    "/session/oidc/x/end",
					    "/session/oidc/x/backchannel" };
	static const char *const paths[] = { "/health",
					     "/openapi.json",
					     "/setup",
					     "/login",
					     "/login/second-factor",
					     "/session/providers",
					     "/session/oidc/x/start",
					     "/session/oidc/x/callback",
					     "/session/oidc/x/end",
					     "/session/oidc/x/backchannel",
					     "/logout",
					     "/interfaces",
					     "/hosts",
					     "/hosts/x",
					     "/devices",
					     "/flows",
					     "/flows/x",
					     "/applications",
					     "/categories",
					     "/networks",
					     "/as",
					     "/countries",
					     "/timeseries",
					     "/timeseries/subjects",
					     "/totals",
					     "/live",
					     "/flows/live",
					     "/alerts/live",
					     "/me",
					     "/me/password",
					     "/me/second-factor",
					     "/me/second-factor/confirm",
					     "/me/second-factor/recovery",
					     "/me/second-factor/remove",
					     "/tenants",
					     "/tenants/x",
					     "/users",
					     "/users/x",
					     "/users/x/password",
					     "/users/x/second-factor",
					     "/groups",
					     "/groups/x",
					     "/sessions",
					     "/sessions/x",
					     "/tokens",
					     "/tokens/x",
					     "/labels",
					     "/watched",
					     "/audit",
					     "/audit/anchor",
					     "/keys/x/rotate",
					     "/settings",
					     "/version",
					     "/alerts",
					     "/search",
					     "/apply" };
	char path[64], segment[SEGMENT_MAX];
	unsigned methods, seen = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		for (size_t m = 0; m < ARRAY_LEN(all); m++) {
			const struct route *r;
			bool is_open = false, own = strncmp(paths[i], "/me/", 4) == 0;

			assert_true(snprintf(path, sizeof(path), "/api/v1%s", paths[i]) > 0);
			r = route_find(path, all[m], segment, &methods);
			if (r == NULL)
				continue;
			seen++;
			for (size_t k = 0; k < ARRAY_LEN(open); k++)
				is_open = is_open || strcmp(open[k], paths[i]) == 0;
			assert_true(is_open == ((r->flags & ROUTE_SESSION) == 0));
			assert_true(!own || (r->flags & ROUTE_PERSON) != 0);
			assert_string_equal(segment, strstr(r->path, "{}") != NULL ? "x" : "");
			if (all[m] != METHOD_GET)
				assert_true((r->flags & (ROUTE_CSRF | ROUTE_LOGIN | ROUTE_FORM)) != 0);
			else
				assert_true((r->flags & (ROUTE_CSRF | ROUTE_LOGIN | ROUTE_BODY)) == 0);
			assert_true((r->named == NULL) == (r->op == NULL || segment[0] == '\0'));
		}
	assert_int_equal(seen, ROUTES);
}

static void
page(void **state)
{
	const struct page_file *index = page_find("/");

	(void)state;
	assert_non_null(index);
	assert_string_equal(index->path, "/index.html");
	assert_ptr_equal(page_find("/index.html"), index);
	assert_ptr_equal(page_find("/hosts/fe80::1"), index);
	assert_ptr_equal(page_find("/hosts/10.77.0.1"), index);
	assert_ptr_equal(page_find("/applications/TLS.Google"), index);
	assert_null(page_find("/none.js"));
	assert_null(page_find("/assets/../index.html"));
	assert_null(page_find("/.git/config"));
	for (size_t i = 0; i < page_nfiles; i++) {
		assert_ptr_equal(page_find(page_files[i].path), &page_files[i]);
		assert_true(page_files[i].data < page_files[i].data_end);
		assert_true(page_files[i].gzip <= page_files[i].gzip_end);
	}
}

static const char *
redirect(const char *head, unsigned port)
{
	static char out[REDIRECT_ANSWER_MAX];
	size_t n = redirect_answer(head, strlen(head), port, out);

	assert_true(n > 0 && n < sizeof(out));
	assert_memory_equal(out + n - 4, "\r\n\r\n", 4);
	out[n] = '\0';
	return out;
}

static void
redirects(void **state)
{
	static const char *const bad[] = { "",
					   "\r\n\r\n",
					   "GET / HTTP/1.1\r\n\r\n",
					   "GET / HTTP/1.1\r\nHost:\r\n\r\n",
					   "GET /\r\nHost: a\r\n\r\n",
					   "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
					   "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
					   "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
					   "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
					   "GET /\rX:y HTTP/1.1\r\nHost: a\r\n\r\n",
					   "GET / HTTP/1.1\r\nHost: a\rX\r\n\r\n",
					   "GET / x HTTP/1.1\r\nHost: a\r\n\r\n" };

	(void)state;
	assert_non_null(strstr(redirect("GET /a?b=c HTTP/1.1\r\nHost: weir.example\r\n\r\n", 3001),
			       "\r\nLocation: https://weir.example:3001/a?b=c\r\n"));
	assert_non_null(strstr(redirect("GET / HTTP/1.1\r\nX: y\r\nHost: [::1]:3000\r\n\r\n", 443),
			       "\r\nLocation: https://[::1]/\r\n"));
	assert_non_null(strstr(redirect("GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", 3001),
			       "\r\nLocation: https://[::1]:3001/\r\n"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(strncmp(redirect(bad[i], 3001), "HTTP/1.1 400 ", 13), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found), cmocka_unit_test(not_found), cmocka_unit_test(conditions),
		cmocka_unit_test(page),  cmocka_unit_test(redirects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
