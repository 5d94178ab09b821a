/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The part of a plan for what is outside of the lab: NICs whose other side is an interface of the
 * host, a user-mode network stack, another program's socket.
 *
 * Two processes have a part in a TAP interface. The substrate has the NIC and listens on a socket;
 * vbet-outside, which may do so, makes the interface and hands its descriptor over through that
 * socket. So the substrate needs no rights on the host. The line for vbet-outside comes after all
 * of the substrate's (lab/outside.c), and has an `undo`, for it is the host that would be left
 * changed.
 */
#include "lib/words.h"
#include "vbet-server/plan/address.h"
#include "vbet-server/plan/plan_build.h"

#include <string.h>
#include <sys/socket.h>

/* A NIC that leads out of the lab: the back end says what it needs to know. */
static void plan_outside_nic(struct builder *b, int node, int nic)
{
	const struct graph_node *n = &b->g->nodes[node];
	const struct graph_nic *c = &n->nics[nic];
	const char *name = plan_end_name(b, (struct graph_end){node, nic});
	char addr[64];
	struct text t;
	FILE *f = text_open(&t);

	fprintf(f, "nic %s %s mtu=%u", name, nic_backend_name(c->backend), c->mtu);
	if (c->path) {
		fputs(" path=", f);
		words_put(f, c->path);
	} else if (c->backend == NIC_TAP) {
		fprintf(f, " path=%s/n/%s/%s", plan_dir(b), n->name, c->name);
	} else if (c->backend == NIC_PCAP) {
		fprintf(f, " interface=%s", c->name);
	}
	for (size_t i = 0; c->backend == NIC_SLIRP && i < c->n_addrs; i++)
		fprintf(f, " addr%s=%s", c->addrs[i].family == AF_INET6 ? "6" : "",
			addr_format(&c->addrs[i], true, addr, sizeof(addr)));
	for (size_t i = 0; c->backend == NIC_SLIRP && i < n->n_params; i++)
		fprintf(f, " %s=%d", n->params[i].key, !strcmp(n->params[i].value, "on"));
	plan_add_at(b, node, name, text_close(b, &t));
}

/* The host's side of a TAP interface. */
static void plan_interface(struct builder *b, int node, const struct graph_nic *c)
{
	const struct graph_node *n = &b->g->nodes[node];
	struct plan_step *s = plan_add_step(b, PLAN_OUTSIDE, c->name);
	char buf[64];
	struct text t;
	FILE *f = text_open(&t);

	fprintf(f, "tap %s path=%s/n/%s/%s mac=%s mtu=%u", c->name, plan_dir(b), n->name, c->name,
		addr_format_mac(c->mac, buf, sizeof(buf)), c->mtu);
	for (size_t i = 0; i < n->n_params; i++)
		fprintf(f, " %s=%s", n->params[i].key, n->params[i].value);
	for (size_t i = 0; i < c->n_addrs; i++)
		fprintf(f, " %s=%s", c->addrs_are_auto ? "auto" : "addr",
			addr_format(&c->addrs[i], true, buf, sizeof(buf)));
	s->text = text_close(b, &t);
	s->undo = arena_printf(&b->plan->arena, "remove %s", c->name);
	s->node = node;
}

/* A route has no name in the kernel: it is known by what it says. */
static void plan_host_route(struct builder *b, int node, const struct graph_route *r)
{
	struct arena *a = &b->plan->arena;
	const char *via = r->via ? arena_printf(a, " via=%s", r->via) : "";
	const char *dev = r->dev ? arena_printf(a, " dev=%s", r->dev) : "";
	const char *what = arena_printf(a, "route %s%s%s", r->dest, via, dev);
	struct plan_step *s = plan_add_step(b, PLAN_OUTSIDE, what);

	s->text = s->name;
	s->undo = arena_printf(a, "un%s", s->text);
	s->node = node;
}

/* Names for who works beside the lab's interfaces: /etc/hosts of `vbet outside`. */
static void plan_hosts(struct builder *b, const struct graph_node *self)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct plan_step *s = plan_add_step(b, PLAN_FILE, "outside.hosts");
	char buf[64];
	struct text t;
	FILE *f = text_open(&t);

	fputs("127.0.0.1 localhost\n::1 localhost\n", f);
	for (size_t i = 0; i < b->g->n_nodes; i++) {
		const struct graph_node *n = &b->g->nodes[i];

		for (size_t k = 0; k < ARRAY_LEN(families) && n != self; k++) {
			const struct addr *a = address_for(self, n, families[k]);

			if (a)
				fprintf(f, "%s %s\n", addr_format(a, false, buf, sizeof(buf)),
					n->name);
		}
	}
	s->text = text_close(b, &t);
}

void plan_outside(struct builder *b, int node)
{
	const struct graph_node *n = &b->g->nodes[node];
	bool dir = false;

	for (size_t i = 0; i < n->n_nics; i++) {
		if (n->nics[i].backend == NIC_TAP && !dir)
			plan_add_step(b, PLAN_DIR, arena_printf(&b->plan->arena, "n/%s", n->name))
				->node = node;
		dir |= n->nics[i].backend == NIC_TAP;
		plan_outside_nic(b, node, (int)i);
	}
	if (dir && !b->has_hosts)
		plan_hosts(b, n);
	b->has_hosts |= dir;
	for (size_t i = 0; i < n->n_nics; i++)
		if (n->nics[i].backend == NIC_TAP)
			plan_interface(b, node, &n->nics[i]);
	for (size_t i = 0; i < n->n_routes; i++)
		plan_host_route(b, node, &n->routes[i]);
}
