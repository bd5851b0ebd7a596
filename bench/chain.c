#include "chain.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define SLOT_STORE   1u
#define SLOT_ENGINE  16u
#define SLOT_CAPTURE 64u
#define PROCS_MAX    (CHAIN_ENGINES + 2)

struct proc_row {
	struct boot boot;
	const char *program; /* path, or NULL for a stand-in */
	void (*stand_in)(const struct boot *b, struct chain_stats *s);
	int listener, cpu;
	bool raw; /* gets CAP_NET_RAW */
	pid_t pid;
	int status; /* as waitpid gave it; valid when pid is 0 again */
};

static struct chain {
	char dir[64];
	const char *bin, *interface, *file;
	bool real_engine, unprivileged;
	int capture_cpu, engine_cpu;
	struct settings settings;
	struct chain_stats *stats;
	struct proc_row row[PROCS_MAX]; /* 0 is capture, 1 the store, then the engines */
	unsigned n;
} chain;

/* A number of the command line; dies where it is none. */
static long
number(const char *text)
{
	char *end;
	long v = strtol(text, &end, 10);

	if (end == text || *end != '\0')
		fatalx("\"%s\" is not a number", text);
	return v;
}

static void
path_of(char *out, size_t size, enum proc proc, unsigned instance)
{
	(void)snprintf(out, size, "%s/%s-%u.sock", chain.dir, proc_name(proc), instance);
}

static int
listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd == -1 || !str_copy(a.sun_path, sizeof(a.sun_path), path) ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)) == -1 || listen(fd, 16) == -1 ||
	    chmod(path, 0666) == -1)
		fatal("cannot listen at %s", path);
	return fd;
}

static struct proc_row *
add_row(enum proc proc, unsigned instance, unsigned slot)
{
	struct proc_row *r = &chain.row[chain.n++];
	char path[BOOT_PATH_MAX];

	r->boot.proc = (uint32_t)proc;
	r->boot.instance = instance;
	r->boot.uid = (uint32_t)chain.settings.first_uid + slot;
	r->boot.node = 1;
	r->boot.boot = (uint32_t)getpid();
	r->boot.settings = chain.settings;
	r->boot.npoints = 1;
	r->boot.points[0].id = 1;
	r->boot.points[0].kind = chain.interface != NULL ? POINT_INTERFACE : POINT_FILE;
	(void)snprintf(r->boot.points[0].name, sizeof(r->boot.points[0].name), "%s",
		       chain.interface != NULL ? chain.interface : chain.file);
	r->cpu = -1;
	path_of(path, sizeof(path), proc, instance);
	r->listener = listen_at(path);
	return r;
}

static void
add_peer(struct proc_row *r, const struct proc_row *peer)
{
	struct boot_peer *p = &r->boot.peers[r->boot.npeers++];

	p->proc = peer->boot.proc;
	p->instance = peer->boot.instance;
	p->uid = peer->boot.uid;
	p->connect = 1;
	path_of(p->path, sizeof(p->path), (enum proc)p->proc, p->instance);
}

static void
become(const struct proc_row *r)
{
	static const cap_value_t raw = CAP_NET_RAW;
	cap_t caps = cap_init();
	uid_t uid = r->boot.uid;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1 || setgroups(0, NULL) == -1 ||
	    setresgid(uid, uid, uid) == -1 || setresuid(uid, uid, uid) == -1)
		fatal("cannot become uid %u: run as root", uid);
	if (r->raw && (cap_set_flag(caps, CAP_PERMITTED, 1, &raw, CAP_SET) == -1 ||
		       cap_set_flag(caps, CAP_EFFECTIVE, 1, &raw, CAP_SET) == -1 ||
		       cap_set_flag(caps, CAP_INHERITABLE, 1, &raw, CAP_SET) == -1))
		fatal("capabilities");
	if (cap_set_proc(caps) == -1 ||
	    (r->raw && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) == -1))
		fatal("cannot keep CAP_NET_RAW");
	cap_free(caps);
}

/* Moves a descriptor to its fixed number, open across exec. */
static void
put_fd(int fd, int at)
{
	if (fd != -1 && dup2(fd, at) == -1)
		fatal("descriptor %d", at);
}

