/* Names of DNS numbers. */
#include "dns_names.h"

#include <stdio.h>

#include "base/mem.h"

const char *
dns_type_name(uint16_t type, char out[static DNS_NUMBER_TEXT])
{
	static const struct {
		uint16_t type;
		const char *name;
	} known[] = {
		{ 1, "A" },       { 2, "NS" },     { 5, "CNAME" },  { 6, "SOA" },     { 12, "PTR" },
		{ 13, "HINFO" },  { 15, "MX" },    { 16, "TXT" },   { 28, "AAAA" },   { 29, "LOC" },
		{ 33, "SRV" },    { 35, "NAPTR" }, { 39, "DNAME" }, { 41, "OPT" },    { 43, "DS" },
		{ 44, "SSHFP" },  { 46, "RRSIG" }, { 47, "NSEC" },  { 48, "DNSKEY" }, { 50, "NSEC3" },
		{ 52, "TLSA" },   { 64, "SVCB" },  { 65, "HTTPS" }, { 249, "TKEY" },  { 250, "TSIG" },
		{ 251, "IXFR" },  { 252, "AXFR" }, { 255, "ANY" },  { 256, "URI" },   { 257, "CAA" },
		{ 32, "NIMLOC" }, { 10, "NULL" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].type == type)
			return known[i].name;
	(void)snprintf(out, DNS_NUMBER_TEXT, "TYPE%u", (unsigned)type);
	return out;
}

const char *
dns_rcode_name(uint8_t rcode, char out[static DNS_NUMBER_TEXT])
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
					     "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
					     "NXRRSET", "NOTAUTH", "NOTZONE" };

	if (rcode < ARRAY_LEN(names))
		return names[rcode];
	(void)snprintf(out, DNS_NUMBER_TEXT, "RCODE%u", (unsigned)rcode);
	return out;
}
