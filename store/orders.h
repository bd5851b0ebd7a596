/*
 * The orders of long live lists that somebody looks at. One is made of all rows of its list in bounded steps
 * beside other work, put in order by a worker thread, and made anew about every second while it is asked for.
 * Bounded in memory: the one that nobody asked for for longest makes room.
 */
#ifndef WEIR_STORE_ORDERS_H
#define WEIR_STORE_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "live_rows.h"

struct orders;

#define ORDERS_BYTES_MAX (UINT64_C(1) << 30)
#define ORDERS_ROWS_FEW  4096u /* a list with fewer rows is looked through for each question */

enum order_found {
	ORDER_READY,
	ORDER_SOON,   /* it is being made: ask again once orders_turn says that there are new ones */
	ORDER_NO_ROOM /* the list is too long for any order */
};

struct orders *orders_new(void);
/* No job of an order may be under way. */
void orders_free(struct orders **o);
/* Lists with fewer rows than this have no orders; ORDERS_ROWS_FEW where it is not told. */
void orders_set_few(struct orders *o, uint32_t rows);
/* Whether a list is so long that it is shown in an order that is made ahead. */
bool orders_are_for(const struct view *v, enum live_list list);

/* The order of a list of a view that is not narrowed: good until the next turn. */
enum order_found orders_find(struct store *s, const struct view *v, enum live_list list, enum sort_key sort,
			     const struct order **found);
/* What was taken until now is not shown any more: who may see what has changed. */
void orders_expire(struct store *s);
/* A step of the work. True where more of it waits. */
bool orders_turn(struct store *s);
/* Whether orders have become ready since this was asked last. */
bool orders_news(struct orders *o);

#endif
