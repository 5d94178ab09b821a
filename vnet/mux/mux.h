/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The multiplexer of an end system (the paper, section IV.C.2, figure 7): it owns the NICs,
 * delivers each frame to the endpoint whose filter it matches, and sends what endpoints may send.
 * Each vNet has tables of its own: NICs, bindings, instances; nothing that one of them asks for
 * reaches another's.
 */
#ifndef VNET_MUX_MUX_H
#define VNET_MUX_MUX_H

#include "lib/json.h"
#include "vnet/mux/demux.h"
#include "vnet/mux/instance.h"
#include "vnet/vnet.h"

struct mux_vnet;

struct mux_nic {
	struct mux_vnet *vnet;
	unsigned index;
	char name[VNET_NAME_MAX];
	struct vnet_nic *nic; /* owned; NULL: gone */
	struct loop_watch watch;
	uint64_t in_frames, in_bytes, out_frames, out_bytes;
	uint64_t nobody;    /* frames that no filter matched */
	uint64_t send_full; /* frames that the NIC did not take */
	uint64_t send_down; /* frames for a link without a carrier, or too long for it */
};

struct mux_binding {
	struct demux_binding demux; /* first: what the table holds is this */
	struct mux_vnet *vnet;
	struct loop_watch watch;               /* our end of the endpoint's socket */
	uint64_t in_frames, in_bytes, in_full; /* full: whoever has it does not read */
	uint64_t out_frames, out_bytes, out_no_nic;
	uint64_t refused[DEMUX_VERDICTS];
};

struct mux_instance {
	struct mux_vnet *vnet;
	struct instance *process;
	struct loop_watch channel; /* of the control daemon; fd -1: none */
	bool is_control;
	struct loop_timer again; /* it was killed, and will be started then */
	int64_t pause_ns;        /* before it was started last; 0: it never was killed */
	int64_t started_ns, ended_ns;
	uint64_t times_started;
};

struct mux_vnet {
	struct mux *mux;
	struct vnet_conf conf;
	struct mux_nic nics[VNET_NICS_MAX];
	struct demux demux; /* of struct mux_binding */
	VEC(struct mux_instance *) instances;
	struct loop_watch status; /* listens for whoever wants to know */
};

struct mux {
	struct loop *loop;
	VEC(struct mux_vnet *) vnets;
	bool open_files; /* instances may be started where files cannot be kept from them */
	bool failed;     /* an instance has ended otherwise than by itself with 0 */
	uint8_t buf[VNET_FRAME_MAX];
};

struct mux *mux_create(struct loop *l);
void mux_destroy(struct mux *m);
/* Opens the NICs of an end system. NULL with the error set. */
struct mux_vnet *mux_add_vnet(struct mux *m, const struct vnet_conf *conf, struct err *e);
/* mux_instances.c. Starts an instance; the first is the control daemon, and named "control". 0 or
 * -1. */
int mux_load(struct mux_vnet *v, const char *name, const struct limits *limits, char *const *argv,
	     struct err *e);

void mux_unload_all(struct mux_vnet *v);
/* A socket beside the end system's file. A descriptor, or -1. */
int mux_listen(struct mux_vnet *v, const char *name, struct err *e);

/* mux_channel.c: what control daemons ask for. */
void mux_channel_ready(struct loop_watch *w, uint32_t events, int64_t now_ns);
/* Tells the control daemon of the vNet what a NIC is like now. */
void mux_tell_nic(struct mux_nic *n);
/* Ends a binding; to_be_told: the control daemon hears of it. */
void mux_unbind(struct mux_binding *b, bool to_be_told);

/* mux_status.c */
void mux_status_ready(struct loop_watch *w, uint32_t events, int64_t now_ns);

#endif