static _Noreturn void
child(struct proc_row *r)
{
	int null = open("/dev/null", O_RDWR);
	int document = fcntl(boot_memfd(&r->boot), F_DUPFD, 100);
	int listener = fcntl(r->listener, F_DUPFD, 100);
	int file = r->boot.proc != PROC_CAPTURE || chain.file == NULL
		       ? -1
		       : fcntl(open(chain.file, O_RDONLY), F_DUPFD, 100);
	cpu_set_t cpus;

	put_fd(null, 0);
	put_fd(null, 1);
	put_fd(document, BOOT_FD_DOCUMENT);
	put_fd(listener, BOOT_FD_LISTEN);
	put_fd(file, BOOT_FD_FILE);
	close_range(file == -1 ? 5 : 6, ~0U, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (r->cpu >= 0) {
		CPU_ZERO(&cpus);
		CPU_SET((unsigned)r->cpu, &cpus);
		(void)sched_setaffinity(0, sizeof(cpus), &cpus);
	}
	become(r);
	if (r->program == NULL) {
		r->stand_in(&r->boot, chain.stats);
		_exit(1);
	}
	execl(r->program, r->program, (char *)NULL);
	fatal("cannot run %s", r->program);
}

static void
start(struct proc_row *r)
{
	r->pid = fork();
	if (r->pid == -1)
		fatal("fork");
	if (r->pid == 0)
		child(r);
}

static void
print_stats(const char *what)
{
	const struct chain_stats *s = chain.stats;
	uint64_t kernel = s->kernel_drops, ring = s->ring_drops, merged = 0, truncated = 0, put = 0;

	for (unsigned i = 0; i < CHAIN_ENGINES; i++) {
		kernel += s->counters[i].kernel_drops;
		ring += s->counters[i].ring_drops;
		merged += s->counters[i].merged;
		truncated += s->counters[i].truncated;
		put += s->counters[i].frames;
	}
	printf("{\"what\":\"%s\",\"rings\":%lu,\"frames\":%lu,\"bytes\":%lu,\"put\":%lu,\"kernel_drops\":%lu,"
	       "\"ring_drops\":%lu,"
	       "\"other_drops\":%lu,\"merged\":%lu,\"truncated\":%lu,\"ends\":%lu,\"end_frames\":%lu,\"end_"
	       "bytes\":%lu,"
	       "\"truncated_ends\":%lu,\"link_type\":%lu,\"engine_packets\":%lu,\"engine_undecoded\":%lu,"
	       "\"flows_ended\":%lu,"
	       "\"processes\":[",
	       what, s->rings, s->frames, s->bytes, put, kernel, ring, s->other_drops, merged, truncated,
	       s->ends, s->end_frames, s->end_bytes, s->truncated_ends, s->link_type, s->engine_packets,
	       s->engine_undecoded, s->flows_ended);
	for (unsigned i = 0; i < chain.n; i++) {
		const struct proc_row *r = &chain.row[i];

		printf("%s{\"name\":\"%s@%u\",\"pid\":%d", i > 0 ? "," : "",
		       proc_name((enum proc)r->boot.proc), r->boot.instance, r->pid);
		if (r->pid == 0 && WIFEXITED(r->status))
			printf(",\"exit\":%d", WEXITSTATUS(r->status));
		if (r->pid == 0 && WIFSIGNALED(r->status))
			printf(",\"signal\":%d", WTERMSIG(r->status));
		printf("}");
	}
	printf("]}\n");
	fflush(stdout);
}

/* Collects the dead; says so when one is. */
static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < chain.n; i++) {
			if (chain.row[i].pid != pid)
				continue;
			chain.row[i].pid = 0;
			chain.row[i].status = status;
			print_stats("exit");
		}
	}
}

static void
stop(void)
{
	/* Capture first, so that the engines still count what it put into their rings. */
	for (unsigned i = 0; i < chain.n; i++) {
		struct proc_row *r = &chain.row[i == 0 ? 0 : chain.n - i];

		if (r->pid == 0)
			continue;
		kill(r->pid, SIGTERM);
		if (waitpid(r->pid, &r->status, 0) == r->pid)
			r->pid = 0;
	}
	print_stats("stopped");
}

/* Commands on standard input: stats, restart NAME@N, capture (starts it again), quit. */
static bool
command(char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "stats") == 0)
		print_stats("stats");
	if (strcmp(line, "capture") == 0 && chain.row[0].pid == 0)
		start(&chain.row[0]);
	if (strncmp(line, "restart engine@", 15) == 0) {
		struct proc_row *r = &chain.row[2 + number(line + 15)];

		if (r->pid != 0) {
			kill(r->pid, SIGKILL);
			(void)waitpid(r->pid, &r->status, 0);
		}
		start(r);
	}
	return strcmp(line, "quit") != 0;
}

