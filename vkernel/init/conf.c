/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /vbet/init.conf, which the server writes for each guest (vbet-server/plan/initconf.c): lines of
 * words, each with a meaning of its own and most of them independent of order.
 *
 * A table of line kinds, each with a function. A bad line is told and left out rather than ending
 * everything: a guest that comes up without one route can be looked at, one that does not come up
 * at all cannot. The same functions read a NIC that is plugged while the guest runs: a CONTROL
 * message has the words that a line would have.
 *
 * Text is kept in an arena for the life of the guest; lists are vectors, for NICs come and go.
 */
#include "vkernel/init/conf.h"

#include "lib/base64.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* An address that says no prefix length is one host: all of its bits count. */
static int parse_address(const char *text, struct addr *a)
{
	if (addr_parse(text, strlen(text), a, NULL) < 0)
		return -1;
	if (a->prefix == ADDR_NO_PREFIX)
		a->prefix = addr_bits(a);
	return 0;
}

static const char *keep(struct conf *c, const char *s)
{
	return s ? arena_strdup(&c->arena, s) : NULL;
}

static int bad(struct err *e, const char *what, const char *value)
{
	return err_set(e, ERR_USAGE, "bad %s: %.200s", what, value ? value : "(missing)");
}

static int get_number(const struct words *w, const char *key, int base, unsigned *out,
		      struct err *e)
{
	const char *v = words_get(w, key);
	char *end;

	if (!v)
		return 0;
	unsigned long n = strtoul(v, &end, base);

	if (end == v || *end || n > UINT32_MAX)
		return bad(e, key, v);
	*out = (unsigned)n;
	return 0;
}

/*
 * 15 letters is what the kernel takes (IFNAMSIZ); names become parts of paths below /proc/sys/net.
 */
static int set_name(char name[16], const char *word, struct err *e)
{
	if (!word || !*word || strlen(word) > 15 || strchr(word, '/'))
		return bad(e, "NIC name", word);
	strcpy(name, word);
	return 0;
}

const struct conf_vnet *conf_find_vnet(const struct conf *c, const char *name)
{
	const struct conf_vnet *v;

	VEC_FOREACH (v, &c->vnets)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

/* "vnet=NAME": one that a line has named before. NULL into *to without the key. */
static int read_vnet(const struct conf *c, const struct words *w, const struct conf_vnet **to,
		     struct err *e)
{
	const char *name = words_get(w, "vnet");

	*to = name ? conf_find_vnet(c, name) : NULL;
	return name && !*to ? bad(e, "vnet (it needs a line `vnet` before)", name) : 0;
}

/* The same, its name only, or NULL. */
static int read_vnet_name(struct conf *c, const struct words *w, const char **to, struct err *e)
{
	const struct conf_vnet *v;
	int rc = read_vnet(c, w, &v, e);

	*to = v ? keep(c, v->name) : NULL;
	return rc;
}

static int read_nic(struct conf *c, const struct words *w, struct conf_nic *n, struct err *e)
{
	const char *mac = words_get(w, "mac");
	unsigned up = 1;
	unsigned arp = 1;

	if (set_name(n->name, w->n > 1 ? w->at[1] : NULL, e) < 0)
		return -1;
	if (mac && addr_parse_mac(mac, strlen(mac), n->mac, NULL) < 0)
		return bad(e, "mac", mac);
	n->has_mac = mac;
	if (get_number(w, "mtu", 10, &n->mtu, e) < 0 || get_number(w, "up", 10, &up, e) < 0 ||
	    get_number(w, "arp", 10, &arp, e) < 0 || read_vnet_name(c, w, &n->vnet, e) < 0)
		return -1;
	n->down = !up;
	n->no_arp = !arp;
	for (size_t i = 2; i < w->n; i++) {
		struct addr ip;

		if (strncmp(w->at[i], "addr=", 5) != 0)
			continue;
		if (parse_address(w->at[i] + 5, &ip) < 0)
			return bad(e, "address", w->at[i] + 5);
		vec_push(&n->addrs, ip);
	}
	return 0;
}

static struct conf_nic *find_nic(struct conf *c, const char *name)
{
	struct conf_nic *n;

	VEC_FOREACH (n, &c->nics)
		if (!strcmp(n->name, name))
			return n;
	return NULL;
}

/*
 * A NIC of that name takes the place of the old one, at the same index: net.c has a list in step
 * with this one.
 */
struct conf_nic *conf_add_nic(struct conf *c, const struct words *w, struct err *e)
{
	struct conf_nic n = {0};

	if (read_nic(c, w, &n, e) < 0) {
		vec_free(&n.addrs);
		return NULL;
	}
	struct conf_nic *old = find_nic(c, n.name);

	if (!old) {
		vec_push(&c->nics, n);
		return &c->nics.at[c->nics.n - 1];
	}
	vec_free(&old->addrs);
	*old = n;
	return old;
}

static int add_nic(struct conf *c, const struct words *w, struct err *e)
{
	return conf_add_nic(c, w, e) ? 0 : -1;
}

static int add_hostname(struct conf *c, const struct words *w, struct err *e)
{
	c->hostname = keep(c, w->at[1]);
	return 0;
}

static int add_root(struct conf *c, const struct words *w, struct err *e)
{
	static const char *const kinds[] = {
		[CONF_ROOT_LOWER] = "lower",
		[CONF_ROOT_FIXED] = "fixed",
		[CONF_ROOT_IMAGE] = "image",
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!strcmp(w->at[1], kinds[i])) {
			c->root = (enum conf_root)i;
			return 0;
		}
	}
	return bad(e, "root", w->at[1]);
}

