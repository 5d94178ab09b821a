/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libvnet: programs on virtual links, without a guest kernel. docs/vnet.md leads through it.
 *
 * After Kuhns, Wilson, Turner, "Diversifying the Network Edge", section IV: an end system has a
 * NIC per virtual link. A program either opens such a NIC alone (vnet_nic_*), or the end system
 * runs a multiplexer (vnet-mux), which owns the NICs and starts, per virtual network, a control
 * daemon. That daemon alone may bind endpoints to packet filters (vnet_control_*). Applications ask
 * it (vnet_connect, vnet_request) and get endpoints as descriptors (vnet_endpoint_*) and tables
 * that they can read and never write (vnet_table_*).
 *
 * Every call that can fail returns -1 (or NULL) with errno set, and vnet_error() says in words what
 * was wrong and what to do. No call blocks but where that is said. Not thread-safe on one object;
 * different objects may be used by different threads. Link with -lvnet.
 */
#ifndef VNET_VNET_H
#define VNET_VNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	VNET_FRAME_MIN = 14,         /* octets: destination, source, type */
	VNET_FRAME_MAX = 65535 + 18, /* longest frame of any MTU */
	VNET_MESSAGE_MAX = 4096,     /* octets of a request, a reply, an event */
	VNET_FILTER_MAX = 2048,      /* characters of a filter */
	VNET_NICS_MAX = 16,          /* of an end system */
	VNET_NAME_MAX = 64,          /* with the NUL */
	VNET_PATH_MAX = 108,         /* of a unix socket, with the NUL */
};

/* Why the last call of this thread failed; never NULL, valid until the next call that fails. */
const char *vnet_error(void);

/*
 * What an end system has: the file that $VNET_CONF names (a list separated by ':' where a program
 * belongs to several end systems), written by vbet. docs/substrate.md, "End systems".
 */
struct vnet_conf_nic {
	char name[VNET_NAME_MAX]; /* "eth0" */
	char path[VNET_PATH_MAX]; /* of its socket */
	uint8_t mac[6];
	uint16_t mtu; /* octets behind the 14 of the Ethernet header */
};

struct vnet_conf {
	char node[VNET_NAME_MAX]; /* "es1" */
	char vnet[VNET_NAME_MAX]; /* "red" */
	char dir[VNET_PATH_MAX];  /* where the file is: control daemons listen there */
	struct vnet_conf_nic nics[VNET_NICS_MAX];
	size_t n_nics;
};

/* Reads one file. 0 or -1. */
int vnet_conf_read(const char *path, struct vnet_conf *conf);
/* Finds the end system of the named vNet (NULL: the first one) in $VNET_CONF. 0 or -1. */
int vnet_conf_find(const char *vnet, struct vnet_conf *conf);

/*
 * A NIC, opened alone: raw Ethernet frames without FCS, one per call. A NIC takes one program at a
 * time; a second one waits in the queue of its socket, and gets nothing.
 */
struct vnet_nic;

/* Opens NIC `name` of the end system in `conf`. To be closed by the caller; NULL: not there. */
struct vnet_nic *vnet_nic_open(const struct vnet_conf *conf, const char *name);
/* Opens any SOCK_SEQPACKET socket that carries frames, for example of "vswitch --listen PATH". */
struct vnet_nic *vnet_nic_open_path(const char *path, const uint8_t mac[6], uint16_t mtu);
void vnet_nic_close(struct vnet_nic *nic);
/* For poll(2): readable when there is something to receive, writable when there is room. */
int vnet_nic_fd(const struct vnet_nic *nic);
/*
 * Takes the next frame: its length; 0 for nothing to handle: the carrier or the MTU has changed
 * (ask for them), or a frame longer than `size` was dropped; -1 with EAGAIN when there is none,
 * EPIPE when the NIC is gone (the lab has ended).
 */
ssize_t vnet_nic_receive(struct vnet_nic *nic, void *frame, size_t size);
/*
 * Sends a frame of VNET_FRAME_MIN to MTU + 14 octets (18 with a VLAN tag). 0, or -1: EMSGSIZE,
 * EAGAIN (the queue is full: poll for POLLOUT), ENETDOWN (no carrier), EPIPE.
 */
int vnet_nic_send(struct vnet_nic *nic, const void *frame, size_t len);
/* The MAC address that the lab gave to the NIC; 6 octets, as long as the NIC is open. */
const uint8_t *vnet_nic_mac(const struct vnet_nic *nic);
/* What the virtual link carries: octets behind the 14 of the header. May change, see receive. */
uint16_t vnet_nic_mtu(const struct vnet_nic *nic);
/* Is the virtual link there? True until the NIC says otherwise. */
bool vnet_nic_carrier(const struct vnet_nic *nic);

/*
 * An endpoint: a descriptor from a control daemon that carries frames of the flow it was bound to,
 * and no others. What is sent must pass the endpoint's outgoing filter and have the NIC's address
 * as its source, or the multiplexer drops it and counts why. Close it with close(2): the binding
 * ends then.
 */
/* 0, or -1: EMSGSIZE, EAGAIN (poll for POLLOUT), EPIPE (the binding has ended). */
int vnet_endpoint_send(int endpoint, unsigned nic, const void *frame, size_t len);
/* The length of the next frame and the index of the NIC it came by; -1: EAGAIN, EPIPE, EMSGSIZE. */
ssize_t vnet_endpoint_receive(int endpoint, unsigned *nic, void *frame, size_t size);

/*
 * Applications. Connects to the control daemon of the end system in `conf`. A descriptor to be
 * closed by the caller; the daemon gives up all that it keeps for it when it is closed. Or -1.
 */
