/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes. A property is looked for in the node, its group, its kind and the defaults; lists and maps
 * (binds, exec, env, sysctls) are those of all four together, from the defaults to the node.
 */
#include "lib/xalloc.h"
#include "topo/service.h"
#include "vbet-server/import/clab.h"
#include "vbet-server/import/command.h"
#include "vbet-server/import/frr.h"
#include "vbet-server/import/tree.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 4 };

struct clab_node {
	struct clab *c;
	size_t place;
	const char *was;
	const struct yaml_value *layers[LAYERS]; /* the node first; NULL: nothing */
	const char *kind, *image;
	bool has_frr;
};

static const struct {
	const char *name;
	enum import_kind kind;
	bool has_frr;
} kinds[] = {
	{"linux", IMPORT_HOST, false},        {"bridge", IMPORT_SWITCH, false},
	{"ovs-bridge", IMPORT_SWITCH, false}, {"frr", IMPORT_ROUTER, true},
	{"frrouting", IMPORT_ROUTER, true},
};

/* Properties that are dealt with, or that say nothing to a lab of ours. */
static const char *const known[] = {
	"kind",
	"group",
	"image",
	"binds",
	"exec",
	"env",
	"sysctls",
	"extras",
	"startup-config",
	"network-mode",
	"enforce-startup-config",
	"image-pull-policy",
	"auto-remove",
	"suppress-startup-config",
};

/* The nearest layer that says anything wins. */
static const struct yaml_value *find(const struct clab_node *n, const char *key)
{
	const struct yaml_value *v = NULL;

	for (size_t i = 0; i < LAYERS && !v; i++)
		v = yaml_get(n->layers[i], key);
	return v;
}

static void find_layers(struct clab_node *n, const struct yaml_value *own)
{
	const struct yaml_value *top = n->c->topology;
	const struct yaml_value *defaults = yaml_get(top, "defaults");
	const char *group = yaml_text(yaml_get(own, "group"));

	if (!group)
		group = yaml_text(yaml_get(defaults, "group"));
	n->layers[0] = own;
	n->layers[1] = group ? yaml_get(yaml_get(top, "groups"), group) : NULL;
	n->layers[3] = defaults;
	n->kind = yaml_text(find(n, "kind"));
	n->kind = n->kind ? n->kind : "linux";
	n->layers[2] = yaml_get(yaml_get(top, "kinds"), n->kind);
	n->image = yaml_text(find(n, "image"));
}

/* Where a bind leads to in the guest; NULL: it has no such form. */
static const char *bind_target(const char *bind)
{
	const char *colon = strchr(bind, ':');

	return colon && colon[1] == '/' ? colon + 1 : NULL;
}

static bool has_frr_bind(const struct clab_node *n)
{
	for (size_t i = 0; i < LAYERS; i++) {
		const struct yaml_value *binds = yaml_get(n->layers[i], "binds");

		for (size_t k = 0; binds && binds->kind == YAML_LIST && k < binds->n; k++) {
			const char *text = yaml_text(binds->items[k].value);
			const char *to = text ? bind_target(text) : NULL;

			if (to && (!strncmp(to, "/etc/frr", 8) || !strncmp(to, "/etc/quagga", 11)))
				return true;
		}
	}
	return false;
}

/*
 * Kinds of other makers' systems become routers without a configuration: the lab has its shape, and
 * the note says what is missing. A host with files of FRR is a router.
 */
static enum import_kind choose_kind(struct clab_node *n)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].name, n->kind) != 0)
			continue;
		n->has_frr = kinds[i].has_frr ||
			     (kinds[i].kind == IMPORT_HOST &&
			      ((n->image && strstr(n->image, "frr")) || has_frr_bind(n)));
		return n->has_frr ? IMPORT_ROUTER : kinds[i].kind;
	}
	return IMPORT_ROUTER;
}

static bool is_known_kind(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].name, kind))
			return true;
	return false;
}

static int read_node(struct clab *c, const struct yaml_item *item)
{
	struct clab_node n = {.c = c, .was = item->key};

	if (item->value->kind != YAML_MAP && item->value->kind != YAML_NULL)
		return yaml_wrong(c->e, c->m->file, item->value,
				  "a node is a map of its properties");
	if (model_find_node(c->m, item->key) >= 0)
		return yaml_wrong(c->e, c->m->file, item->value, "there are two nodes '%.64s'",
				  item->key);
	find_layers(&n, item->value);
	model_add_node(c->m, item->key, choose_kind(&n));
	return 0;
}

