/* Memberships that providers gave and that the settings of now do not: taken back when authd starts with
 * them, whether the provider answers or not. */
#ifndef WEIR_AUTHD_RECONCILE_H
#define WEIR_AUTHD_RECONCILE_H

struct authd;

/* Looks through all accounts of providers: a line of ldap.groups or oidc[].groups that is gone, a tenant that
 * oidc[].tenants does not name any more, a provider that is not there. What people of OpenID Connect have is
 * what was told when they came last; of the directory's people the next look says the rest (newcomers.h).
 * Until all was written it begins anew with each call; afterwards it does nothing. */
void reconcile(struct authd *a);

#endif
