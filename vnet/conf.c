/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end system's file, and the text of the last error.
 *
 * The file is lines of words, written by vbet beside the sockets of the NICs. A program may belong
 * to several end systems, one in each vNet: then $VNET_CONF lists several files, and the vNet's
 * name says which is meant.
 *
 * Errors are kept as in errno: a number for programs, per thread, and beside it a sentence for
 * people.
 */
#include "lib/addr.h"
#include "lib/units.h"
#include "lib/words.h"
#include "vnet/vnet_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __thread char last_error[1024] = "no error";

const char *vnet_error(void)
{
	return last_error;
}

int vnet_fail(int number, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last_error, sizeof(last_error), fmt, ap);
	va_end(ap);
	errno = number;
	return -1;
}

int vnet_fail_err(const struct err *e)
{
	return vnet_fail(errno, "%s", e->text);
}

/* Copies a word that must fit. */
static bool keep(char *to, size_t size, const char *word)
{
	return word && (size_t)snprintf(to, size, "%s", word) < size;
}

/*
 * 65,521 octets is the longest packet that fits, with the Ethernet header, into a message of
 * 65,535.
 */
static bool read_nic(struct vnet_conf *conf, const struct words *w)
{
	if (conf->n_nics == VNET_NICS_MAX || w->n < 2)
		return false;
	struct vnet_conf_nic *c = &conf->nics[conf->n_nics++];
	const char *mac = words_get(w, "mac");
	const char *mtu = words_get(w, "mtu");
	int64_t octets = 1500;

	if (mtu &&
	    (unit_parse(UNIT_COUNT, mtu, &octets, NULL) < 0 || octets < 68 || octets > 65521))
		return false;
	c->mtu = (uint16_t)octets;
	return keep(c->name, sizeof(c->name), w->at[1]) &&
	       keep(c->path, sizeof(c->path), words_get(w, "path")) && mac &&
	       addr_parse_mac(mac, strlen(mac), c->mac, NULL) == 0;
}

/* Lines that a later vbet adds are nothing to us. */
static bool read_line(struct vnet_conf *conf, const struct words *w)
{
	if (w->n && !strcmp(w->at[0], "nic"))
		return read_nic(conf, w);
	if (w->n && !strcmp(w->at[0], "node"))
		return keep(conf->node, sizeof(conf->node), w->at[1]);
	if (w->n && !strcmp(w->at[0], "vnet"))
		return keep(conf->vnet, sizeof(conf->vnet), w->at[1]);
	return true;
}

static int read_lines(FILE *f, const char *path, struct vnet_conf *conf)
{
	struct arena a = {0};
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int rc = 0;

	for (unsigned at = 1; rc == 0 && (n = getline(&line, &room, f)) > 0; at++) {
		struct words w;
		struct err e;
		size_t len = (size_t)n - (line[n - 1] == '\n');

		if (words_split(line, len, &a, &w, &e) < 0 || !read_line(conf, &w))
			rc = vnet_fail(EINVAL, "%s:%u: not a line of an end system's file", path,
				       at);
	}
	free(line);
	arena_finish(&a);
	return rc;
}

int vnet_conf_read(const char *path, struct vnet_conf *conf)
{
	const char *slash = strrchr(path, '/');
	FILE *f = fopen(path, "re");

	if (!f)
		return vnet_fail(errno, "%s: %s", path, strerror(errno));
	memset(conf, 0, sizeof(*conf));
	int rc = read_lines(f, path, conf);

	fclose(f);
	if (rc == 0 &&
	    (size_t)snprintf(conf->dir, sizeof(conf->dir), "%.*s", slash ? (int)(slash - path) : 1,
			     slash ? path : ".") >= sizeof(conf->dir))
		return vnet_fail(ENAMETOOLONG, "%s: the path is too long", path);
	if (rc == 0 && !conf->vnet[0])
		return vnet_fail(EINVAL, "%s: no line 'vnet NAME'", path);
	return rc;
}

/* The first file of the list is the answer if no vNet is named: most programs are in one. */
int vnet_conf_find(const char *vnet, struct vnet_conf *conf)
{
	const char *list = getenv("VNET_CONF");

	if (!list || !*list)
		return vnet_fail(
			ENOENT,
			"VNET_CONF is not set: start this with 'vbet exec NODE -- ...' or run()");
	while (*list) {
		char path[4096];
		size_t len = strcspn(list, ":");

		if (len >= sizeof(path))
			return vnet_fail(ENAMETOOLONG, "VNET_CONF: the path is too long");
		memcpy(path, list, len);
		path[len] = '\0';
		if (len && vnet_conf_read(path, conf) < 0)
			return -1;
		if (len && (!vnet || !strcmp(vnet, conf->vnet)))
			return 0;
		list += len + (list[len] == ':');
	}
	return vnet_fail(ENOENT, "no end system of vNet '%s' in VNET_CONF", vnet ? vnet : "");
}
