/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plan needs to know of the machine. Making one looks for files: all else in this room is
 * pure. */
#ifndef VBET_SERVER_PLAN_PLAN_ENV_H
#define VBET_SERVER_PLAN_PLAN_ENV_H

#include "lib/err.h"
#include "topo/graph.h"
#include "vbet-server/store/manifest.h"

#include <stdbool.h>

struct plan;

struct plan_env {
	/* Owned: files of the installation. */
	char *kernel, *init, *launcher, *substrate;
	char *tree; /* owned: root file system of guests without one of their own */
	char *sets; /* owned: directory of the trees with more packages; or NULL: HOME is not set */
	bool nested; /* we are in a guest with vbet */
	/* Borrowed. */
	const char *lab_dir;    /* absolute path of the run directory */
	const char *base_dir;   /* directory of the script: what its file names are relative to */
	const char *keep_disks; /* absolute directory for what is written to disks; NULL: it goes
				   with the lab */
	unsigned cpus;          /* guests are pinned to them in turn; 0: not pinned */
	bool insecure;
	/* Of the lab as a whole; 0: no bound. */
	int64_t memory_bytes;
	int64_t cpu_ppm;         /* of one processor */
	unsigned guests_at_once; /* virtual clock: that may run side by side; 0: as many as help */
	uint8_t key[16];         /* of the substrate's control messages */
	unsigned processes; /* substrate processes that may share the work, to SPREAD_MAX; 0: one */
	size_t descriptors_max; /* of each of them; 0: no bound */
	/* Nodes stay in the process that this one has them in; or NULL. */
	const struct plan *running;
	unsigned gone; /* a substrate process that is left out, with all that it carries; 0: none */
	/* Text of a file named by the script (malloc'ed), or NULL with the error set. */
	char *(*read_file)(void *ctx, const char *path, size_t *len, struct err *e);
	void *ctx;
};

/* What the user says of it. Zeroed: nothing. */
struct plan_wish {
	const char *kernel;     /* a path; NULL: ours */
	const char *base_dir;   /* borrowed by the environment */
	const char *keep_disks; /* the same; or NULL */
	bool insecure;
	int64_t memory_bytes, cpu_ppm; /* of the lab as a whole */
	unsigned guests_at_once;
	unsigned processes;
	size_t descriptors_max;
};

/*
 * The environment of this machine for a lab in that directory (borrowed). The key is the same in
 * every run of the same script: a lab that need not repeat draws another. read_file is the
 * caller's to set. -1, with the error set: something is not installed.
 */
int plan_env_make(struct plan_env *env, const struct graph *g, const struct plan_wish *wish,
		  const char *lab_dir, struct err *e);
/* Looks at the parts that a run depends on: manifest_look(). */
void plan_env_look(const struct plan_env *env, struct manifest *m, struct arena *a, bool quick);
void plan_env_finish(struct plan_env *env);

/* What a guest with vbet has of the installation, beside this program: names of parts. */
enum { PLAN_ENV_PARTS = 5 };
extern const char *const plan_env_parts[PLAN_ENV_PARTS];
/* Only what plan_env_tree() asks for: the rest is as it was. 0, or -1: there is no common tree. */
int plan_env_find_trees(struct plan_env *env, struct err *e);
/*
 * The tree that the node boots from, in the arena. Nodes with the same packages have the same;
 * packages_build() (command/packages.h) makes it. NULL: there is no place for it.
 */
const char *plan_env_tree(const struct plan_env *env, const struct graph_node *n, struct arena *a);
/* Nothing in its tree will ever change. */
bool plan_env_tree_is_fixed(const struct plan_env *env, const struct graph_node *n);
/*
 * Whether the trees of all nodes with packages are there. 0, or -1: the error tells how to build
 * the first that is not.
 */
int plan_env_check_trees(const struct plan_env *env, const struct graph *g, struct err *e);
/* "nginx tshark": the packages of a node, in the arena. */
const char *plan_env_packages(const struct graph_node *n, struct arena *a);

#endif
