/*
 * For tests: a wall clock that jumps, for the processes of one Weir and nobody else's. It is preloaded
 * (soak.py says how) and adds to CLOCK_REALTIME what the first eight bytes of the file `ahead` beside it say,
 * in nanoseconds. capture and engine keep the machine's clock, because the kernel stamps frames by that; what
 * an engine does when it is set back is in test_engine_track.
 *
 * The file is mapped before main, so that the sandbox sees nothing of it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

static const _Atomic int64_t *ahead;
static int (*real)(clockid_t, struct timespec *);

static void
find_real(void)
{
	void *f = dlsym(RTLD_NEXT, "clock_gettime");

	memcpy(&real, &f, sizeof(real));
}

/* The file that lies where this library does; false where it has no place. */
static bool
beside_us(char *path, size_t room)
{
	Dl_info us;
	const char *slash;
	int n;

	if (dladdr(&ahead, &us) == 0 || us.dli_fname == NULL || (slash = strrchr(us.dli_fname, '/')) == NULL)
		return false;
	n = snprintf(path, room, "%.*s/ahead", (int)(slash - us.dli_fname), us.dli_fname);
	return n > 0 && (size_t)n < room;
}

__attribute__((constructor)) static void
map_file(void)
{
	const char *name = program_invocation_short_name; /* weir-engine@0, say */
	char path[4096];
	void *at;
	int fd;

	find_real();
	if (strncmp(name, "weir-engine", 11) == 0 || strncmp(name, "weir-capture", 12) == 0)
		return;
	if (!beside_us(path, sizeof(path)) || (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return;
	at = mmap(NULL, sizeof(*ahead), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (at != MAP_FAILED)
		ahead = at;
}

int
clock_gettime(clockid_t id, struct timespec *t)
{
	int64_t ns;
	int rc;

	if (real == NULL) /* another library's constructor asks */
		find_real();
	rc = real(id, t);
	if (rc != 0 || ahead == NULL || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
		return rc;
	ns = (int64_t)t->tv_sec * NS_PER_S + t->tv_nsec + atomic_load(ahead);
	t->tv_sec = ns / NS_PER_S;
	t->tv_nsec = ns % NS_PER_S;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (out != NULL)
		*out = t.tv_sec;
	return t.tv_sec;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	tv->tv_sec = t.tv_sec;
	tv->tv_usec = t.tv_nsec / 1000;
	return 0;
}
