#include "nic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "fanout.h"
#include "ipc/boot.h"

#define ETHERNET_HEADER 14
#define VLAN_TAG        4

static bool
ask(int fd, const char *name, unsigned long what, struct ifreq *r)
{
	memset(r, 0, sizeof(*r));
	return str_copy(r->ifr_name, sizeof(r->ifr_name), name) && ioctl(fd, what, r) == 0;
}

bool
nic_is_there(int fd, const struct nic *n, const char **why)
{
	struct ifreq r;

	if (!ask(fd, n->name, SIOCGIFINDEX, &r)) {
		*why = "it is gone";
		return false;
	}
	if (n->index != 0 && r.ifr_ifindex != n->index) {
		*why = "it was removed and another one of this name came";
		return false;
	}
	if (!ask(fd, n->name, SIOCGIFFLAGS, &r) || (r.ifr_flags & IFF_UP) == 0) {
		*why = "it is down";
		return false;
	}
	return true;
}

void
nic_look(struct nic *n, const char *name)
{
	AUTO(fd_drop) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r;
	const char *why;

	memset(n, 0, sizeof(*n));
	if (fd == -1)
		fatal("cannot make a socket to look at interfaces");
	if (!str_copy(n->name, sizeof(n->name), name) || strlen(name) >= IFNAMSIZ ||
	    !ask(fd, name, SIOCGIFINDEX, &r))
		fatal_status(EXIT_INTERFACE_GONE,
			     "there is no interface %s: see `ip link` for those there are", name);
	n->index = r.ifr_ifindex;
	if (!nic_is_there(fd, n, &why))
		fatal_status(EXIT_INTERFACE_GONE,
			     "interface %s cannot be monitored, %s: `ip link set %s up` brings it up", name,
			     why, name);
	if (ask(fd, name, SIOCGIFMTU, &r) && r.ifr_mtu > 0)
		n->mtu = (uint32_t)r.ifr_mtu;
}

uint32_t
nic_merged_above(const struct nic *n)
{
	return n->mtu == 0 ? 0 : n->mtu + ETHERNET_HEADER + 2 * VLAN_TAG;
}

/* One instruction: take at most the first `bytes` of every frame. */
static void
filter(int fd, uint32_t bytes)
{
	struct sock_filter ret = BPF_STMT(BPF_RET | BPF_K, bytes);
	struct sock_fprog p = { 1, &ret };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)) == -1)
		fatal("cannot set the filter of a packet socket");
}

void
nic_shut(int fd)
{
	filter(fd, 0);
}

void
nic_listen(int fd, const struct nic *n)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = n->index };

	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) == -1)
		fatal_status(EXIT_INTERFACE_GONE, "interface %s went away while it was opened: %s", n->name,
			     strerrordesc_np(errno));
}

/* Given to the group by its first member, while all filters still take nothing. Without a program the group
 * would give everything to its first member. */
static void
spread(int fd, unsigned workers)
{
	struct fanout_program f;
	struct sock_fprog p = { 0, f.code };

	fanout_compile(&f, workers);
	p.len = f.len;
	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &p, sizeof(p)) == -1)
		fatal("cannot give the fanout group its program");
}

void
nic_join(int fd, int *group, unsigned workers)
{
	/* The kernel chooses a number that nobody uses for the first; the others name it. No DEFRAG flag: it
	 * would make the kernel reassemble what a stranger sent in pieces. */
	int type = PACKET_FANOUT_CBPF | (*group == -1 ? PACKET_FANOUT_FLAG_UNIQUEID : 0);
	int arg = (int)((unsigned)type << 16) | (*group == -1 ? 0 : *group);
	socklen_t len = sizeof(arg);

	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof(arg)) == -1)
		fatal("cannot join the fanout group");
	if (*group != -1)
		return;
	spread(fd, workers);
	if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg, &len) == -1)
		fatal("cannot read the number of the fanout group");
	*group = arg & 0xffff;
}

void
nic_open(int fd, uint32_t snaplen)
{
	/* Replaces the filter at once. Without one the kernel would copy merged frames of 64 KiB whole. */
	filter(fd, snaplen);
}

uint32_t
nic_drops(int fd)
{
	struct tpacket_stats_v3 s;
	socklen_t len = sizeof(s);

	memset(&s, 0, sizeof(s));
	return getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &len) == 0 ? s.tp_drops : 0;
}

int
nic_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}
