/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a guest is to be, as lines for its process 1 (docs/protocols.md, "init.conf"), which carries
 * them out in an order of its own. Names of other nodes are written out here, one by one: a guest
 * knows nothing of the graph.
 */
#include "vbet-server/plan/initconf.h"

#include "lib/base64.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "topo/frr_conf.h"
#include "topo/service.h"
#include "vbet-server/plan/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Writes words, up to a NULL, as one line. */
static void put_words(FILE *out, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (i)
			fputc(' ', out);
		words_put(out, words[i]);
	}
	fputc('\n', out);
}

#define put(out, ...) put_words(out, (const char *const[]){__VA_ARGS__})

/* " vnet=NAME" of what is in one of several vNets; a guest that is in one knows of none. */
static void put_vnet(FILE *out, const struct graph *g, const struct graph_node *n, int vnet)
{
	const char *name = graph_choice_of_vnet(g, n, vnet);

	if (name)
		fprintf(out, " vnet=%s", name);
}

static void put_vnets(FILE *out, const struct graph *g, const struct graph_node *n)
{
	for (size_t i = 0; i < n->n_vnets && n->n_vnets > 1; i++)
		fprintf(out, "vnet %s\n", g->vnets[n->vnets[i]].name);
}

static void put_nics(FILE *out, const struct graph *g, const struct graph_node *n)
{
	char buf[80];

	for (size_t i = 0; i < n->n_nics; i++) {
		const struct graph_nic *c = &n->nics[i];

		fprintf(out, "nic %s mac=%s mtu=%u", c->name,
			addr_format_mac(c->mac, buf, sizeof(buf)), c->mtu);
		if (graph_nic_is_addressless(g, c))
			fputs(" arp=0", out);
		put_vnet(out, g, n, c->vnet);
		fputc('\n', out);
		for (size_t j = 0; j < c->n_addrs; j++)
			fprintf(out, "addr %s %s\n", c->name,
				addr_format(&c->addrs[j], true, buf, sizeof(buf)));
	}
}

/* "h2.red": the name of a node in one of the vNets that both are in. */
static void put_host_in(FILE *out, const struct graph *g, const struct graph_node *self,
			const struct graph_node *n, int family)
{
	char buf[80];

	for (size_t i = 0; i < self->n_vnets && self->n_vnets > 1; i++) {
		int vnet = self->vnets[i];
		const struct addr *a =
			graph_is_in_vnet(n, vnet) ? address_in(self, n, vnet, family) : NULL;

		if (a)
			fprintf(out, "host %s.%s %s\n", n->name, g->vnets[vnet].name,
				addr_format(a, false, buf, sizeof(buf)));
	}
}

/* Names of all nodes in the guest's network, each with its nearest address of each family. */
static void put_hosts(FILE *out, const struct graph *g, const struct graph_node *self)
{
	static const int families[] = {AF_INET, AF_INET6};
	char buf[80];

	for (size_t i = 0; i < g->n_nodes; i++) {
		const struct graph_node *n = &g->nodes[i];

		if (n == self || !address_are_together(self, n))
			continue;
		for (size_t f = 0; f < ARRAY_LEN(families); f++) {
			const struct addr *a = address_for(self, n, families[f]);

			if (a)
				put(out, "host", n->name, addr_format(a, false, buf, sizeof(buf)),
				    NULL);
			put_host_in(out, g, self, n, families[f]);
		}
	}
}

static void put_sysctls(FILE *out, const struct graph_node *n)
{
	put(out, "sysctl", "net.ipv4.ping_group_range", "0 2147483647", NULL);
	if (n->kind == NODE_ROUTER || n->kind == NODE_FIREWALL) {
		put(out, "sysctl", "net.ipv4.ip_forward", "1", NULL);
		put(out, "sysctl", "net.ipv6.conf.all.forwarding", "1", NULL);
	}
	/* A daemon that runs in none of several vNets serves them all, by TCP. */
	if (n->n_vnets > 1)
		put(out, "sysctl", "net.ipv4.tcp_l3mdev_accept", "1", NULL);
	for (size_t i = 0; i < n->n_sysctls; i++)
		put(out, "sysctl", n->sysctls[i].key, n->sysctls[i].value, NULL);
}

