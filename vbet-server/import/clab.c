/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * containerlab's topologies: the file as a whole. Nodes are read first, as links name them; then
 * links, which say how many NICs a node has; then what runs in the nodes, since commands name NICs.
 *
 * Environment variables are replaced in the text before it is YAML, as containerlab does it. Here
 * there is no environment of a machine: each has its default, or stays as it is.
 */
#include "vbet-server/import/clab.h"

#include "lib/xalloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "${NAME:=value}" and "${NAME:-value}": containerlab takes the value if there is no such variable.
 */
static const char *default_of(const char *p, const char *end, const char **value, size_t *len)
{
	const char *q = p + 2;

	while (q < end && (isalnum((unsigned char)*q) || *q == '_'))
		q++;
	if (q == p + 2 || end - q < 3 || *q != ':' || (q[1] != '=' && q[1] != '-'))
		return NULL;
	*value = q + 2;
	while (q < end && *q != '}' && *q != '\n')
		q++;
	if (q == end || *q != '}')
		return NULL;
	*len = (size_t)(q - *value);
	return q + 1;
}

/* A default is shorter than what it stands in, so the text never grows. */
static char *take_defaults(struct import_model *m, const char *text, size_t *len)
{
	const char *end = text + *len;
	char *out = arena_alloc(&m->arena, *len + 1);
	char *to = out;

	for (const char *p = text; p < end;) {
		const char *value;
		size_t n;
		const char *after = end - p > 4 && p[0] == '$' && p[1] == '{'
					    ? default_of(p, end, &value, &n)
					    : NULL;

		if (!after) {
			*to++ = *p++;
			continue;
		}
		model_note(m, NULL, "environment variable in %.*s: its default was taken",
			   (int)(after - p), p);
		memcpy(to, value, n);
		to += n;
		p = after;
	}
	*len = (size_t)(to - out);
	return out;
}

/* What a key of the file that is no node and no link means for a lab of ours. */
static void note_rest(struct clab *c, const struct yaml_value *root)
{
	static const char *const known[] = {"name", "topology", "prefix"};

	for (size_t i = 0; i < root->n; i++) {
		const char *key = root->items[i].key;
		bool is_known = false;

		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			is_known |= !strcmp(key, known[k]);
		if (!strcmp(key, "mgmt"))
			model_note(
				c->m, NULL,
				"mgmt: there is no management network (vbet exec, vbet console)");
		else if (!is_known)
			model_note(c->m, NULL, "%s", key);
	}
}

int clab_read(struct import_model *m, const struct import_source *src, const char *text, size_t len,
	      struct err *e)
{
	const char *own = take_defaults(m, text, &len);
	struct yaml_value *root = yaml_tree_read(&m->arena, m->file, own, len, e);
	struct clab c = {.m = m, .src = src, .e = e};

	if (!root)
		return -1;
	c.topology = yaml_get(root, "topology");
	c.name = yaml_text(yaml_get(root, "name"));
	if (!c.topology || c.topology->kind != YAML_MAP)
		return yaml_wrong(e, m->file, root,
				  "there is no 'topology:' with nodes and links in it");
	m->remark = "eth0 was that of the management network: NIC(node, 2) is eth1.";
	if (c.name)
		model_set_lab(m, c.name);
	note_rest(&c, root);
	if (clab_read_nodes(&c) < 0 || clab_read_links(&c) < 0 || clab_read_contents(&c) < 0)
		return -1;
	return model_check_size(m, e);
}
