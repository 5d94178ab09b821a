/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key is a hash of a text with all that a boot comes from, each part with its length or on a
 * line of its own, so that no two different sets of parts make the same text: this program and the
 * parts of the installation, the kernel of this machine, the graph and the plan (which has the
 * options that change it), the texts that the script is made of, and the trees.
 *
 * By the real clock the substrate's key is drawn for each lab; it is not in the text.
 */
#include "vbet-server/command/warm_key.h"

#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/plan/plan.h"
#include "vbet-server/store/manifest.h"

#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static void put(FILE *f, const char *key, const char *value)
{
	fprintf(f, "%s ", key);
	words_put(f, value);
	fputc('\n', f);
}

static int put_programs(FILE *f, const struct plan_env *env, struct err *e)
{
	const char *const paths[] = {"/proc/self/exe", env->launcher};

	put(f, "vbet", VBET_VERSION);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct stat st;

		if (stat(paths[i], &st) < 0)
			return err_sys(e, "%s", paths[i]);
		fprintf(f, "program %lld %lld.%09ld %llu\n", (long long)st.st_size,
			(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
			(unsigned long long)st.st_ino);
	}
	return 0;
}

static void put_machine(FILE *f)
{
	struct utsname u;

	if (uname(&u) < 0)
		return;
	put(f, "host", u.release);
	put(f, "host", u.version);
	put(f, "host", u.machine);
}

/* Of a tree without an id nobody knows what is in it. */
static int put_tree(FILE *f, const char *tree, struct arena *a, struct err *e)
{
	struct manifest m = {.parts = {[MANIFEST_TREE].where = tree}};
	struct stat st;

	manifest_look_at_tree(&m, a);
	if (!*m.parts[MANIFEST_TREE].id || !strcmp(tree, "/"))
		return err_set(e, ERR_ENV, "what is in the tree %s is not known", tree);
	if (stat(tree, &st) < 0)
		return err_sys(e, "%s", tree);
	put(f, "tree", m.parts[MANIFEST_TREE].id);
	fprintf(f, "made %lld.%09ld\n", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return 0;
}

/* Neighbours as a rule have the same: *last. */
static int put_tree_of(FILE *f, const struct plan_env *env, const struct graph_node *n,
		       const char **last, struct arena *a, struct err *e)
{
	const char *tree = plan_env_tree(env, n, a);

	if (!tree)
		return err_set(e, ERR_ENV, "%s has no tree", n->name);
	if (!strcmp(tree, *last))
		return 0;
	*last = tree;
	return put_tree(f, tree, a, e);
}

static int put_trees(FILE *f, const struct plan_env *env, const struct graph *g, struct err *e)
{
	struct arena a = {0};
	const char *last = "";
	int rc = 0;

	for (size_t i = 0; i < g->n_nodes && rc == 0; i++) {
		const struct graph_node *n = &g->nodes[i];

		if (node_kind_is_outside(n->kind))
			rc = err_set(e, ERR_ENV, "%s leads outside of the lab", n->name);
		else if (node_kind_is_guest(n->kind))
			rc = put_tree_of(f, env, n, &last, &a, e);
	}
	arena_finish(&a);
	return rc;
}

static void put_parts(FILE *f, const struct plan_env *env)
{
	struct manifest m = {.lab = NULL};
	struct arena a = {0};

	plan_env_look(env, &m, &a, true);
	for (int i = 0; i < MANIFEST_PARTS; i++) {
		put(f, "part", m.parts[i].id ? m.parts[i].id : "");
		put(f, "at", m.parts[i].where ? m.parts[i].where : "");
	}
	put(f, "tsc", m.tsc ? m.tsc : "");
	arena_finish(&a);
}

static void put_texts(FILE *f, const struct sources *s)
{
	const struct source_text *t;

	VEC_FOREACH (t, &s->files) {
		put(f, "text", t->path);
		fprintf(f, "%zu\n", t->len);
		fwrite(t->text, 1, t->len, f);
	}
}

/* What the plan does not have in it. */
static void put_options(FILE *f, const struct graph *g, const struct lab_options *opt,
			const struct plan_env *env)
{
	const struct plan_wish *w = &opt->plan;

	put(f, "lab", g->lab);
	put(f, "run", env->lab_dir);
	put(f, "dir", w->base_dir);
	fprintf(f, "clock %d spin %d seed %llu\n", (int)g->clock, (int)g->spin,
		(unsigned long long)g->seed);
	fprintf(f, "insecure %d cpus %u memory %lld cpu %lld at-once %u processes %u captures %d\n",
		w->insecure, env->cpus, (long long)w->memory_bytes, (long long)w->cpu_ppm,
		w->guests_at_once, w->processes, opt->captures != NULL);
}

static int put_all(FILE *f, struct loaded *l, const struct lab_options *opt,
		   const struct plan_env *env, struct err *e)
{
	struct plan *plan = plan_make(l->graph, env, e);
	int rc = plan ? put_programs(f, env, e) : -1;

	if (rc == 0)
		rc = put_trees(f, env, l->graph, e);
	if (rc == 0) {
		put_machine(f);
		put_parts(f, env);
		put_options(f, l->graph, opt, env);
		graph_print(f, l->graph);
		plan_print(f, plan);
		put_texts(f, &l->sources);
	}
	plan_destroy(plan);
	return rc;
}

int warm_key(char key[WARM_KEY + 1], struct loaded *l, const struct lab_options *opt,
	     const char *run_dir, struct err *e)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];
	struct plan_env env;
	char *text = NULL;
	size_t len = 0;

	if (plan_env_make(&env, l->graph, &opt->plan, run_dir, e) < 0)
		return -1;
	FILE *f = xmemstream(&text, &len);

	env.read_file = sources_read;
	env.ctx = &l->sources;
	if (l->graph->clock == CLOCK_REAL)
		memset(env.key, 0, sizeof(env.key));
	int rc = put_all(f, l, opt, &env, e);

	fclose(f);
	SHA256Data((const uint8_t *)text, len, hex);
	snprintf(key, WARM_KEY + 1, "%.*s", WARM_KEY, hex);
	free(text);
	plan_env_finish(&env);
	return rc;
}
