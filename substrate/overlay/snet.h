/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtual networks' part of a substrate, as objects (docs/substrate.md, "Substrate control"):
 *
 *   snode   a substrate node; all others belong to one
 *   snif    a substrate interface: an end for a cable, with the translation tables of what is
 * behind it slink   this node's end of a substrate link; a neighbour per node at the other end vif
 * a virtual interface: an end for the cable from a guest's NIC vlink   one direction of a virtual
 * link, at the node where it begins
 *
 * and, without a name, a vhop: a virtual link at one node, from where it comes in to where it goes
 * out. A frame's way: vif -> vhop -> snif ~ wire ~ snif -> vhop -> snif ~ wire ~ snif -> vhop ->
 * vif.
 */
#ifndef SUBSTRATE_OVERLAY_SNET_H
#define SUBSTRATE_OVERLAY_SNET_H

#include "lib/words.h"
#include "substrate/core/end.h"
#include "substrate/core/pacer.h"
#include "substrate/overlay/conversation.h"
#include "substrate/overlay/encapsulation.h"
#include "substrate/overlay/udp_wire.h"
#include "substrate/overlay/vli.h"
#include "substrate/rate/tm.h"
#include "substrate/rate/vbm.h"

enum {
	VIF_HEADERS = 18, /* of a frame of a virtual link beyond its MTU: Ethernet, a VLAN tag */
	NAME_MAX_OCTETS = 128, /* of what messages name */
};

struct snode;
struct snif;
struct slink;
struct vif;
struct vlink;
struct vhop;
struct vlink_multi;
struct vbm_object;
struct manager;

struct snode {
	struct object object;
	struct message_key key;
	uint64_t instance; /* of this life of the node: the time of day at which it began, in us */
	struct event event;
	struct event_source source;
	int64_t event_ns;   /* INT64_MAX: not in the calendar */
	struct tm *tm;      /* owned */
	struct pacer local; /* of virtual links that never leave the node */
	/* All borrowed: they take themselves out. */
	VEC(struct snif *) interfaces;
	VEC(struct slink *) links;
	VEC(struct vif *) vifs;
	VEC(struct vlink *) vlinks;
	VEC(struct vhop *) hops;
	VEC(struct manager *) managers;
};

/* Why an interface took a frame from its wire no further. */
enum snif_drop {
	SNIF_LEGACY,       /* ordinary traffic */
	SNIF_BAD_LENGTH,   /* shorter than its headers or than it says */
	SNIF_BAD_IP,       /* a damaged IPv4 header, or a fragment */
	SNIF_NOT_FOR_US,   /* to another address */
	SNIF_UNKNOWN_LINK, /* no substrate link with that sender */
	SNIF_WRONG_VLAN,   /* one with that sender, but not with that VLAN, or not without one */
	SNIF_UNKNOWN_VLI,  /* no virtual link with that number on that substrate link */
	SNIF_SILENT,       /* the other end has not greeted us */
	SNIF_NO_MEMORY,
	SNIF_DROPS,
};

struct snif {
	struct object object;
	struct end end;
	struct snode *node;
	enum encapsulation_kind encap;
	uint8_t mac[6];
	uint32_t ip;          /* ENCAPSULATION_UDP */
	int64_t rate_bps;     /* 0: unlimited */
	struct udp_wire *udp; /* owned; instead of a cable. NULL: a cable */
	struct pacer pacer;
	struct tm_port *port; /* owned */
	VEC(struct slink *) links;
	uint64_t dropped[SNIF_DROPS];
};

/* The node at the other end of a substrate link; one of several on a multi-access link. */
struct neighbour {
	struct slink *slink;
	struct conversation conversation;
	char *name; /* owned; NULL: not heard of yet */
	uint8_t mac[6];
	bool mac_known;             /* UDP: learnt from the first hello */
	uint32_t ip;                /* UDP */
	struct udp_wire_path *path; /* owned; NULL: there is a cable */
	uint32_t pad;               /* octets that the message being sent is filled up to */
	uint8_t sender[6];          /* of the frame that is being read */
	uint64_t instance;          /* 0: not heard */
	int64_t silent_ns;          /* when it counts as lost, if nothing more comes */
	bool lost;                  /* it was there before */
	bool has_vbm;               /* of this link */
	const char *why;            /* static: why it is not open */
};

