/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a plan cannot know by itself is found here: files of the installation, the number of
 * processors, a key. So plan_make() is a function of its arguments alone, and golden tests of plans
 * are the same on every machine.
 *
 * The kernel can be another one (--kernel); the other parts are of the installation that this
 * program is of, for they speak protocols with each other that have no versions.
 *
 * A node's root file system is one of four: a directory that the script names ("root"), the common
 * tree, a tree with a set of packages, or one with vbet. Sets are found by a hash of the sorted
 * names, below a directory for the id of the common tree: a new common tree makes all sets anew,
 * and nodes with the same packages share one. Trees with vbet are found by a hash of the names and
 * of the installation that is in them.
 */
#include "vbet-server/plan/plan_env.h"

#include "lib/cpus.h"
#include "lib/rng.h"
#include "lib/vec.h"
#include "vbet-server/store/paths.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A virtual lab repeats to the byte, and control messages are bytes like others: the key that they
 * are signed with must come from the seed and cannot be drawn from /dev/urandom.
 */
static void derive_key(const struct graph *g, uint8_t key[16])
{
	struct rng r;

	rng_init(&r, g->seed, g->lab, "substrate key");
	for (int i = 0; i < 2; i++) {
		uint64_t v = rng_next(&r);

		memcpy(key + 8 * i, &v, sizeof(v));
	}
}

/* By size and time, as make(1) does: to read 30 MB for each lab would take longer than to boot it.
 */
static uint64_t look_at(const char *path, uint64_t h)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return h;
	const int64_t seen[] = {(int64_t)st.st_size, (int64_t)st.st_mtim.tv_sec,
				(int64_t)st.st_mtim.tv_nsec};

	return hash_fnv1a(seen, sizeof(seen), h);
}

/* What rootfs/nest.sh has made says so. Nothing can be built there. */
#define NESTED "/usr/share/vbet/nested"

const char *const plan_env_parts[PLAN_ENV_PARTS] = {"linux", "vbet-init", "vbet-launch",
						    "vsubstrate", "vbet-outside"};

/* Of the installation, whatever kernel this lab has: a guest with vbet has all of it. */
static uint64_t look_at_installation(void)
{
	uint64_t h = look_at("/proc/self/exe", HASH_FNV1A_START);

	for (size_t i = 0; i < PLAN_ENV_PARTS; i++) {
		char *part = paths_find_part(plan_env_parts[i], NULL);

		if (part)
			h = look_at(part, h);
		free(part);
	}
	return h;
}

int plan_env_find_trees(struct plan_env *env, struct err *e)
{
	env->tree = paths_find_part("rootfs/debian", e);
	if (!env->tree)
		return -1;
	env->sets = paths_sets_dir(env->tree);
	env->nested = access(NESTED, F_OK) == 0;
	return 0;
}

static int find_parts(struct plan_env *env, const char *kernel, struct err *e)
{
	env->kernel = kernel ? realpath(kernel, NULL) : paths_find_part("linux", e);
	if (!env->kernel)
		return kernel ? err_sys(e, "kernel %s", kernel) : -1;
	env->init = paths_find_part("vbet-init", e);
	env->launcher = paths_find_part("vbet-launch", e);
	env->substrate = paths_find_part("vsubstrate", e);
	return plan_env_find_trees(env, e) == 0 && env->init && env->launcher && env->substrate
		       ? 0
		       : -1;
}

int plan_env_make(struct plan_env *env, const struct graph *g, const struct plan_wish *wish,
		  const char *lab_dir, struct err *e)
{
	*env = (struct plan_env){
		.lab_dir = lab_dir,
		.base_dir = wish->base_dir,
		.keep_disks = wish->keep_disks,
		.cpus = cpus_online(),
		.insecure = wish->insecure,
		.memory_bytes = wish->memory_bytes,
		.cpu_ppm = wish->cpu_ppm,
		.processes = wish->processes,
		.descriptors_max = wish->descriptors_max,
		.guests_at_once = wish->guests_at_once,
	};
	derive_key(g, env->key);
	if (find_parts(env, wish->kernel, e) == 0)
		return 0;
	plan_env_finish(env);
	return -1;
}

void plan_env_look(const struct plan_env *env, struct manifest *m, struct arena *a, bool quick)
{
	m->parts[MANIFEST_KERNEL].where = env->kernel;
	m->parts[MANIFEST_INIT].where = env->init;
	m->parts[MANIFEST_SUBSTRATE].where = env->substrate;
	m->parts[MANIFEST_TREE].where = env->tree;
	manifest_look(m, a, quick);
}

void plan_env_finish(struct plan_env *env)
{
	free(env->kernel);
	free(env->init);
	free(env->launcher);
	free(env->substrate);
	free(env->tree);
	free(env->sets);
	memset(env, 0, sizeof(*env));
}

const char *plan_env_packages(const struct graph_node *n, struct arena *a)
{
	const char *text = n->n_packages ? n->packages[0] : "";

	for (size_t i = 1; i < n->n_packages; i++)
		text = arena_printf(a, "%s %s", text, n->packages[i]);
	return text;
}

/* All that such a guest needs is in our own file system. */
static bool has_our_root(const struct plan_env *env, const struct graph_node *n)
{
	return env->nested && n->vbet && !n->n_packages;
}

const char *plan_env_tree(const struct plan_env *env, const struct graph_node *n, struct arena *a)
{
	if (n->root)
		return n->root[0] == '/' ? n->root
					 : arena_printf(a, "%s/%s", env->base_dir, n->root);
	if (!n->n_packages && !n->vbet)
		return env->tree;
	if (has_our_root(env, n))
		return "/";
	const char *names = plan_env_packages(n, a);
	uint64_t start = n->vbet ? look_at_installation() : HASH_FNV1A_START;

	if (!env->sets)
		return NULL;
	return arena_printf(a, "%s/%s%016llx", env->sets, n->vbet ? "vbet-" : "",
			    (unsigned long long)hash_fnv1a(names, strlen(names), start));
}

/* One of a script's may change while it is used, and so may the file system that we run in. */
bool plan_env_tree_is_fixed(const struct plan_env *env, const struct graph_node *n)
{
	bool has_own = n->n_packages || n->vbet;

	if (n->root || has_our_root(env, n))
		return false;
	return has_own ? env->sets != NULL : env->tree && strcmp(env->tree, "/") != 0;
}

/*
 * The server only checks: the command that asked for the lab has built what is missing
 * (packages.c). For nodes that are added to a running lab nobody has, and the user is told how.
 */
int plan_env_check_trees(const struct plan_env *env, const struct graph *g, struct err *e)
{
	struct arena a = {0};
	int rc = 0;

	for (size_t i = 0; i < g->n_nodes && rc == 0; i++) {
		const struct graph_node *n = &g->nodes[i];
		bool own = n->n_packages || n->vbet;
		const char *tree = own ? plan_env_tree(env, n, &a) : NULL;

		if (!own || (tree && access(tree, X_OK) == 0))
			continue;
		if (n->vbet)
			rc = err_set(e, ERR_ENV,
				     "%s: its file system is not built yet: run 'vbet packages' "
				     "with a script that has it first",
				     n->name);
		else
			rc = err_set(e, ERR_ENV,
				     "%s: its packages are not built yet: run 'vbet packages %s' "
				     "first",
				     n->name, plan_env_packages(n, &a));
	}
	arena_finish(&a);
	return rc;
}
