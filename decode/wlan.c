/* Wireless frames (802.11) and the headers that captures put in front of them. */
#include "decode/layer.h"

static uint32_t
le16(const uint8_t *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t
le32(const uint8_t *p)
{
	return le16(p + 2) << 16 | le16(p);
}

#define RADIOTAP_TSFT  0x01u
#define RADIOTAP_FLAGS 0x02u
#define RADIOTAP_MORE  0x80000000u /* another word of fields */
#define RADIOTAP_PAD   0x20        /* of the flags: the body of the frame begins at a multiple of 4 */

/* Whether the flags, which stand behind the words of fields and a time of 8 bytes, say that the frame is
 * padded. */
static bool
radiotap_padded(struct rcur c)
{
	const uint8_t *start = c.p, *h;
	uint32_t fields, more;
	size_t at;

	rcur_skip(&c, 4);
	h = rcur_take(&c, 4);
	fields = more = h == NULL ? 0 : le32(h);
	while (more & RADIOTAP_MORE) {
		h = rcur_take(&c, 4);
		more = h == NULL ? 0 : le32(h);
	}
	if (!(fields & RADIOTAP_FLAGS))
		return false;
	if (fields & RADIOTAP_TSFT) {
		at = (size_t)(c.p - start);
		rcur_skip(&c, ((at + 7) & ~(size_t)7) + 8 - at);
	}
	return (rcur_u8(&c) & RADIOTAP_PAD) != 0;
}

enum layer
decode_radiotap(struct decode *d)
{
	struct rcur peek = d->c, header;
	const uint8_t *h = rcur_take(&peek, 8);

	if (h == NULL)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	if (h[0] != 0 || le16(h + 2) < 8)
		return decode_refuse(d, UNDECODED_FRAME_MALFORMED);
	header = rcur_sub(&d->c, le16(h + 2));
	if (header.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	d->wlan_padded = radiotap_padded(header);
	return LAYER_WLAN;
}

/* Per-packet information: its length and the link type of what follows. */
enum layer
decode_ppi(struct decode *d)
{
	const uint8_t *h = rcur_take(&d->c, 8);

	if (h == NULL || le16(h + 2) < 8 || !rcur_skip(&d->c, le16(h + 2) - 8))
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return layer_of_link(d, le32(h + 4));
}

/* Prism's header has 144 bytes, or AVS's stands in its place and says how long it is. */
enum layer
decode_prism(struct decode *d)
{
	struct rcur peek = d->c;
	uint32_t version = rcur_be32(&peek), len = rcur_be32(&peek);

	if (version >> 12 != 0x80211)
		len = 144;
	return rcur_skip(&d->c, len) ? LAYER_WLAN : decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
}

#define DATA_NOTHING   0x40 /* of the first byte: a subtype without data */
#define DATA_QOS       0x80
#define TO_FROM        0x03 /* of the second: which ways it goes */
#define MORE_FRAGMENTS 0x04
#define PROTECTED      0x40
#define HT_CONTROL     0x80
#define AGGREGATE      0x80 /* of the quality of service */

/* The length of a data frame's header; 0: it is cut off. */
static size_t
data_header(const struct decode *d, uint8_t type, uint8_t bits, bool *aggregate)
{
	struct rcur peek = d->c;
	size_t len = 24;

	if ((bits & TO_FROM) == TO_FROM)
		len += 6;
	if (type & DATA_QOS) {
		rcur_skip(&peek, len);
		*aggregate = (rcur_u8(&peek) & AGGREGATE) != 0;
		len += bits & HT_CONTROL ? 6 : 2;
	}
	return peek.bad ? 0 : d->wlan_padded ? (len + 3) & ~(size_t)3 : len;
}

/* Acknowledgements are shorter than the header of data. */
static enum layer
short_frame(struct decode *d)
{
	struct rcur peek = d->c;
	uint8_t type = rcur_u8(&peek);

	return decode_refuse(d, !peek.bad && (type & 0x0c) == 0x04 ? UNDECODED_WLAN_CONTROL
								   : UNDECODED_FRAME_TRUNCATED);
}

/* Data that is not encrypted carries 802.2. Of frames sent as one, the first speaks for all. */
enum layer
decode_wlan(struct decode *d)
{
	struct rcur peek = d->c;
	const uint8_t *h = rcur_take(&peek, 24);
	bool aggregate = false, swapped;
	uint8_t type, bits;
	size_t len;

	if (h == NULL)
		return short_frame(d);
	swapped = d->wlan_swapped && (h[0] & 0x03) != 0; /* there is no such version */
	type = h[swapped];
	bits = h[!swapped];
	if ((type & 0x0f) != 0x08 || type & DATA_NOTHING)
		return decode_refuse(d, UNDECODED_WLAN_CONTROL);
	if (bits & PROTECTED)
		return decode_refuse(d, UNDECODED_WLAN_ENCRYPTED);
	if (bits & MORE_FRAGMENTS || (h[22 + swapped] & 0x0f) != 0)
		return decode_refuse(d, UNDECODED_WLAN_FRAGMENT);
	len = data_header(d, type, bits, &aggregate);
	if (len == 0 || !rcur_skip(&d->c, aggregate ? len + 14 : len))
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	if ((bits & TO_FROM) == 0)
		d->k->mac = h + 4;
	return LAYER_LLC;
}