int vnet_connect(const struct vnet_conf *conf);
/*
 * Sends a request (a line of text whose form is the vNet's own business) and waits for the reply,
 * at most timeout_ms (-1: without end). Up to n_fds descriptors that come with it are stored, -1
 * for those that did not come. The length of the reply, which is ended by a NUL, or -1: EPIPE (the
 * daemon has ended), ETIMEDOUT, EMSGSIZE.
 */
ssize_t vnet_request(int connection, const char *request, char *reply, size_t size, int *fds,
		     size_t n_fds, int timeout_ms);

/* Control daemons, started by vnet-mux. What the multiplexer says of a NIC. */
struct vnet_nic_info {
	unsigned index; /* from 0: what vnet_endpoint_* mean by `nic` */
	char name[VNET_NAME_MAX];
	uint8_t mac[6];
	uint16_t mtu;
	bool carrier;
};

enum vnet_event_kind {
	VNET_EVENT_NIC,    /* a NIC is there, or has changed */
	VNET_EVENT_CLOSED, /* whoever had the endpoint of binding `id` has closed it; the id is free
			    */
};

struct vnet_event {
	enum vnet_event_kind kind;
	unsigned id;              /* VNET_EVENT_CLOSED */
	struct vnet_nic_info nic; /* VNET_EVENT_NIC */
};

struct vnet_control;

/*
 * Becomes the control daemon of the vNet whose multiplexer started this process; from then on other
 * processes of the user cannot look into this one (prctl(2), PR_SET_DUMPABLE). NULL: not started by
 * vnet-mux.
 */
struct vnet_control *vnet_control_open(void);
void vnet_control_close(struct vnet_control *control);
/* The name of the vNet, "red". */
const char *vnet_control_vnet(const struct vnet_control *control);
/* For poll(2): readable when vnet_control_next() may have something. */
int vnet_control_fd(const struct vnet_control *control);
/* Takes the next event. 1; 0: none now; -1, EPIPE: the multiplexer has ended, and so must we. */
int vnet_control_next(struct vnet_control *control, struct vnet_event *event);

/*
 * Which frames an endpoint gets, and may send. Filters are those of pcap-filter(7) on Ethernet
 * frames, for example "ether proto 0x88b6 and ether[22:2] = 7"; "" is every frame. A frame
 * goes to one endpoint only: of those whose `in` matches, to that with the lowest priority, and of
 * several of the same to that bound first.
 */
struct vnet_binding {
	unsigned id;  /* the daemon's choice; not one that is bound */
	int priority; /* 0: looked at first */
	const char *in;
	const char *out; /* what may be sent */
};

/*
 * Binds, and waits until it is in force. The endpoint's descriptor, for this process or to be
 * handed to an application by vnet_reply(). Events that come while it waits are kept: call
 * vnet_control_next() afterwards. -1: EINVAL (a filter is not one; vnet_error() says what libpcap
 * said), EEXIST, EPIPE.
 */
int vnet_control_bind(struct vnet_control *control, const struct vnet_binding *binding);
/* Ends a binding: whoever has its endpoint reads end of file. No event follows. */
void vnet_control_unbind(struct vnet_control *control, unsigned id);

/* Who asks, as the system says (SO_PEERCRED): cannot be made up. */
struct vnet_peer {
	pid_t pid;
	uid_t uid;
	bool instance; /* it is another instance of this vNet, started by the same multiplexer */
};

/* For poll(2): readable when vnet_accept() has an application that wants to connect. */
int vnet_control_listener(const struct vnet_control *control);
/*
 * Takes the next application: a descriptor, non-blocking, to be closed by the caller. Only the user
 * that runs the lab, and root, get in; others are hung up on. -1 with EAGAIN: nobody there.
 */
int vnet_accept(struct vnet_control *control, struct vnet_peer *peer);
/* Takes the next request, ended by a NUL: its length, or -1: EAGAIN, EMSGSIZE, EPIPE (gone). */
ssize_t vnet_take_request(int connection, char *request, size_t size);
/* Answers, with descriptors (at most 4; they stay the caller's). 0 or -1 (it has gone, or does not
 * read). */
int vnet_reply(int connection, const char *reply, const int *fds, size_t n_fds);

/*
 * Tables: octets in shared memory that one process publishes and others read. The memory is sealed:
 * who gets vnet_table_fd() can map it for reading only, whatever he tries (memfd_create(2),
 * F_SEAL_FUTURE_WRITE). A reader sees what was published last, whole, without asking anybody.
 */
struct vnet_table;

/* A table that holds up to `capacity` octets; empty. NULL: no memory. */
struct vnet_table *vnet_table_create(const char *name, size_t capacity);
/* Replaces what is in it. 0 or -1 (EMSGSIZE; readers go on with what was there). */
int vnet_table_publish(struct vnet_table *table, const void *data, size_t len);
/* The descriptor to hand out; the table's own. */
int vnet_table_fd(const struct vnet_table *table);
/* Maps a table for reading; takes over fd. NULL: it is no table, or could be changed under our
 * hands. */
struct vnet_table *vnet_table_open(int fd);
/* Counts what was published: has something changed since? */
uint32_t vnet_table_version(const struct vnet_table *table);
/*
 * Copies what was published last: its length, and its version if wanted (may be NULL). -1: EMSGSIZE
 * (it is longer than `size`), EAGAIN (whoever writes stopped in the middle of it).
 */
ssize_t vnet_table_read(const struct vnet_table *table, void *data, size_t size, uint32_t *version);
void vnet_table_close(struct vnet_table *table);

#ifdef __cplusplus
}
#endif

#endif
