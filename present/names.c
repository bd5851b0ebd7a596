/* Numbers as the outside names them. */
#include "present/present.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ipc/boot.h"

const char *
protocol_name(uint8_t protocol, char out[static 8])
{
	/* IANA protocol numbers that are met on networks; the others are shown as numbers. */
	static const struct {
		uint8_t number;
		const char *name;
	} known[] = {
		{ 1, "ICMP" },   { 2, "IGMP" },     { 4, "IPIP" },      { 6, "TCP" },      { 8, "EGP" },
		{ 9, "IGP" },    { 17, "UDP" },     { 33, "DCCP" },     { 41, "IPv6" },    { 46, "RSVP" },
		{ 47, "GRE" },   { 50, "ESP" },     { 51, "AH" },       { 58, "ICMPv6" },  { 88, "EIGRP" },
		{ 89, "OSPF" },  { 97, "ETHERIP" }, { 103, "PIM" },     { 108, "IPCOMP" }, { 112, "VRRP" },
		{ 115, "L2TP" }, { 132, "SCTP" },   { 136, "UDPLite" }, { 137, "MPLS" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].number == protocol)
			return known[i].name;
	(void)snprintf(out, 8, "%u", protocol);
	return out;
}

const char *
flow_state_name(uint8_t state)
{
	static const char *const names[] = { [FLOW_NEW] = "new",
					     [FLOW_ESTABLISHED] = "established",
					     [FLOW_CLOSING] = "closing",
					     [FLOW_CLOSED] = "closed",
					     [FLOW_RESET] = "reset" };
	static_assert(ARRAY_LEN(names) == FLOW_STATE_COUNT, "name every state");

	return state < ARRAY_LEN(names) ? names[state] : "new";
}

const char *
breed_name(uint8_t breed)
{
	static const char *const names[] = {
		[BREED_UNKNOWN] = NULL,
		[BREED_SAFE] = "safe",
		[BREED_ACCEPTABLE] = "acceptable",
		[BREED_FUN] = "fun",
		[BREED_UNSAFE] = "unsafe",
		[BREED_POTENTIALLY_DANGEROUS] = "potentially_dangerous",
		[BREED_DANGEROUS] = "dangerous",
		[BREED_TRACKER_ADS] = "tracker_ads",
		[BREED_UNRATED] = "unrated",
	};
	static_assert(ARRAY_LEN(names) == BREED_COUNT, "name every breed");

	return breed < ARRAY_LEN(names) ? names[breed] : NULL;
}

const char *
confidence_name(uint8_t confidence)
{
	static const char *const names[] = { [CONFIDENCE_UNKNOWN] = NULL,
					     [CONFIDENCE_GUESSED] = "guessed",
					     [CONFIDENCE_PARTIAL] = "partial",
					     [CONFIDENCE_INSPECTED] = "inspected" };
	static_assert(ARRAY_LEN(names) == CONFIDENCE_COUNT, "name every confidence");

	return confidence < ARRAY_LEN(names) ? names[confidence] : NULL;
}

const char *
end_reason_name(uint8_t reason)
{
	static const char *const names[] = {
		[END_NONE] = NULL,           [END_IDLE] = "idle",       [END_ACTIVE] = "active",
		[END_CLOSED] = "closed",     [END_EVICTED] = "evicted", [END_FILE] = "file",
		[END_SHUTDOWN] = "shutdown", [END_LOST] = "lost"
	};
	static_assert(ARRAY_LEN(names) == END_REASON_COUNT, "name every reason");

	return reason < ARRAY_LEN(names) ? names[reason] : NULL;
}

const char *
component_state_name(uint32_t state)
{
	static const char *const names[] = { [COMPONENT_RUNNING] = "running",
					     [COMPONENT_RESTARTING] = "restarting",
					     [COMPONENT_WAITING] = "waiting",
					     [COMPONENT_DEGRADED] = "degraded",
					     [COMPONENT_ENDED] = "ended" };

	return state < ARRAY_LEN(names) && names[state] != NULL ? names[state] : "degraded";
}

const char *
component_warning_text(uint32_t warning)
{
	return warning == WARNING_UNSEALED
		   ? "secrets at rest are not sealed: no master key is set (authd.master_key)"
		   : NULL;
}

const char *
point_state_name(uint32_t state)
{
	static const char *const names[] = {
		[POINT_UP] = "up", [POINT_DOWN] = "down", [POINT_ENDED] = "ended"
	};

	return state < ARRAY_LEN(names) && names[state] != NULL ? names[state] : "down";
}

const char *
flow_id_format(const struct flow_id *id, char out[static 33])
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(id->b); i++) {
		out[2 * i] = hex[id->b[i] >> 4];
		out[2 * i + 1] = hex[id->b[i] & 15];
	}
	out[32] = '\0';
	return out;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
flow_id_parse(const char *text, struct flow_id *id)
{
	struct flow_id made;

	if (strlen(text) != 2 * sizeof(id->b))
		return false;
	for (size_t i = 0; i < sizeof(id->b); i++) {
		int hi = digit(text[2 * i]), lo = digit(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		made.b[i] = (uint8_t)(hi << 4 | lo);
	}
	*id = made;
	return true;
}
