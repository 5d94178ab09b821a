/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The language, as three pure steps: text -> tree -> graph. Reads buffers; never a file, socket or
 * process: what `include` needs is asked of the caller.
 */
#ifndef TOPO_TOPO_H
#define TOPO_TOPO_H

#include "topo/graph.h"

#include <stdbool.h>
#include <stdio.h>

enum { TOPO_MAX_LAB = 32 }; /* letters in the name of a lab */

/*
 * True for 1 to TOPO_MAX_LAB small letters, digits and '-', the first of them no '-'. A lab's name
 * is that of its directory, too: nothing else may become one.
 */
bool topo_is_lab_name(const char *text);

struct topo_script; /* a parsed script, with the text it came from */

struct topo_options {
	const char *lab;      /* overrides the name in the script, or NULL */
	int64_t memory_limit; /* bytes the guests may have together; 0: no check */
	size_t socket_room;   /* longest "NODE/NIC" part a socket path has room for; 0: no check */
	/*
	 * Gives the text of a file named by include or <"file">; path as written, `from` the file
	 * that names it. Returns malloc'ed text (freed by topo) or NULL with the reason in `e`.
	 */
	char *(*read_file)(void *ctx, const char *from, const char *path, size_t *len,
			   struct err *e);
	/*
	 * The names in a directory of a lab that is one, or NULL: there is no such directory, or
	 * the script is no lab's directory. path: "" (where the script is), "r1", "r1/etc". A line
	 * for each name, sorted, of words (lib/words.h): KIND NAME, KIND being "dir", "file",
	 * "program" (a file that may be executed) or "other". malloc'ed, freed by topo. May be
	 * NULL.
	 */
	char *(*list_dir)(void *ctx, const char *path);
	/* A script that is read behind this one, as if it were its end; path as for include; or
	 * NULL. */
	const char *appendix;
	/* The lab's name, if neither the script nor `lab` says one; NULL: the script's file name.
	 */
	const char *default_lab;
	/* True if a host file exists (user trees, `source` files); may be NULL. */
	bool (*file_exists)(void *ctx, const char *path);
	void *ctx;
	size_t max_steps; /* how much work a script may be; 0: the default */
};

/*
 * Parses text (len bytes; `file` names it in messages). Always returns a script; errors are in it
 * (topo_n_errors). All errors of a script are collected, in the order of the text.
 */
struct topo_script *topo_parse(const char *file, const char *text, size_t len,
			       const struct topo_options *opt);
/* Evaluates and checks: the graph, or NULL if anything is wrong (errors are in the script). */
struct graph *topo_make_graph(struct topo_script *s);
/* Where a statement stands that somebody has typed, for messages. Zeroed: in line 1 of the console.
 */
struct topo_place {
	const char *name;   /* of a file or the like */
	unsigned line;      /* of its first line, from 1 */
	const char *before; /* in front of it in the language, but not its author's: "at 0s " */
};

/*
 * Continues a script with one more statement typed by a user at a running lab: parses and evaluates
 * it on top of everything before. Returns the new whole graph (the old one stays valid), or NULL;
 * after a failure the script is as it was before, apart from its errors (cleared by the next call).
 */
struct graph *topo_add_statement(struct topo_script *s, const struct topo_place *place,
				 const char *text, size_t len);
/* Takes the last one back: the graph as it was before. NULL: there is none. */
struct graph *topo_drop_statement(struct topo_script *s);
size_t topo_n_errors(const struct topo_script *s);
/* Prints all messages as file:line:col: text, the line and a caret. */
void topo_print_errors(FILE *out, const struct topo_script *s);
/*
 * Prints what is allowed and yet hardly meant in a graph of this script (topo/warn.h), one line
 * each, in the order of the text. Returns how many.
 */
struct warn_choice;
size_t topo_print_warnings(FILE *out, const struct topo_script *s, const struct graph *g,
			   const struct warn_choice *choice);
/* The text of that name, of the script or something it includes; NULL: none. */
struct source;
const struct source *topo_find_source(const struct topo_script *s, const char *name);
/* The syntax tree as text (`vbet check --dump=tree`). */
void topo_print_tree(FILE *out, const struct topo_script *s);
/* Names of the language's functions, for completion; NULL past the end. */
const char *topo_function_name(size_t i);
/* The lab has another name from now on (copied), in graphs that are made later. */
void topo_set_lab(struct topo_script *s, const char *lab);
void topo_destroy(struct topo_script *s);

#endif
