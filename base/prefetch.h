/*
 * Asking for memory before it is needed.
 *
 * A function that does nothing else has no effect in the eyes of GCC, which leaves out each call of it that
 * it does not inline (seen with link-time optimisation: what the engine asks for ahead of flows that end was
 * never asked for). prefetch_only() in such a function is an effect, and costs nothing.
 */
#ifndef WEIR_BASE_PREFETCH_H
#define WEIR_BASE_PREFETCH_H

static inline void
prefetch_only(void)
{
	__asm__ volatile("");
}

#endif
