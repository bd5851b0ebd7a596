/* A store for fuzz targets. */
#include "store_fuzz.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest.h"
#include "whose.h"

/* Tables are pages of their own (mem_pages), where a leak checker does not look for pointers. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

static struct boot boot;
static struct store *store;
static uint8_t public_key[32], secret_key[64];

static void
need(bool ok, const char *what)
{
	if (!ok)
		fatalx("fuzz: %s", what);
}

static void
make_boot(void)
{
	settings_default(&boot.settings);
	boot.settings.store_size = 64 << 20;
	boot.settings.max_flows = 1024;
	boot.settings.max_hosts = 1024;
	boot.proc = PROC_STORE;
	boot.npoints = 2;
	for (uint32_t i = 0; i < 2; i++) {
		boot.peers[boot.npeers++] = (struct boot_peer){ .proc = PROC_ENGINE, .instance = i };
		boot.peers[boot.npeers++] = (struct boot_peer){ .proc = PROC_HTTPD, .instance = i };
		boot.peers[boot.npeers++] = (struct boot_peer){ .proc = PROC_WEIR, .instance = i };
	}
	boot.peers[boot.npeers++] = (struct boot_peer){ .proc = PROC_AUTHD };
	boot.peers[boot.npeers++] = (struct boot_peer){ .proc = PROC_DIAL };
	boot.points[0] = (struct boot_point){ .id = FUZZ_ETH0, .kind = POINT_INTERFACE, .name = "eth0" };
	boot.points[1] = (struct boot_point){ .id = FUZZ_FILE, .kind = POINT_FILE, .name = "one.pcap" };
}

static void
give_policy(void)
{
	static const struct tenant t = { .number = FUZZ_TENANT, .name = "one" };
	static const struct tenant_selector sel = { .tenant = FUZZ_TENANT, .vlan = UINT32_MAX };
	struct wire_grant_keys keys = { .n = 1 };
	struct wire_grant_ids set = { .begin = 1, .end = 1 };
	struct snapshot_builder *b = snapshot_builder_new(1);
	char eth0[1][64] = { "eth0" };
	struct ip_prefix net = { ip_from_v4((const uint8_t[4]){ 10, 1, 0, 0 }), 96 + 25 };
	const struct narrowing parts[2] = { { .number = 1, .interfaces = eth0, .ninterfaces = 1 },
					    { .number = 2, .networks = &net, .nnetworks = 1 } };
	uint64_t full = 0;
	size_t len;

	crypto_sign_keypair(public_key, secret_key);
	memcpy(keys.key[0], public_key, sizeof(public_key));
	need(grants_keys(store->grants, &keys), "keys");
	need(snapshot_add_tenant(b, &t) && snapshot_add_selector(b, &sel) &&
		 snapshot_add_narrowing(b, &parts[0]) && snapshot_add_narrowing(b, &parts[1]),
	     "policy");

	uint8_t *doc = snapshot_finish(&b, secret_key, &len);

	need(doc != NULL && whose_policy(store, 1, doc, len), "snapshot");
	free(doc);
	need(grants_set(store->grants, &set, NULL, clock_utc_ns(), &full), "grants");
}

/* Where the store is, and stays until the end: it opens files as it goes. */
static char dir[64];

static void
clean_up(void)
{
	DIR *d = opendir(".");

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			(void)unlink(e->d_name);
	if (d != NULL)
		closedir(d);
	(void)rmdir(dir);
}

struct store *
fuzz_store(void)
{
	if (store != NULL)
		return store;
	log_init("fuzz", LOG_LEVEL_ERROR);
	need(sodium_init() >= 0, "libsodium");
	/* On memory, where there is such a directory: what is written waits for no disk. */
	(void)snprintf(dir, sizeof(dir), "%s/weir-store-fuzz-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	need(mkdtemp(dir) != NULL && chdir(dir) == 0 && atexit(clean_up) == 0, "directory");
	make_boot();
	store = store_new(&boot);
	give_policy();
	return store;
}

size_t
fuzz_grant(uint32_t tenant, unsigned part, uint8_t out[GRANT_BYTES_MAX])
{
	struct grant g = {
		.audience_proc = PROC_HTTPD, .tenant = tenant, .snapshot = 1, .scopes = UINT64_MAX
	};
	struct wire_grant_live l;
	uint64_t full = 0;

	g.role = tenant == TENANT_PLATFORM ? ROLE_PLATFORM_ADMINISTRATOR : ROLE_VIEWER;
	g.issued_ns = clock_utc_ns() - NS_PER_S;
	g.expires_ns = g.issued_ns + 50 * NS_PER_S;
	memset(g.id, (int)(tenant + 1 + (part << 4)), sizeof(g.id));
	g.masked = (part & FUZZ_MASKED) != 0;
	need((part & FUZZ_ETH0_ONLY) == 0 || grant_narrow(&g, 1), "narrowing");
	need((part & FUZZ_NET_ONLY) == 0 || grant_narrow(&g, 2), "narrowing");
	str_copy(g.subject, sizeof(g.subject), "user:fuzz");
	memcpy(l.id, g.id, sizeof(l.id));
	l.expires_ns = g.expires_ns;
	grants_add(store->grants, &l, clock_utc_ns(), &full);
	grants_heard(store->grants, clock_boot_ns());
	return grant_sign(&g, secret_key, out, GRANT_BYTES_MAX);
}

struct engine *
fuzz_engine(unsigned i)
{
	struct engine *e = &fuzz_store()->engine[i];

	memset(e->name, 0, sizeof(e->name));
	for (unsigned k = NAME_APPLICATION; k < NAME_KIND_COUNT; k++) {
		const uint16_t kind = (uint16_t)k;

		for (uint16_t n = 1; n <= 3; n++) {
			struct {
				struct rec_name n;
				char text[1];
			} r = { { kind, n, 0, 1 }, { (char)('a' + n) } };

			need(ingest_record(store, e, REC_NAME, &r, sizeof(r.n) + 1) == NULL, "names");
		}
	}
	return e;
}
