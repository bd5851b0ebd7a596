/* The blocks of pcapng (draft-ietf-opsawg-pcapng): a part of format.h. */
#ifndef WEIR_CAPTURE_PCAPNG_H
#define WEIR_CAPTURE_PCAPNG_H

#include "format.h"

#define PCAPNG_SECTION 0x0a0d0d0au /* type of a section header: the same in either byte order */

/* As format_next. */
enum format_step pcapng_next(struct format *m, const uint8_t *bytes, size_t len, struct frame *f,
			     uint64_t *used);

#endif
