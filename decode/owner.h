/*
 * The worker that owns a packet. One function for everybody who spreads frames: the reader of files, the
 * kernel (which is given it as a program, capture/fanout.c), and the engines, which have the last word.
 */
#ifndef WEIR_DECODE_OWNER_H
#define WEIR_DECODE_OWNER_H

#include "decode/packet.h"

/*
 * Its arithmetic is what classic BPF has: 32-bit words, wrapping. An address is its four words in network
 * order as the digits of a number. Both addresses and both ports are scrambled each by itself (0 stays 0),
 * and their sum is the same for both directions.
 */
#define OWNER_FOLD  UINT32_C(0x01000193) /* base of the number that an address is */
#define OWNER_FIRST UINT32_C(0x9e3779b1) /* scramble: times this, */
#define OWNER_SHIFT 15                   /* xor itself shifted down, */
#define OWNER_THEN  UINT32_C(0x85ebca77) /* times this */

/*
 * A number in 0..workers-1 (workers >= 1, at most 65536), sealed key or not. Ports count for TCP and UDP
 * only. A fragment whose ports are not known has 0 in both, so its worker is that of the addresses alone:
 * owner_of_addresses.
 */
unsigned owner_of(const struct flow_key *k, unsigned workers);
/* The worker at which the fragments of a datagram meet. */
unsigned owner_of_addresses(const struct flow_key *k, unsigned workers);

#endif