int clab_read_nodes(struct clab *c)
{
	const struct yaml_value *nodes = yaml_get(c->topology, "nodes");

	if (!nodes || nodes->kind != YAML_MAP)
		return yaml_wrong(c->e, c->m->file, nodes ? nodes : c->topology,
				  "the topology has no map of nodes");
	for (size_t i = 0; i < nodes->n && !c->m->full; i++)
		if (read_node(c, &nodes->items[i]) < 0)
			return -1;
	return 0;
}

/* ---- what runs in a node ---- */

/*
 * From the defaults to the node: where a key is said twice, what is added last wins, and that is
 * the node's.
 */
static int each(const struct clab_node *n, const char *key, enum yaml_kind kind,
		int (*fn)(const struct clab_node *n, const struct yaml_item *item, void *ctx),
		void *ctx)
{
	struct clab *c = n->c;

	for (size_t i = LAYERS; i--;) {
		const struct yaml_value *v = yaml_get(n->layers[i], key);

		if (v && v->kind != kind)
			return yaml_wrong(c->e, c->m->file, v, "%s must be a %s", key,
					  kind == YAML_LIST ? "list" : "map");
		for (size_t k = 0; v && k < v->n && !c->m->full; k++)
			if (fn(n, &v->items[k], ctx) < 0)
				return -1;
	}
	return 0;
}

static char *replace(struct arena *a, const char *text, const char *what, const char *by)
{
	const char *at = strstr(text, what);

	return at ? arena_printf(a, "%.*s%s%s", (int)(at - text), text, by, at + strlen(what))
		  : arena_strdup(a, text);
}

/*
 * Only files of the lab: what is bound from the machine itself would be another thing on each
 * machine.
 */
static int add_bind(const struct clab_node *n, const struct yaml_item *item, void *ctx)
{
	struct import_model *m = n->c->m;
	const char *text = yaml_text(item->value);
	const char *to = text ? bind_target(text) : NULL;

	if (!to) {
		model_note(m, n->was, "bind %s", text ? text : "(no text)");
		return 0;
	}
	char *from = arena_strndup(&m->arena, text, (size_t)(to - 1 - text));
	char *path = arena_strndup(&m->arena, to, strcspn(to, ":"));

	from = replace(&m->arena, from, "__clabNodeName__", n->was);
	while (!strncmp(from, "./", 2))
		from += 2;
	while (strlen(from) > 1 && from[strlen(from) - 1] == '/')
		from[strlen(from) - 1] = '\0';
	while (strlen(path) > 1 && path[strlen(path) - 1] == '/')
		path[strlen(path) - 1] = '\0';
	bool is_of_machine = from[0] == '/' || from[0] == '~';

	if (!*from || is_of_machine || strstr(from, "__clab") ||
	    !tree_add(m, n->c->src, n->was, from, path, ctx))
		model_note(m, n->was, "bind %s%s", text,
			   is_of_machine ? ": of the machine, not of the lab"
					 : ": there is no such file");
	return 0;
}

/* Commands run in a shell of their own each; if they use variables, that shell reads them first. */
static int add_exec(const struct clab_node *n, const struct yaml_item *item, void *ctx)
{
	const char *text = yaml_text(item->value);
	const char *env = ctx;

	if (!text)
		return yaml_wrong(n->c->e, n->c->m->file, item->value, "a command is a text");
	if (env && strchr(text, '$'))
		text = arena_printf(&n->c->m->arena, ". %s; %s", env, text);
	command_add(n->c->m, n->place, text);
	return 0;
}

static int add_sysctl(const struct clab_node *n, const struct yaml_item *item, void *ctx)
{
	const char *text = yaml_text(item->value);

	if (!text)
		return yaml_wrong(n->c->e, n->c->m->file, item->value, "a sysctl has a value");
	command_add(n->c->m, n->place,
		    arena_printf(&n->c->m->arena, "sysctl -w %s=%s", item->key, text));
	return 0;
}

static int add_env(const struct clab_node *n, const struct yaml_item *item, void *ctx)
{
	struct import_model *m = n->c->m;
	const char *value = yaml_text(item->value);
	char **text = ctx;
	const char *p = item->key;

	while (isalnum((unsigned char)*p) || *p == '_')
		p++;
	if (*p || isdigit((unsigned char)*item->key) || (value && strpbrk(value, "'\n")) ||
	    (*text && strlen(*text) > 65536))
		model_note(m, n->was, "environment variable %s", item->key);
	else
		*text = arena_printf(&m->arena, "%sexport %s='%s'\n", *text ? *text : "", item->key,
				     value ? value : "");
	return 0;
}

