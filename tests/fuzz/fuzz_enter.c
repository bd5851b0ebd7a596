/* What weir-enter is told: by the launcher, which descriptor is to stand where; by the service manager, how a
 * process ended; by its unit, which process it is to become. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "descriptors.h"
#include "ipc/unit.h"
#include "manager.h"
#include "unit_process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Places of the input's choice, each with a descriptor or without. */
static void
collect(const uint8_t *data, size_t size)
{
	struct descriptors d;
	struct unit_message m;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert(null != -1);
	descriptors_init(&d);
	for (; size > sizeof(m); data += sizeof(m) + 1, size -= sizeof(m) + 1) {
		int fd = data[sizeof(m)] % 4 == 3 ? -1 : fcntl(null, F_DUPFD_CLOEXEC, 0);
		bool is_place, is_free;

		memcpy(&m, data, sizeof(m));
		is_place = m.value > STDERR_FILENO && m.value < DESCRIPTORS_MAX;
		is_free = is_place && d.fd[m.value] == -1;
		assert(descriptors_take(&d, m.value, fd) == (fd != -1 && is_free));
	}
	for (int n = 0; n < DESCRIPTORS_MAX; n++) {
		assert(d.fd[n] == -1 || n > STDERR_FILENO);
		fd_drop(&d.fd[n]);
	}
	fd_drop(&null);
}

/* Two words, EXIT_CODE and EXIT_STATUS. */
static void
end(const uint8_t *data, size_t size)
{
	AUTO(mem_drop) char *text = mem_calloc(size + 2, 1);
	int32_t status = -1;

	memcpy(text, data, size);
	if (manager_wait_status(text, text + strlen(text) + 1, &status))
		assert(WIFEXITED(status) || WIFSIGNALED(status));
}

/* An argument: what becomes a path is never the word itself. */
static void
become(const uint8_t *data, size_t size)
{
	AUTO(mem_drop) char *text = mem_calloc(size + 1, 1);
	const char *name;

	memcpy(text, data, size);
	name = unit_process(text);
	assert(name == NULL || (name != text && strcmp(name, text) == 0 && strpbrk(name, "/.") == NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 2)
		become(data + 1, size - 1);
	else if (data[0] % 2 == 0)
		collect(data + 1, size - 1);
	else
		end(data + 1, size - 1);
	return 0;
}
