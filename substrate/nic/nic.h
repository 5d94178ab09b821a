/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NIC back ends: each makes an object with an end that a cable can be plugged into. */
#ifndef SUBSTRATE_NIC_NIC_H
#define SUBSTRATE_NIC_NIC_H

#include "lib/words.h"
#include "substrate/core/end.h"

struct nic_backend {
	const char *name; /* "vhost" */
	/* words: all of the "nic" command. NULL with the error set. */
	struct object *(*create)(struct substrate *s, const char *name, const struct words *words,
				 struct err *e);
};

extern const struct nic_backend nic_vhost, nic_seqpacket, nic_slirp, nic_tap, nic_pcap,
	nic_uml_switch;
/* Of the library behind nic_slirp. */
const char *nic_slirp_version(void);

/* Reads mtu=, or path= and mtu= of the words. 0 or -1. */
int nic_read_mtu(const struct words *w, uint16_t *mtu, struct err *e);
int nic_read_words(const struct words *w, const char **path, uint16_t *mtu, struct err *e);
/* What is outside of the lab runs by the real clock. 0, or -1 if the lab has the virtual one. */
int nic_want_real_clock(const struct substrate *s, const char *backend, struct err *e);

#endif
