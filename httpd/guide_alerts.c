/* Alerts: nothing raises any yet, so every list of them is empty, and says so in ntopng's shape. */
#include "guide.h"

void
guide_alerts(struct guide *g)
{
	struct json_writer *w = guide_begin();

	json_uint(w, "recordsTotal", 0);
	json_uint(w, "recordsFiltered", 0);
	json_object(w, "rsp");
	json_array(w, "records");
	json_array_end(w);
	json_array(w, "stats");
	json_array_end(w);
	json_object_end(w);
	guide_answer(g, &w);
}
