/* SPDX-License-Identifier: GPL-3.0-or-later */
/* init.conf (docs/protocols.md): text -> a value. Pure: no file, no socket. */
#ifndef VKERNEL_INIT_CONF_H
#define VKERNEL_INIT_CONF_H

#include "lib/addr.h"
#include "lib/arena.h"
#include "lib/err.h"
#include "lib/vec.h"
#include "lib/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct conf_nic {
	char name[16];
	uint8_t mac[6];
	bool has_mac, down;     /* down: not to be set up */
	bool no_arp;            /* what is at the other end has no address */
	unsigned mtu;           /* 0: as it is */
	const char *vnet;       /* of a guest in several vNets, or NULL */
	VEC(struct addr) addrs; /* with a prefix each */
};

struct conf_host {
	const char *name, *address;
};

struct conf_sysctl {
	const char *key, *value;
};

/* A file, or (text == NULL) a directory. */
struct conf_file {
	const char *path, *text;
	size_t len; /* of text */
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* A vNet of a guest that is in several (vnet.h). */
struct conf_vnet {
	char name[16];
	unsigned table; /* of its routes */
};

struct conf_route {
	struct addr dest, via; /* dest.prefix 0: default; via.family 0: none */
	char dev[16];          /* "": the kernel decides by via */
	unsigned metric;
	unsigned table; /* 0: the main one */
};

struct conf_run {
	char *command;
	const char *vnet; /* or NULL */
	bool may_fail;
};

struct conf_service {
	const char *name, *ready; /* ready: a path, or NULL */
	const char *after;        /* names joined by commas, or NULL */
	const char *vnet;         /* in which it runs, or NULL */
	bool restart;
	bool may_fail; /* the lab can do without it */
	bool is_frr;   /* a daemon of FRR (frr.h) */
	char **argv, **env;
};

/* Where the guest's file system comes from. */
enum conf_root {
	CONF_ROOT_LOWER, /* a directory of the host, /root */
	CONF_ROOT_FIXED, /* the same, and nothing in it will ever change */
	CONF_ROOT_IMAGE, /* a file, /image */
};

struct conf {
	struct arena arena; /* owns all strings */
	const char *hostname, *shell;
	enum conf_root root;
	VEC(struct conf_vnet) vnets;
	VEC(struct conf_nic) nics;
	VEC(struct conf_host) hosts;
	VEC(struct conf_sysctl) sysctls;
	VEC(struct conf_file) files;
	VEC(struct conf_file) dirs;
	VEC(struct conf_route) routes;
	VEC(struct conf_service) services;
	VEC(struct conf_run) runs;
};

/*
 * Takes in all lines; blank ones and comments are fine. A bad one is told, with its number in the
 * error, and left out.
 */
void conf_add_text(struct conf *c, const char *text, size_t len,
		   void (*tell)(void *ctx, const struct err *e), void *ctx);
/* "nic NAME mac=... addr=..." of a line or a CONTROL message: replaces a NIC of that name. */
struct conf_nic *conf_add_nic(struct conf *c, const struct words *w, struct err *e);
/* The vNet of that name, or NULL. */
const struct conf_vnet *conf_find_vnet(const struct conf *c, const char *name);
void conf_finish(struct conf *c);

#endif
