/* Attributes of which a server tells a part at a time: Active Directory, where there are more values than it
 * wants to tell at once (MS-ADTS section 3.1.1.3.1.3.3; 1,500 by default). */
#ifndef WEIR_DIRECTORY_RANGE_H
#define WEIR_DIRECTORY_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	uint32_t first; /* of the values that are told, counted from 0 */
	uint32_t next;  /* from which the others are to be asked for; 0: there are none */
};

/* Reads an attribute description (RFC 4512 section 2.5) as "memberOf;range=0-1499", or ";range=1500-*" at the
 * end. False where it is another attribute's, or has no range. */
bool range_read(const char *description, const char *attribute, struct range *r);
/* What asks for the values from first on. False where it does not fit. */
bool range_write(const char *attribute, uint32_t first, char *out, size_t size);

#endif
