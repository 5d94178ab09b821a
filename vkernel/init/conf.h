/* SPDX-License-Identifier: GPL-3.0-or-later */
/* init.conf (docs/protocols.md): text -> a value. Pure: no file, no socket. */
#ifndef VKERNEL_INIT_CONF_H
#define VKERNEL_INIT_CONF_H

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/vec.h"
#include "lib/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* An address or prefix of IPv4 or IPv6. */
struct conf_ip {
	int family;        /* AF_INET, AF_INET6; 0: none given */
	uint8_t bytes[16]; /* in network order */
	unsigned plen;
};

struct conf_nic {
	char name[16];
	uint8_t mac[6];
	bool has_mac, down; /* down: not to be set up */
	unsigned mtu;       /* 0: as it is */
	VEC(struct conf_ip) addrs;
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
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

struct conf_route {
	struct conf_ip dest, via; /* plen 0: default */
	char dev[16];             /* "": the kernel decides by via */
	unsigned metric;
};

struct conf_service {
	const char *name, *ready; /* ready: a path, or NULL */
	const char *after;        /* names joined by commas, or NULL */
	bool restart;
	char **argv, **env;
};

struct conf {
	struct arena arena; /* owns all strings */
	const char *hostname, *shell;
	bool image;
	VEC(struct conf_nic) nics;
	VEC(struct conf_host) hosts;
	VEC(struct conf_sysctl) sysctls;
	VEC(struct conf_file) files;
	VEC(struct conf_file) dirs;
	VEC(struct conf_route) routes;
	VEC(struct conf_service) services;
	VEC(char *) runs;
};

/* Takes in one line (without its newline); blank lines and comments are fine. */
int conf_add_line(struct conf *c, const char *line, size_t len, struct err *e);
/* Takes in all lines; a bad one is told (with its number in the error) and left out. */
void conf_add_text(struct conf *c, const char *text, size_t len,
		   void (*tell)(void *ctx, const struct err *e), void *ctx);
/* "nic NAME mac=... addr=..." of a line or a CONTROL message: replaces a NIC of that name. */
struct conf_nic *conf_add_nic(struct conf *c, const struct words *w, struct err *e);
void conf_finish(struct conf *c);

/* "10.0.0.1/24", "fd00::1" (a full prefix length is assumed), "default" (family from `family`). */
int conf_parse_ip(const char *text, struct conf_ip *ip);
int conf_parse_mac(const char *text, uint8_t mac[6]);

#endif