/* The numbers of their tables are in the order of the lines, and beyond all that have names. */
static int add_vnet(struct conf *c, const struct words *w, struct err *e)
{
	enum { FIRST_TABLE = 1001 };
	struct conf_vnet v = {.table = FIRST_TABLE + (unsigned)c->vnets.n};

	if (set_name(v.name, w->at[1], e) < 0)
		return -1;
	if (conf_find_vnet(c, v.name))
		return bad(e, "vnet (it is there already)", v.name);
	vec_push(&c->vnets, v);
	return 0;
}

static int add_addr(struct conf *c, const struct words *w, struct err *e)
{
	struct conf_nic *n = find_nic(c, w->at[1]);
	struct addr ip;

	if (!n)
		return bad(e, "NIC (it needs a line `nic` before)", w->at[1]);
	if (parse_address(w->at[2], &ip) < 0)
		return bad(e, "address", w->at[2]);
	vec_push(&n->addrs, ip);
	return 0;
}

static int add_host(struct conf *c, const struct words *w, struct err *e)
{
	struct conf_host h = {.name = keep(c, w->at[1]), .address = keep(c, w->at[2])};

	vec_push(&c->hosts, h);
	return 0;
}

static int add_sysctl(struct conf *c, const struct words *w, struct err *e)
{
	struct conf_sysctl s = {.key = keep(c, w->at[1]), .value = keep(c, w->at[2])};

	vec_push(&c->sysctls, s);
	return 0;
}

static int read_file(struct conf *c, const struct words *w, unsigned mode, struct conf_file *f,
		     struct err *e)
{
	const char *owner = words_get(w, "owner");

	if (w->at[1][0] != '/')
		return bad(e, "path", w->at[1]);
	f->path = keep(c, w->at[1]);
	if (get_number(w, "mode", 8, &mode, e) < 0)
		return -1;
	f->mode = mode & 07777;
	if (owner) {
		char *end;

		f->uid = (uid_t)strtoul(owner, &end, 10);
		if (end == owner || *end != ':')
			return bad(e, "owner", owner);
		f->gid = (gid_t)strtoul(end + 1, NULL, 10);
	}
	return 0;
}

/* What no line can carry, since it has a NUL. */
static int decode(struct conf *c, struct conf_file *f)
{
	char *data = base64_decode(f->text, &f->len);

	if (!data)
		return -1;
	char *kept = arena_alloc(&c->arena, f->len + 1);

	memcpy(kept, data, f->len);
	f->text = kept;
	free(data);
	return 0;
}

static int add_file(struct conf *c, const struct words *w, struct err *e)
{
	struct conf_file f = {0};

	if (read_file(c, w, 0644, &f, e) < 0)
		return -1;
	f.text = keep(c, w->at[w->n - 1]);
	f.len = strlen(f.text);
	/* In front of the text, which may be anything. */
	if (!strcmp(w->at[w->n - 2], "base64=1") && decode(c, &f) < 0)
		return bad(e, "base64 of", f.path);
	vec_push(&c->files, f);
	return 0;
}

static int add_dir(struct conf *c, const struct words *w, struct err *e)
{
	struct conf_file f = {0};

	if (read_file(c, w, 0755, &f, e) < 0)
		return -1;
	vec_push(&c->dirs, f);
	return 0;
}

/*
 * "default" has no address to tell its family by, so the gateway's counts, and IPv4 where there is
 * none.
 */
static int add_route(struct conf *c, const struct words *w, struct err *e)
{
	struct conf_route r = {0};
	const char *via = words_get(w, "via");
	const char *dev = words_get(w, "dev");

	if (via && parse_address(via, &r.via) < 0)
		return bad(e, "via", via);
	if (dev && set_name(r.dev, dev, e) < 0)
		return -1;
	const struct conf_vnet *v;

	if (get_number(w, "metric", 10, &r.metric, e) < 0 || read_vnet(c, w, &v, e) < 0)
		return -1;
	r.table = v ? v->table : 0;
	if (!strcmp(w->at[1], "default"))
		r.dest.family = via ? r.via.family : AF_INET;
	else if (parse_address(w->at[1], &r.dest) < 0)
		return bad(e, "destination", w->at[1]);
	if (via && r.via.family != r.dest.family)
		return bad(e, "via (another family than the destination)", via);
	vec_push(&c->routes, r);
	return 0;
}

