/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Interfaces of the host's kernel that end in a descriptor.
 *
 * A TAP device carries frames with their offloads (vnet header), and is what people expect; where
 * /dev/net/tun cannot be opened, as in most containers, a veth pair with a packet socket at its far
 * end does the same with more copying. All words are read before anything is made, so that a
 * mistake in them leaves nothing behind.
 *
 * An interface is there as long as its descriptor is: a TAP device of ours goes when it is closed,
 * here and in the substrate, and a veth pair with its namespace or by name. One that was given to
 * us stays as it was.
 */
#include "outside/netif.h"

#include "lib/addr.h"
#include "lib/netlink.h"
#include "lib/units.h"
#include "lib/vec.h"
#include "lib/xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- TAP ---- */

static int open_tap(struct netif *n, struct err *e)
{
	struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	const unsigned long ours = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	n->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (n->fd < 0)
		return err_sys(e, "/dev/net/tun");
	memcpy(r.ifr_name, n->name, sizeof(n->name));
	if (ioctl(n->fd, TUNSETIFF, &r) == 0) {
		/* If the kernel refuses, it does checksums and segments itself. */
		ioctl(n->fd, TUNSETOFFLOAD, ours);
		return 0;
	}
	if (errno == EINVAL || errno == EBUSY)
		err_set(e, ERR_ENV,
			"%s: there is an interface of that name that is no free TAP device",
			n->name);
	else
		err_sys(e, "%s", n->name);
	close(n->fd);
	n->fd = -1;
	return -1;
}

/* ---- veth, with a packet socket at its far side ---- */

/* A veth passes checksums and segmentation on undone: its sender must do them. */
static void no_offload(int fd, const char *name)
{
	static const uint32_t off[] = {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO};
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	for (size_t i = 0; i < ARRAY_LEN(off); i++) {
		struct ethtool_value v = {.cmd = off[i]};

		r.ifr_data = (char *)&v;
		ioctl(fd, SIOCETHTOOL, &r);
	}
}

static int make_veth(const char *name, const char *peer, int netlink)
{
	struct ifinfomsg none = {0};
	struct netlink_msg m;

	netlink_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	netlink_put(&m, IFLA_IFNAME, name, strlen(name) + 1);
	size_t info = netlink_begin_nest(&m, IFLA_LINKINFO);

	netlink_put(&m, IFLA_INFO_KIND, "veth", 4);
	size_t data = netlink_begin_nest(&m, IFLA_INFO_DATA);
	/* The peer's attributes follow a header of their own. */
	size_t other = netlink_begin_nest(&m, VETH_INFO_PEER);

	netlink_put_raw(&m, &none, sizeof(none));
	netlink_put(&m, IFLA_IFNAME, peer, strlen(peer) + 1);
	netlink_end_nest(&m, other);
	netlink_end_nest(&m, data);
	netlink_end_nest(&m, info);
	return netlink_talk(netlink, &m);
}

