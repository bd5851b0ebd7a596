/*
 * What a process is told by whoever starts it (the launcher, later systemd's units): who it is, who its peers
 * are, and the settings. It comes as a sealed memfd at a fixed descriptor; nothing secret is in it.
 */
#ifndef WEIR_IPC_BOOT_H
#define WEIR_IPC_BOOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/settings.h"
#include "ipc/proc.h"

/* Descriptors at start. 0 and 1 are /dev/null, 2 is the log. Everything else is closed before exec. */
enum boot_fd {
	BOOT_FD_DOCUMENT = 3,
	BOOT_FD_LISTEN = 4, /* the process's own Unix socket, SOCK_SEQPACKET, listening; not dial's */
	BOOT_FD_TOLD = 4,   /* on an errand there is none, but a pipe that it is told into (ipc/errand.h) */
	BOOT_FD_COPY = 5,   /* the directory that a copy goes to, where BOOT_COPY */
	BOOT_FD_DIRECTORY =
	    5, /* store, authd: their own directory, O_PATH|O_DIRECTORY, also their working directory */
	BOOT_FD_BIND_PASSWORD =
	    7, /* authd: a file with a password in its first line, where BOOT_HAS_BIND_PASSWORD */
	BOOT_FD_CLIENT_SECRET =
	    8, /* authd: as BOOT_FD_BIND_PASSWORD, of provider i where BOOT_HAS_CLIENT_SECRET(i) */
	BOOT_FD_MASTER_KEY =
	    12,              /* authd: a file of master keys (vault/master.h), where BOOT_HAS_MASTER_KEY */
	BOOT_FD_ANCHORS = 6, /* authd: the file that audit anchors are appended to, where BOOT_HAS_ANCHORS */
	BOOT_FD_FILE = 5,    /* capture of a file: the file, read-only */
	BOOT_FD_PROTOCOLS = 5,   /* engine: a sealed memfd with rules of nDPI's, where BOOT_HAS_PROTOCOLS */
	BOOT_FD_HTTPS = 5,       /* httpd: listening TCP sockets with TCP_NODELAY; */
	BOOT_FD_HTTP = 6,        /* -1 is said by boot.has_http == false */
	BOOT_FD_CERTIFICATE = 7, /* httpd, key: the certificate and its chain, a PEM file */
	BOOT_FD_KEY = 8,         /* key: its private key, a PEM file */
	BOOT_FD_TALLY = 9, /* httpd: memory that its workers share (httpd/tally.h), where BOOT_HAS_TALLY */
	BOOT_FD_AUTHORITIES = 5, /* directory: a PEM file, read-only, where BOOT_HAS_AUTHORITIES */
	BOOT_FD_APART = 5,       /* dial: as BOOT_FD_LISTEN, up to BOOT_APART_MAX, each of one peer
				    (boot_peer.listener) */
	BOOT_FD_GEO = 6,         /* engine: up to BOOT_GEO_FILES MMDB files as sealed memory */
	BOOT_FD_NOTIFY = 15,     /* every process that a unit started: a socket to its manager, where
				    BOOT_HAS_NOTIFY */
	BOOT_FD_VENDORS =
	    6 /* store: BOOT_VENDOR_FILES lists of MAC addresses' vendors, where BOOT_HAS_VENDORS */
};
#define BOOT_APART_MAX    2
#define BOOT_VENDOR_FILES 3
#define BOOT_GEO_FILES    4
#define BOOT_GEO_FILE_MAX (INT64_C(1) << 29) /* bytes */

#define BOOT_TALLY_BYTES (1 << 22)

#define BOOT_PEERS_MAX  64
#define BOOT_POINTS_MAX 32
#define BOOT_PATH_MAX   104

enum point_kind { POINT_INTERFACE = 1, POINT_FILE = 2 };

/* An observation point (RFC 7011 section 2): one interface or one capture file; capture instance i serves
 * point i. */
struct boot_point {
	uint32_t id; /* stable for a name over restarts of everything: the launcher keeps points in the data
			directory */
	uint32_t space;     /* address space */
	uint32_t kind;      /* enum point_kind */
	uint32_t link_type; /* 0; capture says the real one in its ring offer */
	char name[64];      /* "eth0"; of a file its name without folders */
};