static void
serve(void)
{
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	char line[128];
	uint64_t rings = 0;

	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		uint64_t now = chain.stats->rings;

		if (now != rings) {
			rings = now;
			print_stats("ring");
		}
		reap();
		if (poll(&p, 1, 20) == 1 && (fgets(line, sizeof(line), stdin) == NULL || !command(line)))
			return;
	}
}

static void
build(void)
{
	static char capture[512], engine[512];
	struct proc_row *c, *s;

	(void)snprintf(capture, sizeof(capture), "%s/weir-capture", chain.bin);
	(void)snprintf(engine, sizeof(engine), "%s/weir-engine", chain.bin);
	c = add_row(PROC_CAPTURE, 0, SLOT_CAPTURE);
	c->program = capture;
	c->raw = chain.interface != NULL && !chain.unprivileged;
	c->cpu = chain.capture_cpu;
	s = add_row(PROC_STORE, 0, SLOT_STORE);
	s->stand_in = chain_store;
	for (unsigned w = 0; w < chain.settings.workers; w++) {
		struct proc_row *e = add_row(PROC_ENGINE, w, SLOT_ENGINE + w);

		e->program = chain.real_engine ? engine : NULL;
		e->stand_in = chain_engine;
		e->cpu = chain.engine_cpu;
		add_peer(c, e);
		add_peer(e, c);
		if (chain.real_engine) {
			add_peer(s, e);
			add_peer(e, s);
		}
	}
}

static void
options(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "bin", 1, NULL, 'b' },         { "interface", 1, NULL, 'i' },    { "file", 1, NULL, 'f' },
		{ "engine", 0, NULL, 'e' },      { "unprivileged", 0, NULL, 'u' }, { "set", 1, NULL, 's' },
		{ "capture-cpu", 1, NULL, 'c' }, { "engine-cpu", 1, NULL, 'g' },   { NULL, 0, NULL, 0 }
	};
	char err[256];
	int o;

	chain.bin = ".";
	chain.capture_cpu = chain.engine_cpu = -1;
	settings_default(&chain.settings);
	while ((o = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		char *eq;

		switch (o) {
		case 'b':
			chain.bin = optarg;
			break;
		case 'i':
			chain.interface = optarg;
			break;
		case 'f':
			chain.file = optarg;
			break;
		case 'e':
			chain.real_engine = true;
			break;
		case 'u': /* to see what weir-capture says then */
			chain.unprivileged = true;
			break;
		case 'c':
			chain.capture_cpu = (int)number(optarg);
			break;
		case 'g':
			chain.engine_cpu = (int)number(optarg);
			break;
		case 's':
			eq = strchr(optarg, '=');
			if (eq != NULL)
				*eq = '\0';
			if (eq == NULL || !settings_set(&chain.settings, optarg, eq + 1, err, sizeof(err)))
				fatalx("--set KEY=VALUE: %s", eq == NULL ? optarg : err);
			break;
		default:
			fatalx("usage: bench_chain --bin DIR (--interface IF | --file FILE) [--engine] "
			       "[--set KEY=VALUE]...");
		}
	}
	if ((chain.interface == NULL) == (chain.file == NULL))
		fatalx("one of --interface and --file");
}

int
main(int argc, char **argv)
{
	log_init("bench_chain", LOG_LEVEL_INFO);
	options(argc, argv);
	(void)snprintf(chain.dir, sizeof(chain.dir), "/tmp/weir-bench-XXXXXX");
	if (mkdtemp(chain.dir) == NULL || chmod(chain.dir, 0711) == -1)
		fatal("cannot make a directory for sockets");
	chain.stats =
	    mmap(NULL, sizeof(*chain.stats), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (chain.stats == MAP_FAILED)
		fatal("memory");
	build();
	for (unsigned i = 1; i < chain.n; i++)
		start(&chain.row[i]);
	start(&chain.row[0]);
	serve();
	stop();
	for (unsigned i = 0; i < chain.n; i++) {
		char path[BOOT_PATH_MAX];

		path_of(path, sizeof(path), (enum proc)chain.row[i].boot.proc, chain.row[i].boot.instance);
		unlink(path);
	}
	rmdir(chain.dir);
	return 0;
}