struct slink {
	struct object object;
	struct snif *snif;
	struct snode *node;
	char *link; /* owned: the word that both ends use */
	bool multi;
	int vlan; /* -1: none */
	uint8_t priority;
	VEC(struct neighbour *) neighbours; /* owned; point to point: exactly one */
	bool any_member;                    /* multi-access: whoever greets with the key is one */
	struct vli_table in;                /* VLI -> vhop, or vlink_multi, of what comes in */
	VEC(struct vlink_multi *) multis;   /* owned; multi-access */
	struct vbm_object *vbm; /* the VBM of this LAN, if this node holds it; borrowed */
	struct tm_lan *lan;     /* owned; multi-access: what comes over this LAN */
	int64_t hello_ns;       /* when the next one is due */
	uint32_t room;          /* longest frame of a virtual link; followed for changes */
};

struct vif {
	struct object object;
	struct end end;
	struct snode *node;
	char *vnet; /* owned */
	uint32_t mtu;
	struct vhop *out;          /* the virtual link that begins here */
	struct vlink_multi *multi; /* or the multi-access one that it has joined */
	uint64_t no_link, too_long;
};

/* Why a virtual link lost a frame at a node. */
enum vhop_drop {
	VHOP_TOO_LONG, /* does not fit the substrate link */
	VHOP_DOWN,     /* the link is not set up (yet, or any more) */
	VHOP_NO_MEMORY,
	VHOP_DROPS,
};

struct vhop {
	struct snode *node;
	char *vlink, *vnet; /* owned */
	uint32_t try;       /* which attempt to set it up */
	struct slink *in;   /* NULL: it begins here */
	uint32_t in_vli;
	struct slink *out; /* NULL: it ends here */
	uint32_t out_vli;  /* 0: not known yet */
	struct vif *from, *to;
	struct vlink *origin; /* where it begins */
	char *path, *to_name; /* owned: what is behind the next link, and where it ends */
	int64_t min_bps, max_bps;
	uint32_t room;         /* longest frame that passes from here to the end */
	uint32_t room_further; /* the same from the next node on */
	bool up;
	uint32_t asked;     /* the request of the node before that waits for our answer; 0: none */
	struct tm_link *tm; /* owned; NULL: not yet */
	struct htb_class
		*class;      /* owned; where frames wait. NULL: they leave at once (it ends here) */
	struct pacer *pacer; /* of class */
	int64_t rate_bps;    /* current */
	uint64_t came_frames, came_bytes;
	uint64_t dropped[VHOP_DROPS];
};

struct vlink {
	struct object object;
	struct snode *node;
	struct vif *vif;           /* NULL: it went */
	char *vnet, *path, *to;    /* owned */
	char *lan, *group;         /* owned; multi-access instead of path and to, else NULL */
	struct vlink_multi *multi; /* that it has joined; NULL: not (yet) */
	int64_t min_bps, max_bps;
	uint32_t try;
	struct vhop *hop; /* NULL: not set up */
	int64_t retry_ns; /* when to try (again); INT64_MAX: not */
	int64_t wait_ns;  /* before the next try */
	bool told_up;
	uint32_t told_mtu; /* last said; at first what its interface takes */
	char *reason;      /* owned: why it is down; NULL: it is up, or was not tried yet */
};

enum { VLINK_MULTI_STATIONS = 256 };

/* Where a station of a multi-access virtual link is: what an ARP of substrate addresses would say.
 */
struct vlink_multi_station {
	uint8_t mac[6];
	struct vif *vif;             /* here, */
	struct neighbour *neighbour; /* or there; both NULL: free */
};

struct vlink_multi {
	struct slink *slink;
	char *vnet, *group; /* owned */
	uint32_t vli;       /* 0: the VBM has not given one */
	bool asking;
	char *reason;                /* owned: why there is no VLI; NULL: none */
	VEC(struct vlink *) members; /* here */
	struct htb_class *class;     /* owned */
	uint32_t room_drops, down_drops;
	uint64_t came_frames, came_bytes;
	struct vlink_multi_station stations[VLINK_MULTI_STATIONS]; /* by hash of the address */
};

