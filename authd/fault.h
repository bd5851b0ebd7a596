/* What is wrong with a request: the first thing that was found, by the path of its member. */
#ifndef WEIR_AUTHD_FAULT_H
#define WEIR_AUTHD_FAULT_H

#include <stdbool.h>

#define FIELD_MAX 160

struct fault {
	bool set;
	char field[FIELD_MAX]; /* "access[2].networks[0]" */
	char detail[200];      /* a sentence for whoever sent it */
};

#endif
