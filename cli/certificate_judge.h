/* Whether two open files are a certificate and its key: found out in a process of its own, which has no
 * rights and can only say what came of it. The launcher itself, which is root, looks into neither. */
#ifndef WEIR_CLI_CERTIFICATE_JUDGE_H
#define WEIR_CLI_CERTIFICATE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pem/pem.h"

/* What that process says, and all that it can say. */
struct certificate_judged {
	uint32_t certificate, key; /* enum pem_fault; key is PEM_GOOD where the certificate is not */
	int64_t ends_s; /* Unix time after which the certificate is not valid; 0 where it is not good */
};

/* Does not move the descriptors' offsets. Waits for the answer, some milliseconds and ten seconds at most.
 * False with a sentence in err where there is none: no process could be had, it died, or it said what cannot
 * be. */
bool certificate_judge(int certificate, int key, struct certificate_judged *out, char *err, size_t errsize);

/* Whether that many bytes are something that it can say. */
bool certificate_judged_can_be(const struct certificate_judged *j, size_t len);

#endif
