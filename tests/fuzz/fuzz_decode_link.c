/* Any link layer: the first byte chooses it, the second says how much was not captured. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t links[] = { LINK_NULL,
				  LINK_ETHERNET,
				  LINK_SLIP,
				  LINK_PPP,
				  LINK_FDDI,
				  LINK_PPP_HDLC,
				  LINK_PPP_ETHER,
				  LINK_ATM_RFC1483,
				  LINK_RAW,
				  LINK_CHDLC,
				  LINK_WLAN,
				  LINK_FRELAY,
				  LINK_LOOP,
				  LINK_ENC,
				  LINK_SLL,
				  LINK_PFLOG,
				  LINK_PRISM,
				  LINK_RADIOTAP,
				  LINK_APPLE_1394,
				  LINK_WLAN_AVS,
				  LINK_PPP_PPPD,
				  LINK_PPI,
				  LINK_PPP_WITH_DIRECTION,
				  LINK_CHDLC_WITH_DIRECTION,
				  LINK_FRELAY_WITH_DIRECTION,
				  LINK_MPLS,
				  LINK_IPV4,
				  LINK_IPV6,
				  LINK_NFLOG,
				  LINK_IPOIB,
				  LINK_PKTAP,
				  LINK_SLL2,
				  LINK_DSA_BROADCOM,
				  LINK_DSA_BROADCOM_IN_FRONT,
				  LINK_DSA,
				  LINK_DSA_ETHERTYPE,
				  147 };

static void
run(const uint8_t *data, size_t size)
{
	struct fuzz_frame f = fuzz_frame_of(NULL, 0, data + 2, size - 2);

	fuzz_views(links[data[0] % (sizeof(links) / sizeof(links[0]))], &f, data[1]);
	free(f.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 2 && size <= FUZZ_FRAME_MAX - 64)
		run(data, size);
	return 0;
}
