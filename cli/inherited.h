/* Sockets that systemd made and hands down by name (sd_listen_fds_with_names(3)). */
#ifndef WEIR_CLI_INHERITED_H
#define WEIR_CLI_INHERITED_H

/* The listening TCP socket of that name, which does not block and is closed by exec; -1 where there is none.
 * The caller's to close; it is found once. */
int inherited_tcp(const char *name);
/* The port that it listens on. */
unsigned inherited_port(int fd);
/* The socket of NETLINK_ROUTE of that name, likewise. */
int inherited_rtnetlink(const char *name);

#endif
