#include "offload.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/log.h"
#include "base/mem.h"
#include "interface.h"
#include "rtnetlink.h"

static bool
ethtool(int fd, const char *interface, uint32_t command, uint32_t *data)
{
	struct ethtool_value v = { command, *data };
	struct ifreq r = { 0 };

	str_copy(r.ifr_name, sizeof(r.ifr_name), interface);
	r.ifr_data = (void *)&v;
	if (ioctl(fd, SIOCETHTOOL, &r) == -1)
		return false;
	*data = v.data;
	return true;
}

static bool
gro_off(int fd, const char *interface)
{
	uint32_t on = 0, off = 0;

	if (!ethtool(fd, interface, ETHTOOL_GGRO, &on) || on == 0)
		return false;
	if (ethtool(fd, interface, ETHTOOL_SGRO, &off))
		return true;
	log_warn("%s: cannot switch GRO off: %s; merged frames will be counted", interface, strerror(errno));
	return false;
}

static bool
lro_off(int fd, const char *interface)
{
	uint32_t flags = 0;

	if (!ethtool(fd, interface, ETHTOOL_GFLAGS, &flags) || (flags & ETH_FLAG_LRO) == 0)
		return false;
	flags &= ~(uint32_t)ETH_FLAG_LRO;
	if (ethtool(fd, interface, ETHTOOL_SFLAGS, &flags))
		return true;
	log_warn("%s: cannot switch LRO off: %s; merged frames will be counted", interface, strerror(errno));
	return false;
}

void
offload_off(const char *interface)
{
	int fd = rtnetlink_socket();
	bool gro, lro;

	if (fd == -1 || !interface_exists(interface) || interface_has_address(interface))
		return;
	gro = gro_off(fd, interface);
	lro = lro_off(fd, interface);
	if (gro || lro)
		log_info("%s: %s%s%s switched off: it has no address, so it is there to be monitored",
			 interface, gro ? "GRO" : "", gro && lro ? " and " : "", lro ? "LRO" : "");
}