/* The words from `first` to `end` (those that begin with `prefix`, without it) as an argv. */
static char **keep_words(struct conf *c, const struct words *w, size_t first, size_t end,
			 const char *prefix)
{
	char **list = arena_alloc(&c->arena, (end - first + 1) * sizeof(char *));
	size_t len = strlen(prefix);
	size_t n = 0;

	for (size_t i = first; i < end; i++)
		if (!strncmp(w->at[i], prefix, len))
			list[n++] = arena_strdup(&c->arena, w->at[i] + len);
	return list;
}

/*
 * Keys stand before "--" and the command behind it, so a command may have words that look like
 * keys.
 */
static int add_service(struct conf *c, const struct words *w, struct err *e)
{
	struct conf_service s = {.name = keep(c, w->at[1])};
	struct words keys = *w;
	unsigned restart = 0;
	unsigned may_fail = 0;
	unsigned frr = 0;
	size_t dashes = 2;

	while (dashes < w->n && strcmp(w->at[dashes], "--") != 0)
		dashes++;
	if (dashes + 1 >= w->n)
		return bad(e, "service (no command)", s.name);
	keys.n = dashes;
	s.ready = keep(c, words_get(&keys, "ready"));
	s.after = keep(c, words_get(&keys, "after"));
	if (get_number(&keys, "restart", 10, &restart, e) < 0 ||
	    get_number(&keys, "may_fail", 10, &may_fail, e) < 0 ||
	    get_number(&keys, "frr", 10, &frr, e) < 0 || read_vnet_name(c, &keys, &s.vnet, e) < 0)
		return -1;
	s.restart = restart;
	s.may_fail = may_fail;
	s.is_frr = frr;
	s.env = keep_words(c, w, 2, dashes, "env.");
	s.argv = keep_words(c, w, dashes + 1, w->n, "");
	vec_push(&c->services, s);
	return 0;
}

static int add_run(struct conf *c, const struct words *w, struct err *e)
{
	const struct words keys = {.at = w->at + 2, .n = w->n - 2};
	unsigned may_fail = 0;
	const char *vnet;

	if (get_number(&keys, "may_fail", 10, &may_fail, e) < 0 ||
	    read_vnet_name(c, &keys, &vnet, e) < 0)
		return -1;
	vec_push(&c->runs, ((struct conf_run){arena_strdup(&c->arena, w->at[1]), vnet, may_fail}));
	return 0;
}

static int add_shell(struct conf *c, const struct words *w, struct err *e)
{
	c->shell = keep(c, w->at[1]);
	return 0;
}

static const struct {
	const char *word;
	size_t n_min; /* words, with the first */
	int (*add)(struct conf *c, const struct words *w, struct err *e);
} kinds[] = {
	{"vnet", 2, add_vnet},     {"hostname", 2, add_hostname}, {"root", 2, add_root},
	{"nic", 2, add_nic},       {"addr", 3, add_addr},         {"host", 3, add_host},
	{"sysctl", 3, add_sysctl}, {"file", 3, add_file},         {"dir", 2, add_dir},
	{"route", 2, add_route},   {"service", 4, add_service},   {"run", 2, add_run},
	{"shell", 2, add_shell},
};

static int add_words(struct conf *c, const struct words *w, struct err *e)
{
	if (!w->n || w->at[0][0] == '#')
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].word, w->at[0]) != 0)
			continue;
		if (w->n < kinds[i].n_min)
			return err_set(e, ERR_USAGE, "too few words after %s", w->at[0]);
		return kinds[i].add(c, w, e);
	}
	return bad(e, "word", w->at[0]);
}

static int add_line(struct conf *c, const char *line, size_t len, struct arena *scratch,
		    struct err *e)
{
	struct words w;
	int rc = words_split(line, len, scratch, &w, e);

	if (rc == 0)
		rc = add_words(c, &w, e);
	arena_clear(scratch);
	return rc;
}

void conf_add_text(struct conf *c, const char *text, size_t len,
		   void (*tell)(void *ctx, const struct err *e), void *ctx)
{
	const char *end = text + len;
	struct arena scratch = {0};

	for (int line = 1; text < end; line++) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		struct err e;

		if (!eol)
			eol = end;
		if (add_line(c, text, (size_t)(eol - text), &scratch, &e) < 0) {
			err_wrap(&e, "init.conf:%d", line);
			tell(ctx, &e);
		}
		text = eol + 1;
	}
	arena_finish(&scratch);
}

void conf_finish(struct conf *c)
{
	struct conf_nic *n;

	VEC_FOREACH (n, &c->nics)
		vec_free(&n->addrs);
	vec_free(&c->nics);
	vec_free(&c->vnets);
	vec_free(&c->hosts);
	vec_free(&c->sysctls);
	vec_free(&c->files);
	vec_free(&c->dirs);
	vec_free(&c->routes);
	vec_free(&c->services);
	vec_free(&c->runs);
	arena_finish(&c->arena);
	memset(c, 0, sizeof(*c));
}