/* Commands of the control protocol. 0, or -1 with the error set. */
int snode_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int snif_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int slink_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vif_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vlink_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vbm_object_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int manager_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vbm_object_cmd_share(struct substrate *s, const struct words *w, FILE *answer, struct err *e);

/* snode.c */
extern const struct object_kind snode_kind, snif_kind, slink_kind, vif_kind, vlink_kind,
	vbm_object_kind, manager_kind;
/* The object of that name and kind, or NULL with the error set. */
struct object *snet_find(struct substrate *s, const char *name, const struct object_kind *kind,
			 struct err *e);
/* A rate of the words, or 0 if there is none. 0, or -1 with the error set. */
int snet_read_rate(const struct words *w, const char *key, int64_t *rate_bps, struct err *e);
/* True if a name (of a virtual link, a vNet, ...) is short enough for messages. */
bool snet_name_fits(const char *name);
/* Something may be due sooner than before. */
void snode_wake(struct snode *n, int64_t now_ns);

/* snif.c */
/*
 * Puts headers in front of a frame of one's own and queues it for the wire: to that neighbour, or
 * to all (NULL). False: it did not fit, or was dropped and counted by the class.
 */
bool snif_send(struct snif *i, const struct slink *l, const struct neighbour *to, uint32_t vli,
	       struct htb_class *c, struct frame *f, int64_t now_ns);

/* slink.c */
struct slink *slink_find(struct snode *n, const char *link);
/* Octets of the longest frame of a virtual link that fits. */
uint32_t slink_room(const struct slink *l);
bool neighbour_is_open(const struct neighbour *b);
/* A message for VLI 0 came, or one over a stream (sender NULL). */
void neighbour_receive(struct neighbour *b, const uint8_t sender[6], const uint8_t *data,
		       size_t len, int64_t now_ns);
int64_t slink_due_ns(const struct slink *l);
void slink_tick(struct slink *l, int64_t now_ns);

/*
 * A message on a LAN (NULL: there is none) from a sender that is no neighbour yet: a greeting makes
 * it one. False: it was none, or the members of the LAN are told.
 */
bool slink_hear_stranger(struct slink *l, const uint8_t sender[6], const uint8_t *data, size_t len,
			 int64_t now_ns);
/* The neighbour of that name that is open, or NULL. */
struct neighbour *slink_find_neighbour(struct slink *l, const char *name);
/* Can the VBM of this LAN be asked? */
bool slink_has_vbm(const struct slink *l);
/* The multi-access substrate link of the LAN that an interface is plugged into, or NULL. */
struct slink *snif_lan(const struct snif *i);

/* vhop.c */
/* A request about a virtual link: setup, release, failed, mtu. */
void vhop_hear(struct neighbour *b, const struct message *m, const struct words *w, int64_t now_ns);
/* One where it begins. The answer comes by vlink_is_up() or vlink_is_down(). */
struct vhop *vhop_begin(struct vlink *v, int64_t now_ns);
/* It goes, and so does what is further on. */
void vhop_release(struct vhop *h, int64_t now_ns);
/* All that goes in or out by that neighbour is lost. */
void vhop_neighbour_lost(struct neighbour *b, const char *why, int64_t now_ns);
/* All that comes over a LAN whose multi-access link, and with it the VBM, goes. */
void vhop_lan_gone(struct slink *lan, int64_t now_ns);
/* All that begins or ends at that interface. */
void vhop_vif_gone(struct vif *v, int64_t now_ns);
/* The room on a substrate link has changed. */
void vhop_room_changed(struct slink *l, int64_t now_ns);
/* Members of an open JSON object: its counters; the virtual links on a substrate link. */
void vhop_status(const struct vhop *h, struct json *j);
void vhop_slink_status(struct slink *l, struct json *j);
/* A frame (with its reference, one's own) of the virtual link goes on from here. */
void vhop_forward(struct vhop *h, struct frame *f, int64_t now_ns);

