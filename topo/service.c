/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/plan/service.h"

#include "lib/xalloc.h"

#include <string.h>

/*
 * FRR drops a line it does not understand and exits with 0; only vtysh -C says so
 * (rootfs/README.md). One malloc arena keeps zebra's address space at a fifth.
 */
#define FRR_COMMAND(daemon)                                                 \
	"[ ! -e /etc/frr/" daemon ".conf ] || vtysh -C -f /etc/frr/" daemon \
	".conf >&2 || exit 2; MALLOC_ARENA_MAX=1 exec /usr/lib/frr/" daemon " -d"
#define FRR(daemon)                                                                               \
	{                                                                                         \
		daemon, "/etc/frr/" daemon ".conf", "110:110", FRR_COMMAND(daemon), "zebra", true \
	}

static const struct service services[] = {
	{"nft", "/etc/nftables.conf", "0:0", "exec nft -f /etc/nftables.conf", NULL, false},
	{"iptables", "/etc/iptables.rules", "0:0", "exec iptables-restore /etc/iptables.rules",
	 NULL, false},
	{"ip6tables", "/etc/ip6tables.rules", "0:0", "exec ip6tables-restore /etc/ip6tables.rules",
	 NULL, false},
	{"zebra", "/etc/frr/zebra.conf", "110:110", FRR_COMMAND("zebra"), NULL, true},
	/* FRR 9 and later; not there before. */
	{"mgmtd", NULL, NULL, "[ ! -x /usr/lib/frr/mgmtd ] || exec /usr/lib/frr/mgmtd -d", "zebra",
	 true},
	FRR("staticd"),
	FRR("ospfd"),
	FRR("ospf6d"),
	FRR("ripd"),
	FRR("ripngd"),
	FRR("bgpd"),
	FRR("eigrpd"),
	FRR("isisd"),
	FRR("bfdd"),
	FRR("pimd"),
	{"vtysh", "/etc/frr/vtysh.conf", "110:113", NULL, NULL, true},
	{"dnsmasq", "/etc/dnsmasq.conf", "0:0",
	 "exec dnsmasq -C /etc/dnsmasq.conf -u dnsmasq -g dnsmasq", NULL, false},
	{"httpd", "/etc/lighttpd/vbet.conf", "0:0", "exec lighttpd -f /etc/lighttpd/vbet.conf",
	 NULL, false},
};

const struct service *service_at(size_t i)
{
	return i < ARRAY_LEN(services) ? &services[i] : NULL;
}

const struct service *service_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		if (!strcmp(services[i].name, name))
			return &services[i];
	return NULL;
}
