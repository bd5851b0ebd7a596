/* Chooses the worker of a frame of a capture file (interfaces leave that to the kernel's fanout). */
#ifndef WEIR_CAPTURE_STEER_H
#define WEIR_CAPTURE_STEER_H

#include <stddef.h>
#include <stdint.h>

/*
 * A number in 0..workers-1 (workers >= 1), from the outermost IP addresses alone: both directions and all
 * fragments of a conversation give the same. 0 for what is not IP, is cut before its addresses, or has a link
 * type that is not looked into. link_type is a LINKTYPE_ number. Reads at most len bytes and a bounded number
 * of tags.
 */
unsigned steer_worker(uint32_t link_type, const uint8_t *bytes, size_t len, unsigned workers);

#endif