struct boot_peer {
	uint32_t proc; /* enum proc */
	uint32_t instance;
	uint32_t uid;     /* what SO_PEERCRED must say when it connects to us */
	uint32_t connect; /* 1: we connect to it at start (its path); 0: it only connects to us */
	/* Of the listening sockets from BOOT_FD_APART on the one that this peer alone can reach: whoever
	 * comes by it is this peer, and its uid is not asked. 0: it comes by BOOT_FD_LISTEN. */
	uint32_t listener;
	char path[BOOT_PATH_MAX];
};

struct boot {
	char magic[8]; /* "WEIRBOOT" */
	uint32_t version;
	uint32_t size; /* sizeof(struct boot): a process of another build is refused */
	uint32_t proc; /* enum proc: who we are */
	uint32_t instance;
	uint32_t uid;
	uint32_t cell;
	uint32_t node; /* random, kept in the data directory: first part of every flow id */
	uint32_t
	    boot; /* counted up at every start of the launcher and at each start of an engine: second part */
	uint32_t npeers, npoints;
	uint32_t flags;     /* BOOT_* */
	uint32_t admin_gid; /* whoever is in this group may connect as a command line; 0: only root may */
	struct boot_peer peers[BOOT_PEERS_MAX];
	struct boot_point points[BOOT_POINTS_MAX];
	struct settings settings;
};

#define BOOT_ANALYZE           1u /* files only: flows end when their file does, nothing is kept afterwards */
#define BOOT_HAS_HTTP          2u /* httpd: BOOT_FD_HTTP is there */
#define BOOT_HAS_VENDORS(i)    (4u << (i))   /* store: BOOT_FD_VENDORS + i is there */
#define BOOT_HAS_PROTOCOLS     256u          /* engine: BOOT_FD_PROTOCOLS is there */
#define BOOT_HAS_GEO(i)        (512u << (i)) /* engine: BOOT_FD_GEO + i is there */
#define BOOT_HAS_ANCHORS       8192u         /* authd: BOOT_FD_ANCHORS is there */
#define BOOT_HAS_TALLY         65536u        /* httpd: BOOT_FD_TALLY is there */
#define BOOT_HAS_AUTHORITIES   131072u       /* directory: BOOT_FD_AUTHORITIES is there */
#define BOOT_HAS_BIND_PASSWORD 262144u       /* authd: BOOT_FD_BIND_PASSWORD is there */
#define BOOT_HAS_CLIENT_SECRET(i)                                                                            \
	(524288u << (i))               /* authd: BOOT_FD_CLIENT_SECRET + i is there, i < OIDC_PROVIDERS_MAX */
#define BOOT_HAS_MASTER_KEY (1u << 23) /* authd: BOOT_FD_MASTER_KEY is there */
#define BOOT_HAS_NOTIFY     (1u << 30) /* BOOT_FD_NOTIFY is there */
/* Errands, which a command line starts the process for, beside one that runs or alone. */
#define BOOT_CHECK 16384u /* store: look at every byte of the database */
#define BOOT_COPY  32768u /* store, authd: copy the database to BOOT_FD_COPY, all of it as of one moment */

/* Why a process ended, where the launcher acts on it. */
enum boot_exit {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_INTERFACE_GONE = 70, /* capture: not there, or down: try again when it is back */
	EXIT_BAD_INPUT =
	    71, /* a file that is no capture, a database that is damaged: trying again is no use */
	EXIT_FILE_TRUNCATED =
	    72 /* capture of a file: read up to where it is cut or damaged; what was before it counted */
};

/* Reads and checks the document at BOOT_FD_DOCUMENT, closes it, and sets up the log under
 * "weir-NAME@INSTANCE". Dies on anything unexpected: wrong seals, size, magic, process, uid. Makes the
 * process undumpable and sets umask 077. */
const struct boot *boot_read(enum proc self);
/* Writes b into a new sealed memfd and returns it, or -1 with errno. For the launcher. */
int boot_memfd(const struct boot *b);

#endif