/* The content of a file that the script gives inline or names; malloc'ed, with a 0 behind it. */
static char *file_content(const struct plan_env *env, const char *text, size_t len,
			  const char *source, size_t *n, struct err *e)
{
	*n = len;
	if (!source)
		return xstrndup(text, len);
	char *path = source[0] == '/' ? xstrdup(source) : xasprintf("%s/%s", env->base_dir, source);
	char *content = env->read_file(env->ctx, path, n, e);

	free(path);
	return content;
}

/* The same of a daemon's configuration, which is text. */
static char *config_text(const struct plan_env *env, const struct graph_config *c, struct err *e)
{
	size_t n;
	char *content = file_content(env, c->text, c->text_len, c->source, &n, e);

	if (content && memchr(content, '\0', n)) {
		free(content);
		content = NULL;
		err_set(e, ERR_USAGE, "%s has a NUL byte: a configuration is text",
			c->source ? c->source : c->daemon);
	}
	return content;
}

/* Takes the text over. */
static int put_file(FILE *out, const char *path, unsigned mode, const char *owner, char *text,
		    size_t len)
{
	char words[64];

	if (!text)
		return -1;
	bool is_text = !memchr(text, '\0', len);

	fprintf(out, "file ");
	words_put(out, path);
	snprintf(words, sizeof(words), " mode=%04o owner=%s ", mode, owner);
	fputs(words, out);
	if (is_text) {
		words_put(out, text);
	} else {
		char *coded = base64_encode(text, len);

		fprintf(out, "base64=1 %s", coded);
		free(coded);
	}
	fputc('\n', out);
	free(text);
	return 0;
}

static const struct graph_config *find_config(const struct graph_node *n, const char *daemon)
{
	for (size_t i = 0; i < n->n_configs; i++)
		if (!strcmp(n->configs[i].daemon, daemon))
			return &n->configs[i];
	return NULL;
}

static const struct graph_file *find_file(const struct graph_node *n, const char *path)
{
	for (size_t i = 0; i < n->n_files; i++)
		if (!strcmp(n->files[i].path, path))
			return &n->files[i];
	return NULL;
}

/* Does the script give its configuration file? */
static bool has_text(const struct graph_node *n, const struct service *s)
{
	const struct graph_config *c = find_config(n, s->name);

	return s->path && ((c && (c->text || c->source)) || find_file(n, s->path));
}

struct reading {
	const struct graph_node *node;
	const struct graph_config *config;
	struct err *e;
};

static bool staticd_is_bare(const struct graph_node *n)
{
	return find_config(n, "staticd") && !has_text(n, service_find("staticd"));
}

static void refuse_line(void *ctx, const struct frr_conf_line *line)
{
	struct reading *r = ctx;
	const char *mine = r->config->daemon;

	if (r->e->kind || !frr_conf_is_lost(line, mine, staticd_is_bare(r->node)))
		return;
	err_set(r->e, ERR_USAGE, "%s:%d:%d: %s: %s does not take line %u: %.*s: it is for %s",
		r->config->pos.file, r->config->pos.line, r->config->pos.column, r->config->source,
		mine, line->number, line->len < 60 ? (int)line->len : 60, line->text, line->daemon);
}

/*
 * A daemon of FRR drops another's line in silence. What the script says itself was looked at with
 * it (topo/check_service.c); this is for files that it names.
 */
static int check_config(const struct graph_node *n, const struct graph_config *c,
			const struct service *s, const char *text, struct err *e)
{
	struct reading r = {n, c, e};

	if (text && c->source && s->is_frr && s->command && strcmp(s->name, SERVICE_FRR) != 0)
		frr_conf_scan(text, strlen(text), refuse_line, &r);
	return text && !e->kind ? 0 : -1;
}

