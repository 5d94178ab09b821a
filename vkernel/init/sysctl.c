/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * "sysctl net.ipv4.conf.all.KEY=V" means every NIC to whoever writes it, but the kernel is not of
 * one mind: some keys of `all` count for each NIC, some are combined with the NIC's own by "and",
 * "or" or maximum, and some do nothing (Documentation/networking/ip-sysctl.rst). A NIC that is
 * there already does not care for `default` either. So both are written for each NIC of the script,
 * too, and `all` also for `default`.
 *
 * Keys are compared with slashes: in "net.ipv4.conf.eth0.100.rp_filter" a dot may be part of the
 * NIC's name, so a key that has a slash is taken as it is, as sysctl(8) does.
 */
#include "vkernel/init/sysctl.h"

#include "vkernel/init/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 256 };

/* With slashes, as files_write_sysctl() reads it: a key that has one is written with them. */
static bool with_slashes(const char *key, char *buf, size_t size)
{
	bool slashes = strchr(key, '/');

	if (snprintf(buf, size, "%s", key) >= (int)size)
		return false;
	for (char *p = buf; *p && !slashes; p++)
		if (*p == '.')
			*p = '/';
	return true;
}

/* What follows "net/ipv4/conf/WORD/" or "net/ipv6/conf/WORD/", or NULL. */
static const char *behind(const char *key, const char *word)
{
	static const char *const families[] = {"net/ipv4/conf/", "net/ipv6/conf/"};
	size_t len = strlen(word);

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		size_t front = strlen(families[i]);

		if (!strncmp(key, families[i], front) && !strncmp(key + front, word, len) &&
		    key[front + len] == '/')
			return key + front + len + 1;
	}
	return NULL;
}

const char *sysctl_nic_key(const char *key, const char *nic, char *buf, size_t size)
{
	char flat[KEY_MAX];

	if (!with_slashes(key, flat, sizeof(flat)))
		return NULL;
	const char *rest = behind(flat, "all");

	if (!rest)
		rest = behind(flat, "default");
	if (!rest)
		return NULL;
	snprintf(buf, size, "%.*s%s/%s", (int)strlen("net/ipv4/conf/"), flat, nic, rest);
	return buf;
}

bool sysctl_is_of_nic(const char *key, const char *nic)
{
	char flat[KEY_MAX];

	return with_slashes(key, flat, sizeof(flat)) && behind(flat, nic);
}

/* NICs and tunnels that are made in the guest later have what default has. */
static void set_default(const struct conf_sysctl *s)
{
	char key[KEY_MAX];

	if (sysctl_nic_key(s->key, "default", key, sizeof(key)))
		files_write_sysctl(key, s->value);
}

/* A NIC with a small MTU has no IPv6, and nothing to set there. */
static void set_for(const struct conf_sysctl *s, const char *nic, sysctl_failed *failed)
{
	char key[KEY_MAX];

	if (sysctl_nic_key(s->key, nic, key, sizeof(key)) &&
	    files_write_sysctl(key, s->value) < 0 && errno != ENOENT)
		failed(key, strerror(errno));
}

void sysctl_set_all(const struct conf *c, sysctl_failed *failed)
{
	const struct conf_sysctl *s;
	const struct conf_nic *nic;

	VEC_FOREACH (s, &c->sysctls) {
		if (files_write_sysctl(s->key, s->value) < 0) {
			failed(s->key, strerror(errno));
			continue;
		}
		set_default(s);
		VEC_FOREACH (nic, &c->nics)
			set_for(s, nic->name, failed);
	}
}

/*
 * For a NIC that comes later: its directory in /proc/sys is new, and has nothing of what was set.
 */
void sysctl_set_nic(const struct conf *c, const char *nic, sysctl_failed *failed)
{
	const struct conf_sysctl *s;

	VEC_FOREACH (s, &c->sysctls) {
		set_for(s, nic, failed);
		if (sysctl_is_of_nic(s->key, nic) && files_write_sysctl(s->key, s->value) < 0)
			failed(s->key, strerror(errno));
	}
}
