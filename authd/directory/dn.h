/* Distinguished names that are written differently and mean the same (RFC 4514; compared as RFC 4517 section
 * 4.2.15 has it, with the letters of ASCII alone folded). */
#ifndef WEIR_DIRECTORY_DN_H
#define WEIR_DIRECTORY_DN_H

/* Its normal form: equal names, equal texts. Types in small letters and by the short names of RFC 4514,
 * values in small letters without spaces that do not count, one way to escape. NULL where it is none. To be
 * freed. */
char *dn_normal(const char *dn);
/* The first value of its first component, as above: "noc" of "CN=NOC,ou=groups,dc=x". NULL where it is none
 * or has no component. To be freed. */
char *dn_first(const char *dn);
/* A value alone, unescaped, as dn_first has it. To be freed. */
char *dn_value(const char *value);

#endif