static int put_config(FILE *out, const struct graph_node *n, const struct graph_config *c,
		      const struct service *s, const struct plan_env *env, struct err *e)
{
	char *text = config_text(env, c, e);

	if (check_config(n, c, s, text, e) < 0) {
		free(text);
		return -1;
	}
	return put_file(out, s->path, 0640, s->owner, text, text ? strlen(text) : 0);
}

static int put_files(FILE *out, const struct graph_node *n, const struct plan_env *env,
		     struct err *e)
{
	for (size_t i = 0; i < n->n_configs; i++) {
		const struct graph_config *c = &n->configs[i];
		const struct service *s = service_find(c->daemon);

		if (!s)
			return err_set(e, ERR_USAGE, "no service '%s'", c->daemon);
		/*
		 * service(n, d) gives neither text nor file: the file that its file system has
		 * stays.
		 */
		if (s->path && (c->text || c->source) && put_config(out, n, c, s, env, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < n->n_files; i++) {
		const struct graph_file *f = &n->files[i];

		size_t len;
		char *content = file_content(env, f->text, f->text_len, f->source, &len, e);

		if (put_file(out, f->path, f->mode, "0:0", content, len) < 0)
			return -1;
	}
	return 0;
}

/*
 * What a node runs of the services. A router always has a zebra, so that its routes can be looked
 * at with vtysh; not one with a file system of its own, in which there may be no FRR.
 */
struct wanted {
	bool is_frr;             /* anything of FRR at all */
	struct frr_conf_set frr; /* what its frr.conf needs */
	bool has_frr_conf;       /* "frr" has to look for one, at least */
};

static int find_wanted(const struct graph_node *n, const struct plan_env *env, struct wanted *w,
		       struct err *e)
{
	const struct graph_config *c = find_config(n, SERVICE_FRR);
	const struct graph_file *f = find_file(n, SERVICE_FRR_PATH);
	char *text = NULL;
	size_t len;

	*w = (struct wanted){.is_frr = (n->kind == NODE_ROUTER && !n->root) || f,
			     .has_frr_conf = c || f};
	for (size_t i = 0; i < n->n_configs; i++) {
		const struct service *s = service_find(n->configs[i].daemon);

		w->is_frr |= s && s->is_frr;
	}
	/* A tree of the user's may have one. */
	w->has_frr_conf |= w->is_frr && n->root;
	if (f)
		text = file_content(env, f->text, f->text_len, f->source, &len, e);
	else if (c && (c->text || c->source))
		text = config_text(env, c, e);
	else
		return 0;
	if (!text)
		return -1;
	frr_conf_add_needed(text, strlen(text), &w->frr);
	free(text);
	return 0;
}

static bool is_wanted(const struct graph_node *n, const struct wanted *w, size_t i)
{
	const struct service *s = service_at(i);

	if (!s->command)
		return false;
	if (!strcmp(s->name, SERVICE_FRR))
		return w->has_frr_conf;
	if (w->is_frr && (!strcmp(s->name, "zebra") || s->is_implied))
		return true;
	return find_config(n, s->name) || frr_conf_is_needed(&w->frr, i);
}

static void put_start_keys(FILE *out, const struct graph *g, const struct graph_node *n,
			   const struct service *s)
{
	const struct graph_config *c = find_config(n, s->name);

	if (c && c->may_fail)
		fputs(" may_fail=1", out);
	if (c)
		put_vnet(out, g, n, c->vnet);
}

/* "frr" gives the daemons their configurations: it comes after all of them. */
static void put_frr(FILE *out, const struct graph *g, const struct graph_node *n,
		    const struct wanted *w)
{
	const struct service *frr = service_find(SERVICE_FRR);
	const char *between = " after=";
	const struct service *s;

	fprintf(out, "service %s", frr->name);
	for (size_t i = 0; (s = service_at(i)) && s != frr; i++) {
		if (!s->is_frr || !is_wanted(n, w, i))
			continue;
		fprintf(out, "%s%s", between, s->name);
		between = ",";
	}
	put_start_keys(out, g, n, frr);
	fputs(" -- /bin/sh -c ", out);
	words_put(out, frr->command);
	fprintf(out, " %s", frr->name);
	for (size_t i = 0; (s = service_at(i)) && s != frr; i++)
		if (s->is_frr && s->command && has_text(n, s))
			fprintf(out, " %s", s->path);
	fputc('\n', out);
}

/* A configuration that no daemon takes would be dropped in silence. */
static int check_read(const struct graph_node *n, const struct wanted *w, struct err *e)
{
	const struct service *s;

	for (size_t i = 0; (s = service_at(i)); i++) {
		const struct graph_file *f = s->path ? find_file(n, s->path) : NULL;

		if (f && s->is_frr && s->command && !n->root && !is_wanted(n, w, i))
			return err_set(e, ERR_USAGE,
				       "%s:%d:%d: nothing reads %s, for %s does not run: "
				       "service(%s, %s) starts it",
				       f->pos.file, f->pos.line, f->pos.column, f->path, s->name,
				       n->name, s->name);
	}
	return 0;
}

static int put_services(FILE *out, const struct graph *g, const struct graph_node *n,
			const struct plan_env *env, struct err *e)
{
	static const char *const frr_dirs[] = {"/run/frr", "/etc/frr", "/var/log/frr",
					       "/var/tmp/frr"};
	struct wanted w;
	const struct service *s;

	if (find_wanted(n, env, &w, e) < 0 || check_read(n, &w, e) < 0)
		return -1;
	for (size_t i = 0; w.is_frr && i < ARRAY_LEN(frr_dirs); i++)
		put(out, "dir", frr_dirs[i], "mode=0755", "owner=110:110", NULL);
	for (size_t i = 0; (s = service_at(i)); i++) {
		if (!is_wanted(n, &w, i))
			continue;
		if (!strcmp(s->name, SERVICE_FRR)) {
			put_frr(out, g, n, &w);
			continue;
		}
		fprintf(out, "service %s", s->name);
		if (s->after && w.is_frr)
			fprintf(out, " after=%s", s->after);
		put_start_keys(out, g, n, s);
		/* One malloc arena keeps zebra's address space at a fifth. */
		if (s->is_frr)
			fputs(" frr=1 env.MALLOC_ARENA_MAX=1", out);
		fputs(" -- /bin/sh -c ", out);
		words_put(out, s->command);
		fputc('\n', out);
	}
	return 0;
}

int initconf_write(FILE *out, const struct graph *g, const struct graph_node *n,
		   const struct plan_env *env, struct err *e)
{
	put(out, "hostname", n->hostname, NULL);
	if (plan_env_tree_is_fixed(env, n))
		put(out, "root", "fixed", NULL);
	put_vnets(out, g, n);
	put_nics(out, g, n);
	put_hosts(out, g, n);
	put_sysctls(out, n);
	if (put_files(out, n, env, e) < 0)
		return -1;
	for (size_t i = 0; i < n->n_routes; i++) {
		const struct graph_route *r = &n->routes[i];

		fprintf(out, "route %s", r->dest);
		if (r->via)
			fprintf(out, " via=%s", r->via);
		if (r->dev)
			fprintf(out, " dev=%s", r->dev);
		put_vnet(out, g, n, r->vnet);
		fputc('\n', out);
	}
	if (put_services(out, g, n, env, e) < 0)
		return -1;
	for (size_t i = 0; i < n->n_commands; i++) {
		fputs("run ", out);
		words_put(out, n->commands[i].text);
		fputs(n->commands[i].may_fail ? " may_fail=1" : "", out);
		put_vnet(out, g, n, n->commands[i].vnet);
		fputc('\n', out);
	}
	if (n->shell)
		put(out, "shell", n->shell, NULL);
	return 0;
}
