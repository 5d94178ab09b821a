/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Completion in the console: what may stand where the cursor is.
 *
 * One table says for each command what its arguments are; a line that has a bracket open is a
 * statement, where nodes and functions stand. Nothing is parsed: half a line is seldom a right one,
 * and a word too many in the list does no harm. Names of nodes and NICs are handed in by the
 * console, which asks the lab for them.
 */
#include "vbet-server/command/complete.h"

#include "lib/linkspec.h"
#include "lib/xalloc.h"
#include "topo/topo.h"
#include "vbet-server/command/cmd.h"

#include <string.h>

struct own_word {
	const char *name, *help;
};

static const struct own_word own_words[] = {
	{"nodes", "the nodes: kind, state, address, NICs"},
	{"net", "what is plugged where (as status)"},
	{"links", "the cables: what they do each way"},
	{"source FILE", "lines of a file, as if they were typed"},
	{"help", "this; 'help COMMAND' tells more of a command"},
	{"exit", "leave (also: quit, Ctrl-D)"},
	{"quit", NULL},
};

const char *complete_own_word(size_t i, const char **help)
{
	if (i >= ARRAY_LEN(own_words))
		return NULL;
	*help = own_words[i].help;
	return own_words[i].name;
}

static const char *const keywords[] = {"for", "if", "def", "include", "expect", "at", NULL};

enum argument { ARG_NODES = 1, ARG_NICS = 2, ARG_FILES = 4, ARG_KEYS = 8, ARG_COMMANDS = 16 };

struct rule {
	const char *command;
	const char *after;       /* only behind this word; NULL: anywhere */
	unsigned what;           /* enum argument */
	const char *const *also; /* words */
};

static const char *const clock_words[] = {"pace", "pause", "run", "step", "until", NULL};
static const char *const paces[] = {"max", "1", "10", NULL};
static const char *const link_ops[] = {"up", "down", "show", "set", "reset", NULL};
static const char *const plain[] = {"--plain", NULL};
static const char *const sides[] = {"--one-way", NULL};

/* Of a command the first line that fits counts. */
static const struct rule rules[] = {
	{"clock", "pace", 0, paces},
	{"clock", "until", 0, NULL},
	{"clock", NULL, 0, clock_words},
	{"link", "set", ARG_KEYS, NULL},
	{"link", "reset", 0, plain},
	{"link", "down", 0, sides},
	{"link", "up", 0, sides},
	{"link", NULL, ARG_NODES | ARG_NICS, link_ops},
	{"plug", NULL, ARG_NICS, NULL},
	{"unplug", NULL, ARG_NICS, NULL},
	{"capture", NULL, ARG_NICS, NULL},
	{"source", NULL, ARG_FILES, NULL},
	{"cp", NULL, ARG_FILES | ARG_NODES, NULL},
	{"help", NULL, ARG_COMMANDS, NULL},
};

static void offer(struct strvec *out, const char *text, const char *candidate)
{
	size_t len = strcspn(candidate, " ");

	if (strlen(text) <= len && !strncmp(candidate, text, strlen(text)))
		vec_push(out, xstrndup(candidate, len));
}

static void offer_all(struct strvec *out, const char *text, const char *const *list)
{
	for (size_t i = 0; list && list[i]; i++)
		offer(out, text, list[i]);
}

static void offer_commands(struct strvec *out, const char *text)
{
	for (size_t i = 0; cmd_at(i); i++)
		offer(out, text, cmd_at(i)->name);
}

static void offer_functions(struct strvec *out, const char *text)
{
	for (size_t i = 0; topo_function_name(i); i++)
		offer(out, text, topo_function_name(i));
}

/* NODE:NIC only once there is a colon: else a node would have too many names to be completed. */
static void offer_nodes(struct strvec *out, const char *text, const struct complete_node *nodes,
			size_t n, bool nics)
{
	for (size_t i = 0; i < n; i++) {
		const struct words *w = &nodes[i].words;

		offer(out, text, w->at[0]);
		for (size_t j = 4; nics && strchr(text, ':') && j < w->n; j++) {
			char *end = xasprintf("%s:%s", w->at[0], w->at[j]);

			if (!strchr(w->at[j], '='))
				offer(out, text, end);
			free(end);
		}
	}
}

/* "delay=", and in one direction "ab.delay=". */
static void offer_keys(struct strvec *out, const char *text)
{
	static const char *const directions[] = {"", "ab.", "ba."};
	const char *help;

	for (size_t d = 0; d < ARRAY_LEN(directions); d++) {
		if (d && strncmp(text, directions[d], 3) != 0)
			continue;
		for (size_t i = 0; linkspec_key(i, &help); i++) {
			char *key = xasprintf("%s%s=", directions[d], linkspec_key(i, &help));

			offer(out, text, key);
			free(key);
		}
	}
}

/*
 * A whole word before the cursor: "link set" is found in "link a b set delay=", not in "link
 * offset".
 */
static bool has_word(const char *line, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = line; (at = strstr(at, word)); at += len)
		if (at > line && at[-1] == ' ' && strchr(" \t", at[len]))
			return true;
	return false;
}

static const struct rule *find_rule(const char *line)
{
	size_t len = strcspn(line, " \t");

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (strlen(rules[i].command) == len && !strncmp(rules[i].command, line, len) &&
		    (!rules[i].after || has_word(line, rules[i].after)))
			return &rules[i];
	return NULL;
}

bool complete_words(const char *line, const char *text, const struct complete_node *nodes,
		    size_t n_nodes, struct strvec *out)
{
	static const struct rule any = {.what = ARG_NODES | ARG_NICS};
	const char *help;

	line += strspn(line, " \t");
	if (!*line) {
		offer_commands(out, text);
		for (size_t i = 0; complete_own_word(i, &help); i++)
			offer(out, text, complete_own_word(i, &help));
		offer_nodes(out, text, nodes, n_nodes, false);
		offer_functions(out, text);
		offer_all(out, text, keywords);
		return true;
	}
	const struct rule *r = find_rule(line);

	if (!r)
		r = &any;
	if (r == &any && strpbrk(line, "(=")) {
		offer_functions(out, text);
		offer_all(out, text, keywords);
	}
	if (r->what & ARG_COMMANDS)
		offer_commands(out, text);
	if (r->what & (ARG_NODES | ARG_NICS))
		offer_nodes(out, text, nodes, n_nodes, r->what & ARG_NICS);
	if (r->what & ARG_KEYS)
		offer_keys(out, text);
	offer_all(out, text, r->also);
	return !(r->what & ARG_FILES);
}