static void add_startup_config(const struct clab_node *n, struct tree *t)
{
	struct import_model *m = n->c->m;
	const char *text = yaml_text(find(n, "startup-config"));

	if (!text)
		return;
	if (!n->has_frr) {
		model_note(m, n->was, "startup-config%s%s: vbet has no such system",
			   strchr(text, '\n') ? "" : " ", strchr(text, '\n') ? "" : text);
	} else if (strchr(text, '\n')) {
		frr_add_config(m, n->place, text);
	} else {
		char *from = replace(&m->arena, text, "__clabNodeName__", n->was);

		while (!strncmp(from, "./", 2))
			from += 2;
		if (!tree_add(m, n->c->src, n->was, from, SERVICE_FRR_PATH, t))
			model_note(m, n->was, "startup-config %s: there is no such file", text);
	}
}

static void add_extras(const struct clab_node *n)
{
	const struct yaml_value *extras = find(n, "extras");
	const struct yaml_value *daemons = yaml_get(yaml_get(extras, "frr"), "daemons");

	for (size_t i = 0; daemons && daemons->kind == YAML_LIST && i < daemons->n; i++) {
		const char *name = yaml_text(daemons->items[i].value);

		/* The others do nothing without lines of their own, from which they are known. */
		if (name && !strcmp(name, "bfdd") && n->has_frr)
			model_add_service(n->c->m, n->place, "bfdd");
	}
	if (extras && !daemons)
		model_note(n->c->m, n->was, "extras");
}

static void note_rest(const struct clab_node *n)
{
	struct import_model *m = n->c->m;

	if (!is_known_kind(n->kind))
		model_note(m, n->was, "kind %s: here a router of vbet, without its configuration",
			   n->kind);
	else if (n->image && !n->has_frr && m->nodes.at[n->place].kind != IMPORT_SWITCH)
		model_note(m, n->was, "image %s: here vbet's Debian, with its own programs",
			   n->image);
	for (size_t i = 0; i < LAYERS; i++) {
		const struct yaml_value *v = n->layers[i];

		for (size_t k = 0; v && v->kind == YAML_MAP && k < v->n && !m->full; k++) {
			const char *key = v->items[k].key;
			bool is_known = v->items[k].value->kind == YAML_NULL;

			for (size_t j = 0; j < ARRAY_LEN(known); j++)
				is_known |= !strcmp(key, known[j]);
			if (!is_known)
				model_note(m, n->was, "%s", key);
		}
	}
}

static int read_content(struct clab_node *n)
{
	static const char env_path[] = "/etc/profile.d/environment.sh";
	struct import_model *m = n->c->m;
	struct tree t = {0};
	char *env = NULL;
	int rc = each(n, "binds", YAML_LIST, add_bind, &t);

	if (rc == 0) {
		add_startup_config(n, &t);
		tree_lay(m, n->c->src, n->place, &t, n->has_frr);
		rc = each(n, "env", YAML_MAP, add_env, &env);
	}
	tree_finish(&t);
	if (rc < 0 || each(n, "sysctls", YAML_MAP, add_sysctl, NULL) < 0)
		return -1;
	if (env)
		model_add_file(m, n->place, &(struct import_file){.path = env_path, .text = env});
	if (each(n, "exec", YAML_LIST, add_exec, env ? (void *)env_path : NULL) < 0)
		return -1;
	add_extras(n);
	return 0;
}

/* A node with several cables passes packets on, as containers of a machine that does so do. */
static void choose_router(struct import_node *n)
{
	size_t plugged = 0;

	for (size_t i = 0; i < n->nics.n; i++)
		plugged += n->nics.at[i].is_plugged;
	if (n->kind == IMPORT_HOST && plugged > 1)
		n->kind = IMPORT_ROUTER;
}

int clab_read_contents(struct clab *c)
{
	const struct yaml_value *nodes = yaml_get(c->topology, "nodes");
	bool has_content = false;

	for (size_t i = 0; i < nodes->n && !c->m->full; i++) {
		struct clab_node n = {.c = c, .was = nodes->items[i].key};
		long place = model_find_node(c->m, n.was);

		n.place = (size_t)place;
		find_layers(&n, nodes->items[i].value);
		choose_kind(&n);
		note_rest(&n);
		struct import_node *node = &c->m->nodes.at[n.place];

		choose_router(node);
		if (node->kind != IMPORT_SWITCH && read_content(&n) < 0)
			return -1;
		has_content |= node->has_frr || node->commands.n;
	}
	c->m->keep_auto_address = !has_content;
	return 0;
}
