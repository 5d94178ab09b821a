/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two wires in a row, and virtual links on them. */
#ifndef TESTS_UNIT_OVERLAY_LINKS_HELP_H
#define TESTS_UNIT_OVERLAY_LINKS_HELP_H

#include "tests/support/suite.h"
#include "tests/unit/overlay_help.h"

/* s1 - a - s2 - b - s3, encapsulated as said; each link takes 1 ms. */
static inline void build_line(const char *encap)
{
	bool udp = !strcmp(encap, "udp");

	for (int i = 1; i <= 3; i++)
		say("snode s%d key=000102030405060708090a0b0c0d0e0f", i);
	say("snif s1:1 s1 mac=02:00:00:00:01:01 encap=%s addr=10.9.0.1", encap);
	say("snif s2:1 s2 mac=02:00:00:00:02:01 encap=%s addr=10.9.0.2", encap);
	say("snif s2:2 s2 mac=02:00:00:00:02:02 encap=%s addr=10.9.1.2", encap);
	say("snif s3:1 s3 mac=02:00:00:00:03:01 encap=%s addr=10.9.1.3", encap);
	say("cable a s1:1 s2:1 delay=1ms mtu=1600");
	say("cable b s2:2 s3:1 delay=1ms mtu=1600");
	say("slink a@s1 s1:1 link=a peer=%s", udp ? "10.9.0.2" : "02:00:00:00:02:01");
	say("slink a@s2 s2:1 link=a peer=%s", udp ? "10.9.0.1" : "02:00:00:00:01:01");
	say("slink b@s2 s2:2 link=b peer=%s", udp ? "10.9.1.3" : "02:00:00:00:03:01");
	say("slink b@s3 s3:1 link=b peer=%s", udp ? "10.9.1.2" : "02:00:00:00:02:02");
}

/* A virtual link of a vNet from s1 to s3 and back, with a station at each end. */
static inline void lay(const char *vnet, struct station *st[2])
{
	char name[64];

	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s%d", vnet, i);
		say("vif %s@s s%d vnet=%s", name, i ? 3 : 1, vnet);
	}
	say("vlink %s:ab %s0@s vnet=%s path=a,b to=%s1@s", vnet, vnet, vnet, vnet);
	say("vlink %s:ba %s1@s vnet=%s path=b,a to=%s0@s", vnet, vnet, vnet, vnet);
	for (int i = 0; i < 2; i++) {
		char end[64];

		snprintf(name, sizeof(name), "%s%d", vnet, i);
		snprintf(end, sizeof(end), "%s%d@s", vnet, i);
		st[i] = station_at(name, end);
	}
}

/* The line, and red's virtual link on it, which has come up. */
static inline void lay_red(struct station *red[2])
{
	build_line("ethernet");
	lay("red", red);
	run_for(20 * ms);
}

/* Three nodes and an outsider on a LAN; s1 holds the VBM; a point-to-point link "p" from s1 to s3.
 */
static inline void build_lan(const char *members)
{
	say("device lan repeater");
	for (int i = 1; i <= 4; i++)
		say("port lan:%d lan %d", i, i);
	for (int i = 1; i <= 3; i++) {
		say("snode s%d key=000102030405060708090a0b0c0d0e0f", i);
		say("snif s%d:1 s%d mac=02:00:00:00:00:0%d rate=100Mbit", i, i, i);
		say("cable c%d s%d:1 lan:%d delay=100us mtu=1600", i, i, i);
		say("slink lan@s%d s%d:1 link=lan multi=1%s", i, i, members);
	}
	say("slink p@s1 s1:1 link=p peer=02:00:00:00:00:03 vlan=100 priority=5");
	say("slink p@s3 s3:1 link=p peer=02:00:00:00:00:01 vlan=100 priority=5");
	say("vbm vbm@lan s1 link=lan rate=100Mbit");
	say("share vbm@lan red percent=30%%");
	say("share vbm@lan blue percent=20%%");
}

/* The virtual interface of a vNet on each node joins, with a station. */
static inline void join(const char *vnet, struct station *st[4])
{
	char end[32];
	char name[64];

	for (int i = 1; i <= 3; i++) {
		snprintf(end, sizeof(end), "%s%d", vnet, i);
		snprintf(name, sizeof(name), "st-%s", end);
		say("vif %s s%d vnet=%s", end, i, vnet);
		say("vlink %s-lan %s vnet=%s lan=lan", end, end, vnet);
		st[i] = station_at(name, end);
	}
}

#endif
