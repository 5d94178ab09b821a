/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the switch share. */
#ifndef VSWITCH_SWITCH_PRIV_H
#define VSWITCH_SWITCH_PRIV_H

#include "vswitch/fdb.h"
#include "vswitch/guard.h"
#include "vswitch/port_set.h"
#include "vswitch/rstp.h"
#include "vswitch/switch.h"
#include "vswitch/vlan.h"

enum { VLAN_DEFAULT = 1 };

struct port {
	bool up;
	uint32_t cost;           /* for rstp */
	bool shared;             /* more than one bridge may be there: no point-to-point link */
	uint16_t untagged;       /* VLAN of frames without a tag; 0: none */
	struct vlan_set *trunk;  /* owned; NULL: an access port */
	struct port_set *mirror; /* owned: whose frames it gets; NULL: an ordinary port */
};

struct device {
	struct fdb fdb;
	struct guard guard;            /* stations that live behind certain ports */
	uint16_t up[DEVICE_PORTS_MAX]; /* the ports that are up and no mirrors */
	uint16_t n_up;
	bool wire;
	bool vlan_aware;
	uint16_t n_mirrors; /* ports that are mirrors */
	uint64_t forwarded, flooded, not_learned, mirrored, no_memory;
	struct rstp *rstp; /* owned; NULL: no spanning tree */
	uint16_t priority;
	uint8_t mac[6];  /* of the bridge, for BPDUs */
	int64_t now_ns;  /* the latest time heard of; 0: none yet */
	int64_t tick_ns; /* of rstp */
	struct port port[DEVICE_PORTS_MAX];
};

/* The settings of device_kind. */
int switch_set(struct device *d, const char *key, const char *value, struct err *e);
int switch_set_port(struct device *d, uint16_t port, const char *key, const char *value,
		    struct err *e);
/* Tells the spanning tree of a port, if there is one. */
void switch_tell_rstp(struct device *d, uint16_t port);
/* Works out d->up anew from the ports. */
void switch_list_ports(struct device *d);
void switch_status(const struct device *d, int64_t now_ns, struct json *j);

#endif
