/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * FRR drops lines that it does not understand, and exits with 0. Where there is no mgmtd, process 1
 * of the guest starts the daemons itself and reads their logs (vkernel/init/frr.h). The commands
 * here are for a tree with one: there each daemon's own file is looked at before and after.
 * `vtysh -C` knows the commands of all daemons and finds what is a command of none; what is a
 * command of another daemon is only in the daemon's log. Routes are left out there: staticd takes
 * those of zebra.conf if it has no file of its own.
 *
 * Where there is a frr.conf, daemons do not read their own files. Then "frr", which starts when all
 * daemons are up, gives them what is in it, and after that what is in their own files, whose names
 * are its arguments. `vtysh -f` is the one way that works with every release: daemons that FRR 10's
 * mgmtd manages take no -f.
 */
#include "topo/service.h"

#include "lib/xalloc.h"

#include <string.h>

#define FRR_COMMAND(daemon)                                                                  \
	"d=" daemon "; c=/etc/frr/$d.conf; l=/run/frr/$d.log\n"                              \
	"[ -x /usr/lib/frr/$d ] || { echo \"this file system has no $d\" >&2; exit 2; }\n"   \
	"[ ! -e $c ] || vtysh -C -f $c >&2 || exit 2\n"                                      \
	"[ ! -e $l ] || rm $l\n"                                                             \
	"/usr/lib/frr/$d -d --log file:$l --log-level warnings || exit\n"                    \
	"[ -e $c ] || exit 0\n"                                                              \
	"! sed -n \"/config line [0-9]*: *ip\\(v6\\)\\? m\\?route/d; "                       \
	"s/.*\\(No such command\\|Command returned Warning Config Failed\\) on config line " \
	"/$d does not take line /p\" $l | grep . >&2"
#define FRR(daemon)                                                                       \
	{                                                                                 \
		.name = (daemon), .path = "/etc/frr/" daemon ".conf", .owner = "110:110", \
		.command = FRR_COMMAND(daemon), .after = "zebra", .is_frr = true,         \
		.is_useful_bare = false                                                   \
	}
#define OTHER(n, p, c)                                                   \
	{                                                                \
		.name = (n), .path = (p), .owner = "0:0", .command = (c) \
	}

static const struct service services[] = {
	OTHER("nft", "/etc/nftables.conf", "exec nft -f /etc/nftables.conf"),
	OTHER("iptables", "/etc/iptables.rules", "exec iptables-restore /etc/iptables.rules"),
	OTHER("ip6tables", "/etc/ip6tables.rules", "exec ip6tables-restore /etc/ip6tables.rules"),
	{.name = "zebra",
	 .path = "/etc/frr/zebra.conf",
	 .owner = "110:110",
	 .command = FRR_COMMAND("zebra"),
	 .is_frr = true,
	 .is_useful_bare = true},
	/* FRR 9 and later; not there before. */
	{.name = "mgmtd",
	 .command = "[ ! -x /usr/lib/frr/mgmtd ] || exec /usr/lib/frr/mgmtd -d",
	 .after = "zebra",
	 .is_frr = true,
	 .is_implied = true,
	 .is_useful_bare = true},
	FRR("staticd"),
	FRR("ospfd"),
	FRR("ospf6d"),
	FRR("ripd"),
	FRR("ripngd"),
	FRR("bgpd"),
	FRR("eigrpd"),
	FRR("isisd"),
	FRR("fabricd"),
	FRR("babeld"),
	/* Other daemons ask it for sessions. */
	{.name = "bfdd",
	 .path = "/etc/frr/bfdd.conf",
	 .owner = "110:110",
	 .command = FRR_COMMAND("bfdd"),
	 .after = "zebra",
	 .is_frr = true,
	 .is_useful_bare = true},
	FRR("ldpd"),
	FRR("pimd"),
	FRR("pim6d"),
	FRR("vrrpd"),
	FRR("pbrd"),
	FRR("nhrpd"),
	FRR("pathd"),
	{.name = "vtysh",
	 .path = "/etc/frr/vtysh.conf",
	 .owner = "110:113",
	 .is_frr = true,
	 .is_useful_bare = true},
	{.name = SERVICE_FRR,
	 .path = SERVICE_FRR_PATH,
	 .owner = "110:110",
	 .command = "[ -e " SERVICE_FRR_PATH " ] || exit 0\n"
		    "vtysh -C -f " SERVICE_FRR_PATH " >&2 || exit 2\n"
		    "take() { out=$(vtysh \"$@\" 2>&1) || "
		    "{ echo \"$out\" | sed '/^$/d; /^Configuration file/d' >&2; exit 2; }; }\n"
		    /* pimd 8.4 elects nobody if an address comes between its lines. */
		    "[ ! -e /run/frr/pimd.vty ] || take -d zebra -b\n"
		    "take -b; for f; do take -f \"$f\"; done",
	 .is_frr = true},
	OTHER("dnsmasq", "/etc/dnsmasq.conf",
	      "exec dnsmasq -C /etc/dnsmasq.conf -u dnsmasq -g dnsmasq"),
	{.name = "httpd",
	 .path = "/etc/lighttpd/vbet.conf",
	 .owner = "0:0",
	 .command = "exec lighttpd -f /etc/lighttpd/vbet.conf",
	 .is_useful_bare = true},
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

const char *service_word(size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(services); k++)
		if (!services[k].is_implied && i-- == 0)
			return services[k].name;
	return NULL;
}
