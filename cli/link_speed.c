#include "link_speed.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/auto.h"
#include "base/mem.h"
#include "config.h"
#include "rtnetlink.h"

#define MASKS          3   /* behind the structure, of 32-bit words: */
#define MASK_WORDS_MAX 127 /* as many as the kernel's field can say */
#define MBIT           UINT64_C(1000000)

static bool
ask(int fd, const char *interface, struct ethtool_link_settings *v)
{
	struct ifreq r = { 0 };

	v->cmd = ETHTOOL_GLINKSETTINGS;
	r.ifr_data = (void *)v;
	return str_copy(r.ifr_name, sizeof(r.ifr_name), interface) && ioctl(fd, SIOCETHTOOL, &r) == 0;
}

/* The kernel first says how long its masks are, as a negative number, and answers who knows that. */
static uint64_t
driver_says(const char *interface)
{
	int fd = rtnetlink_socket();
	AUTO(mem_drop)
	struct ethtool_link_settings *v = mem_calloc(1, sizeof(*v) + MASKS * MASK_WORDS_MAX * 4);
	int8_t words;

	if (fd == -1 || !ask(fd, interface, v))
		return 0;
	words = v->link_mode_masks_nwords;
	if (words >= 0 || words < -MASK_WORDS_MAX)
		return 0;
	v->link_mode_masks_nwords = (int8_t)-words;
	if (!ask(fd, interface, v) || v->speed == (uint32_t)SPEED_UNKNOWN)
		return 0;
	return v->speed * MBIT;
}

uint64_t
link_speed(const struct settings *s, const char *interface)
{
	for (uint32_t i = 0; i < s->interface_speeds.n; i++) {
		const char *v = s->interface_speeds.item[i];
		uint64_t speed;
		size_t len = config_interface_speed(v, &speed);

		if (len > 0 && len == strlen(interface) && memcmp(v, interface, len) == 0)
			return speed;
	}
	return driver_says(interface);
}