static int open_packet_socket(struct netif *n, struct err *e)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = n->peer};
	int one = 1;

	n->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->fd < 0)
		return err_sys(e, "packet socket");
	/* VLAN tags come beside the frame; what we send ourselves is not for us. */
	if (setsockopt(n->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) < 0 ||
	    setsockopt(n->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
	    bind(n->fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return err_sys(e, "packet socket");
	return 0;
}

static int open_veth(struct netif *n, int netlink, struct err *e)
{
	char peer[16];

	snprintf(peer, sizeof(peer), "%.13s.p", n->name);
	if (make_veth(n->name, peer, netlink) < 0)
		return err_sys(e, "%s", n->name);
	n->packet = true;
	n->peer = (int)if_nametoindex(peer);
	if (open_packet_socket(n, e) < 0)
		return -1;
	no_offload(n->fd, n->name);
	no_offload(n->fd, peer);
	return netlink_set_up(netlink, n->peer, true) < 0 ? err_sys(e, "%s", peer) : 0;
}

/* ---- both ---- */

/* The host must not take a router of the lab for its own; and its address is usable at once. */
static void no_advertisements(const char *name)
{
	static const char *const keys[] = {"accept_ra", "accept_dad"};
	char path[80];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", name, keys[i]);
		int fd = open(path, O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (write(fd, "0", 1) < 0)
			fprintf(stderr, "%s: %s\n", path, strerror(errno));
		close(fd);
	}
}

static int read_address(const char *text, struct addr *a, struct err *e)
{
	if (addr_parse(text, strlen(text), a, e) < 0)
		return -1;
	if (a->prefix == ADDR_NO_PREFIX)
		a->prefix = addr_bits(a);
	return 0;
}

static bool is_address(const char *word, enum netif_rights rights)
{
	return !strncmp(word, "addr=", 5) || (rights == NETIF_OWN && !strncmp(word, "auto=", 5));
}

/* What the words ask for. */
struct settings {
	uint32_t mtu;
	uint8_t mac[6];
	bool has_mac;
	VEC(struct addr) addrs;
};

static int read_settings(struct settings *s, const struct words *w, enum netif_rights rights,
			 struct err *e)
{
	const char *mtu = words_get(w, "mtu");
	const char *mac = words_get(w, "mac");
	int64_t bytes = 1500;

	if (mtu && unit_parse(UNIT_COUNT, mtu, &bytes, e) < 0)
		return err_wrap(e, "mtu");
	s->mtu = (uint32_t)bytes;
	s->has_mac = mac;
	if (mac && addr_parse_mac(mac, strlen(mac), s->mac, e) < 0)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		struct addr a;

		if (!is_address(w->at[i], rights))
			continue;
		if (read_address(w->at[i] + 5, &a, e) < 0)
			return -1;
		vec_push(&s->addrs, a);
	}
	return 0;
}

static int set_up(struct netif *n, const struct settings *s, int netlink, struct err *e)
{
	int index = (int)if_nametoindex(n->name);
	const struct addr *a;
	char text[64];

	no_advertisements(n->name);
	if (netlink_set_attr(netlink, index, IFLA_MTU, &s->mtu, sizeof(s->mtu)) < 0 ||
	    (n->packet &&
	     netlink_set_attr(netlink, n->peer, IFLA_MTU, &s->mtu, sizeof(s->mtu)) < 0))
		return err_sys(e, "MTU %u", s->mtu);
	if (s->has_mac &&
	    netlink_set_attr(netlink, index, IFLA_ADDRESS, s->mac, sizeof(s->mac)) < 0)
		return err_sys(e, "MAC address %s", addr_format_mac(s->mac, text, sizeof(text)));
	if (netlink_set_up(netlink, index, true) < 0)
		return err_sys(e, "up");
	VEC_FOREACH (a, &s->addrs)
		if (netlink_add_address(netlink, index, a->family, a->bytes, a->prefix) < 0)
			return err_sys(e, "address %s", addr_format(a, true, text, sizeof(text)));
	return 0;
}

/* The user's own interface was set up by whoever gave it to him; we have no right to. */
static int leave_as_it_is(const struct netif *n, const struct words *w, struct err *e)
{
	const char *addr = words_get(w, "addr");

	if (!addr)
		return 0;
	return err_set(
		e, ERR_ENV,
		"its address needs rights: run 'sudo ip addr add %s dev %s && sudo ip link set "
		"%s up' once, and leave the address out of the script",
		addr, n->name, n->name);
}

static int make(struct netif *n, const struct settings *s, int netlink, struct err *e)
{
	int rc = open_tap(n, e);

	/* No such device, or not for us: a container, perhaps. */
	if (rc < 0 && access("/dev/net/tun", R_OK | W_OK) < 0)
		rc = open_veth(n, netlink, e);
	return rc == 0 ? set_up(n, s, netlink, e) : -1;
}

int netif_make(struct netif *n, const char *name, const struct words *words,
	       enum netif_rights rights, int netlink, struct err *e)
{
	struct settings s = {0};

	*n = (struct netif){.fd = -1};
	snprintf(n->name, sizeof(n->name), "%s", name);
	int rc = read_settings(&s, words, rights, e);

	if (rc == 0 && rights == NETIF_GIVEN)
		rc = open_tap(n, e) == 0 ? leave_as_it_is(n, words, e) : -1;
	else if (rc == 0)
		rc = make(n, &s, netlink, e);
	vec_free(&s.addrs);
	if (rc == 0)
		return 0;
	netif_remove(n, netlink);
	return err_wrap(e, "%s", name);
}

void netif_remove(struct netif *n, int netlink)
{
	struct netlink_msg m;

	if (n->packet && n->peer) {
		struct ifinfomsg *ifi = netlink_begin(&m, RTM_DELLINK, 0, sizeof(*ifi));

		ifi->ifi_index = n->peer;
		netlink_talk(netlink, &m);
	}
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

/*
 * The lab's cable decides whether the host sees a carrier: a TAP device can be told, a veth has one
 * as long as its peer is up.
 */
void netif_set_carrier(struct netif *n, bool up, int netlink)
{
	int carrier = up;

	if (n->packet)
		netlink_set_up(netlink, n->peer, up);
	else
		ioctl(n->fd, TUNSETCARRIER, &carrier);
}

/* By its gateway, its interface or both; without either the kernel refuses it. */
int netif_set_route(const struct words *w, bool present, int netlink, struct err *e)
{
	struct netlink_route r = {.family = AF_INET};
	const char *via_text = words_get(w, "via");
	const char *dev = words_get(w, "dev");
	struct addr dest;
	struct addr via;

	if (via_text) {
		if (read_address(via_text, &via, e) < 0)
			return -1;
		r.family = via.family;
		r.via = via.bytes;
	}
	if (strcmp(w->at[1], "default") != 0) {
		if (read_address(w->at[1], &dest, e) < 0)
			return -1;
		r.family = dest.family;
		r.dest = dest.bytes;
		r.prefix = dest.prefix;
	}
	r.dev = dev ? (int)if_nametoindex(dev) : 0;
	return netlink_set_route(netlink, &r, present) < 0 ? err_sys(e, "route %s", w->at[1]) : 0;
}
