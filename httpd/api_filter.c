/* What a filter may hold, and whether one is sane: for those who help to write one. */
#include <stdlib.h>

#include "api.h"
#include "base/json_write.h"
#include "filter/filter.h"
#include "filter_param.h"
#include "request.h"

#define ANSWER_MAX (64u << 10)

/* What may be written is no secret: only whoever has a filter judged needs a session. */
static void
put_words(struct request *r, uint8_t *program, size_t len)
{
	struct json_writer *w = json_new(ANSWER_MAX);
	struct filter_word word;

	(void)len;
	free(program);
	json_object(w, NULL);
	json_array(w, "words");
	for (size_t i = 0; filter_word_at(i, &word); i++) {
		json_object(w, NULL);
		json_string(w, "word", word.word);
		json_bool(w, "ends", word.has_ends);
		json_string(w, "help", word.help);
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
	reply_json(r, &w);
}

void
api_filter(struct request *r)
{
	filter_param(r, put_words);
}
