/* Inside of the launcher: what prepare.c opens, supervise.c keeps running and report.c tells. */
#ifndef WEIR_CLI_LAUNCHER_H
#define WEIR_CLI_LAUNCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "apart.h"
#include "backoff.h"
#include "certificate_files.h"
#include "child_log.h"
#include "geo_files.h"
#include "ipc/boot.h"
#include "ipc/counting.h"
#include "ipc/wire.h"
#include "launch.h"
#include "programs.h"
#include "spawn.h"
#include "state.h"
#include "ticket_keys.h"

struct event;
struct event_base;
struct peers;
struct audit;
struct units;

#define WORKERS_MAX  16
#define HTTPDS_MAX   8
#define CHILDREN_MAX (5 + WORKERS_MAX + HTTPDS_MAX + BOOT_POINTS_MAX)

struct child {
	struct launcher *l;
	enum proc proc;
	unsigned instance;
	uid_t uid;
	gid_t gid;
	char name[32];            /* "weir-engine@0" */
	char path[BOOT_PATH_MAX]; /* of its socket; empty where each of its peers has one apart */
	struct apart apart[BOOT_APART_MAX];
	unsigned napart;
	const struct launch_point *point; /* capture: what it reads */
	struct spawn spawn;               /* descriptors 3 and 2 are filled in at each start */
	pid_t pid;                        /* 0: not running */
	int64_t started_ms;
	struct backoff backoff;
	struct event *timer;    /* of the next start, or of the next look at its interface */
	struct event *readable; /* of its standard error */
	int log;
	struct child_log lines;
	char last_line[CHILD_LINE_MAX]; /* of the reader of a file */
	struct wire_component component;
};

enum stop_phase {
	STOP_NOT,
	STOP_CAPTURE,
	STOP_ENGINE,
	STOP_HTTPD,
	STOP_KEY,
	STOP_DIAL,
	STOP_DIRECTORY,
	STOP_AUTHD,
	STOP_STORE,
	STOP_DONE
};

struct launcher {
	struct launch *launch;
	const struct settings *settings;
	uint32_t uid_base;
	uint32_t admin_gid; /* of the setting authd.admin_group; 0: none */
	struct event_base *base;
	struct event *signals[4];
	struct event *deadline; /* of the stop phase at hand */
	enum stop_phase stop;
	int64_t began_ms;
	int status; /* weir's exit status */
	bool truncated;

	int run_directory, run_lock, data_directory, data_lock;
	struct state state;
	uint32_t boot_number;
	struct boot_point points[BOOT_POINTS_MAX];
	int vendors[BOOT_VENDOR_FILES];        /* lists, or -1 */
	int protocols;                         /* rules for engines, or -1 */
	int anchors;                           /* of the audit log, or -1 */
	int authorities;                       /* certificates that vouch for directories, or -1 */
	int master_key;                        /* the file with it, or -1 */
	int bind_password;                     /* likewise */
	int client_secret[OIDC_PROVIDERS_MAX]; /* likewise */
	struct geo_files geo;
	struct certificate_files certificate;
	uint64_t certificates, certificates_told; /* how often it changed; of the last that key has taken */
	struct ticket_keys tickets;
	struct event *look; /* at files that may change */
	unsigned unenforced_looks;
	int tally; /* memory that httpd's workers share, or -1 */
	int https, http, store_directory, authd_directory, listener;
	char programs[PROGRAMS_MAX]; /* folder of the programs */

	unsigned nchildren;
	struct child child[CHILDREN_MAX]; /* in the order in which they are started */
	pid_t asker;

	struct audit *audit;
	struct units *units; /* where units start the processes, else NULL */
	struct boot boot;    /* ours: for the channels */
	struct peers *peers;
	struct process_counters counters;
	struct wire_counters keys; /* weir-key's, as it told them last; all 0: nothing yet */
	bool address_told, link_told, httpd_up, ready_told;
};

/* prepare.c: everything that is opened before anything is given up. False after a line. */
bool prepare(struct launcher *l);
void prepare_undo(struct launcher *l);
/* Opens the file of the master key anew for an authd that starts: `weir key rotate master` puts another in
 * its place. Where there is none any more, authd gets the one before. */
void prepare_master_key(struct launcher *l);

/* plan.c: who each process is, and who its peers are. */
void plan_children(struct launcher *l);
/* How many httpds the settings ask for: 1..HTTPDS_MAX. */
unsigned plan_httpds(const struct settings *s);
/* The user of the first instance of a process. */
uid_t plan_uid(uint32_t uid_base, enum proc proc);
void plan_boot(const struct launcher *l, const struct child *c, uint32_t boot_number, struct boot *b);

/* supervise.c */
void supervise_begin(struct launcher *l);
void supervise_stop(struct launcher *l, int status);
/* For units.c: a new boot document of a process, the caller's to close (-1 with errno); the process has
 * begun; it has ended, with a status of wait(2); it is there and was not to begin. */
int supervise_document(struct child *c);
void supervise_began(struct child *c, pid_t pid);
void supervise_ended(struct child *c, int status);
void supervise_asked(struct child *c);

/* report.c: components to store, the set-up link from authd. */
void report_begin(struct launcher *l);
void report_component(struct launcher *l, const struct child *c);
/* Once a second: what the launcher itself has counted. */
void report_counters(struct launcher *l);
/* An MMDB file has new content: every engine that runs gets it, and those that start later begin with it. */
void report_geo(struct launcher *l, unsigned index);
/* Fills in the descriptors that engines start with. */
void plan_geo(struct launcher *l);
/* The certificate is another one: key gets it and its private key, and every httpd gets it when key has it;
 * those that start later begin with it. */
void report_certificate(struct launcher *l);
/* Keys of session tickets have changed: every httpd that runs gets them; one that starts, when it connects.
 */
void report_ticket_keys(struct launcher *l);
/* Fills in the descriptors that key and httpd start with. */
void plan_certificate(struct launcher *l);

#endif
