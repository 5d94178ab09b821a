/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guests: their files, their lines for the substrate, and what the launcher is called with.
 *
 * A guest is a User-Mode Linux kernel in a jail (vkernel/launch). Inside, all that concerns it is
 * in /vbet: a socket for each of its devices, the one for its time, the configuration that
 * vbet-init reads. Outside, that is the directory n/NODE/j of the lab, so the kernel's arguments
 * have the same short names in every guest.
 *
 * Devices are vhost-user sockets ("virtio_uml.device=PATH:TYPE", the types are those of the virtio
 * standard, 5: 1 is a network device, 2 a disk, 3 a console). Their order on the command line is
 * the order in which the kernel probes them: the agent first, then the NICs as the script has them,
 * then the disk.
 */
#include "lib/words.h"
#include "vbet-server/plan/initconf.h"
#include "vbet-server/plan/plan_build.h"

#include <string.h>

static const char *guest_nic_arg(struct builder *b, const struct graph_nic *c, size_t i)
{
	struct arena *a = &b->plan->arena;
	char mac[24];

	addr_format_mac(c->mac, mac, sizeof(mac));
	if (c->backend == NIC_SEQPACKET)
		return arena_printf(a, "vec%zu:transport=bess,dst=/vbet/%s,mac=%s,mtu=%u,depth=128",
				    i, c->name, mac, c->mtu);
	return arena_printf(a, "virtio_uml.device=/vbet/%s:1", c->name);
}

/*
 * Guests are dealt out to processors in turn (cpu=): a guest's kernel is one thread, and its caches
 * stay warm where it is. The root is read-only and shared by all; vbet-init makes the writable
 * parts.
 */
void plan_guest_argv(struct builder *b, int index, struct plan_step *s)
{
	static const char *const kernel_args[] = {
		"root=none",      "rootfstype=hostfs", "rootflags=/", "ro",    "init=/init",
		"con0=fd:0,fd:1", "con=null",          "ssl=null",    "quiet", "noreboot",
	};
	const struct graph_node *n = &b->g->nodes[index];
	const struct plan_env *env = b->env;
	struct arena *a = &b->plan->arena;
	VEC(const char *) v = {0};
	const char *tree = plan_env_tree(env, n, a);
	int nice = plan_bound_nice(b->g, n);

	vec_push(&v, arena_strdup(a, env->launcher)); /* a plan outlives its environment */
	vec_push(&v, arena_printf(a, "name=%s", n->name));
	vec_push(&v, arena_printf(a, "kernel=%s", env->kernel));
	vec_push(&v, arena_printf(a, "init=%s", env->init));
	vec_push(&v, arena_printf(a, "root=%s", tree ? tree : env->tree));
	vec_push(&v, arena_printf(a, "dir=%s/n/%s/j", env->lab_dir, n->name));
	vec_push(&v, arena_printf(a, "memory=%lld", (long long)n->memory_bytes));
	if (env->cpus)
		vec_push(&v, arena_printf(a, "cpu=%u", (unsigned)index % env->cpus));
	if (env->insecure)
		vec_push(&v, "insecure=1");
	if (nice)
		vec_push(&v, arena_printf(a, "nice=%d", nice));
	if (n->processes)
		vec_push(&v, arena_printf(a, "processes=%lld", (long long)n->processes));
	vec_push(&v, "--");
	vec_push(&v, arena_printf(a, "mem=%lldM", (long long)(n->memory_bytes >> 20)));
	for (size_t i = 0; i < ARRAY_LEN(kernel_args); i++)
		vec_push(&v, kernel_args[i]);
	if (b->g->clock == CLOCK_VIRTUAL) {
		/* tt-spin: a daemon that reads the clock in a loop pays more for each reading. */
		vec_push(&v, "time-travel=ext:/vbet/time");
		vec_push(&v, "tt-spin=5");
		vec_push(&v, arena_printf(a, "vbet.seed=%llu.%s", (unsigned long long)b->g->seed,
					  n->name));
	} else {
		/* Reclaim TX buffers on the next send; no completion interrupt. */
		vec_push(&v, "virtio_net.napi_tx=0");
		vec_push(&v, "freeze=/vbet/freeze");
	}
	vec_push(&v, "virtio_uml.device=/vbet/agent:3");
	for (size_t i = 0; i < n->n_nics; i++)
		vec_push(&v, guest_nic_arg(b, &n->nics[i], i));
	/* Who has no disk writes nothing back, so no work has to get done for memory to become
	 * free. */
	vec_push(&v,
		 graph_has_disk(n) ? "virtio_uml.device=/vbet/disk:2" : "workqueue.no_rescuers");
	s->argc = v.n;
	s->argv = arena_alloc(a, (v.n + 1) * sizeof(char *));
	memcpy((void *)s->argv, v.at, v.n * sizeof(char *));
	vec_free(&v);
}

static int plan_guest_files(struct builder *b, int index, struct err *e)
{
	const struct graph_node *n = &b->g->nodes[index];
	struct arena *a = &b->plan->arena;
	struct text t;

	plan_add_dirs(b, index);
	int rc = initconf_write(text_open(&t), b->g, n, b->env, e);
	const char *conf = text_close(b, &t);

	if (rc < 0)
		return err_wrap(e, "%s", n->name);
	struct plan_step *s =
		plan_add_step(b, PLAN_FILE, arena_printf(a, "n/%s/j/init.conf", n->name));

	s->text = conf;
	s->node = index;
	return 0;
}

/* "disk h1:disk path=... size=67108864 base=... layer=... guest=h1" */
static void plan_disk(struct builder *b, int index)
{
	const struct graph_node *n = &b->g->nodes[index];
	const char *keep = b->env->keep_disks;
	struct arena *a = &b->plan->arena;
	struct text t;
	FILE *f = text_open(&t);

	fprintf(f, "disk %s:disk path=%s/n/%s/j/disk", n->name, plan_dir(b), n->name);
	if (n->disk_bytes)
		fprintf(f, " size=%lld", (long long)n->disk_bytes);
	if (n->disk) {
		fputs(" base=", f);
		words_put(f, n->disk[0] == '/'
				     ? n->disk
				     : arena_printf(a, "%s/%s", b->env->base_dir, n->disk));
	}
	if (n->disk_read_only) {
		fputs(" ro=1", f);
	} else if (keep) {
		fputs(" layer=", f);
		words_put(f, arena_printf(a, "%s/%s.disk", keep, n->name));
	}
	fprintf(f, " guest=%s", n->name);
	plan_add_at(b, index, arena_printf(a, "%s:disk", n->name), text_close(b, &t));
}

int plan_guest_node(struct builder *b, int index, struct err *e)
{
	const struct graph_node *n = &b->g->nodes[index];
	struct arena *a = &b->plan->arena;
	const char *dir = plan_dir(b);

	if (plan_guest_files(b, index, e) < 0)
		return -1;
	if (b->g->clock == CLOCK_VIRTUAL)
		plan_add_at(b, index, n->name,
			    arena_printf(a, "guest %s time=%s/n/%s/j/time", n->name, dir, n->name));
	plan_add_at(b, index, arena_printf(a, "%s:agent", n->name),
		    arena_printf(a,
				 "channel %s:agent path=%s/n/%s/j/agent stream=%s/n/%s/agent "
				 "guest=%s",
				 n->name, dir, n->name, dir, n->name, n->name));
	for (size_t i = 0; i < n->n_nics; i++)
		plan_add_nic(b, index, (int)i);
	if (graph_has_disk(n))
		plan_disk(b, index);
	return 0;
}