/* A frame of a virtual link that never leaves the node has waited: a pacer's put(). */
void vhop_leave(struct pacer *p, struct frame *f, struct htb_class *from, int64_t now_ns);
/* The node's traffic manager has decided. */
void vhop_admitted(struct vhop *h, int64_t now_ns);
void vhop_refused(struct vhop *h, const char *reason, int64_t now_ns);
void vhop_set_rate(struct vhop *h, int64_t min_bps, int64_t rate_bps, int64_t now_ns);
/* Another maximum has been said: shown here and further on. */
void vhop_set_max(struct vhop *h, int64_t max_bps, int64_t now_ns);
/* Tells the node before it, or the next, something about it: words. */
void vhop_tell(struct vhop *h, bool next, enum message_type type, const char *words,
	       int64_t now_ns);
/* A "rate" or "rate-ok". */
void vhop_hear_rate(struct neighbour *b, const struct message *m, const struct words *w,
		    int64_t now_ns);

/* snode_tm.c */
/* Does what the traffic manager wants done. After each call into it. */
void admission_run(struct snode *n, int64_t now_ns);

/* vlink_multi.c */
/* The virtual interface of v joins; v learns how it went. */
void vlink_multi_join(struct vlink *v, int64_t now_ns);
void vlink_multi_leave(struct vlink *v, int64_t now_ns);
/* A frame (with its reference, one's own) of a member here, or of a neighbour. */
void vlink_multi_send(struct vlink_multi *m, struct vif *from, struct frame *f, int64_t now_ns);
void vlink_multi_receive(struct vlink_multi *m, struct neighbour *from, struct frame *f,
			 int64_t now_ns);
/* The VBM can be reached (again); or cannot any more, and what it gave is void. */
void vlink_multi_vbm_back(struct slink *l, int64_t now_ns);
void vlink_multi_vbm_lost(struct slink *l, const char *why, int64_t now_ns);
void vlink_multi_neighbour_gone(struct neighbour *b);
/* The room on the LAN has changed. */
void vlink_multi_room_changed(const struct slink *l, int64_t now_ns);
/* All members leave: the link goes. */
void vlink_multi_end(struct slink *l, int64_t now_ns);
void vlink_multi_slink_status(const struct slink *l, struct json *j);

/* svbm.c */
/* A request to the VBM: join or leave. */
void vbm_object_hear(struct neighbour *b, const struct message *m, const struct words *w,
		     int64_t now_ns);
/* An "aggregate" or "aggregate-ok", to the VBM or from it. */
void vbm_object_hear_aggregate(struct neighbour *b, const struct message *m, const struct words *w,
			       int64_t now_ns);
/* The traffic manager of a node on l speaks to the VBM, wherever that is. */
void vbm_object_tell(struct slink *l, const char *vnet, const struct grant_ask *a, bool answer,
		     int64_t now_ns);
/* A VLI for a member at the node that holds the VBM; 0 with the reason set. */
uint32_t vbm_object_join(struct vbm_object *v, const char *node, const char *vnet,
			 const char *group);
void vbm_object_leave(struct vbm_object *v, const char *node, const char *vnet, const char *group);
void vbm_object_node_lost(struct vbm_object *v, const char *node, int64_t now_ns);
int64_t vbm_object_due_ns(const struct vbm_object *v);
void vbm_object_tick(struct vbm_object *v, int64_t now_ns);

/* vlink.c */
void vlink_is_up(struct vlink *v, int64_t now_ns);
/* hop is gone already; it will be tried again. */
void vlink_is_down(struct vlink *v, const char *reason, int64_t now_ns);
/* The managers could not give the minimum that was set, and it is what it was. */
void vlink_min_kept(struct vlink *v, const char *reason, int64_t now_ns);
/* The room of the link may have changed. */
void vlink_tell_mtu(struct vlink *v, int64_t now_ns);
int64_t vlink_due_ns(const struct vlink *v);
void vlink_tick(struct vlink *v, int64_t now_ns);
/* A neighbour can be reached (again): no need to wait. */
void vlink_hurry(struct snode *n, int64_t now_ns);

/* smanager.c */
/* Over a stream to the node with that message_id(). False: there is none that is open. */
bool manager_send(const struct snode *n, uint64_t to, const uint8_t *data, size_t len);
int64_t manager_due_ns(const struct manager *m);
void manager_tick(struct manager *m, int64_t now_ns);

/* vif.c */
/* A frame (with its reference) for the guest. */
void vif_receive(struct vif *v, struct frame *f, int64_t now_ns);

#endif
