/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which of the known formats a text has. Names of files come first, as they are what users go by; a
 * *.yml can be anything, so what is in it is looked at, but not parsed: who is asked here has not
 * decided yet whether to read it.
 *
 * To read is the same for all: an empty model that is called after the file, the format's reader,
 * and then model_settle().
 */
#include "vbet-server/import/format.h"

#include "lib/xalloc.h"
#include "vbet-server/import/clab.h"
#include "vbet-server/import/kathara.h"
#include "vbet-server/import/mininet.h"
#include "vbet-server/import/netlab.h"
#include "vbet-server/import/topotests.h"
#include "vbet-server/import/zoo.h"

#include <string.h>

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text);
	size_t len = strlen(end);

	return n > len && !strcmp(text + n - len, end);
}

/* Does a line begin with that? */
static bool has_line(const char *text, const char *start)
{
	size_t len = strlen(start);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (!strncmp(p, start, len))
			return true;
	}
	return false;
}

static bool is_yaml(const char *base)
{
	return ends_in(base, ".yml") || ends_in(base, ".yaml");
}

static bool is_clab(const char *base, const char *text, size_t len)
{
	return ends_in(base, ".clab.yml") || ends_in(base, ".clab.yaml") ||
	       (is_yaml(base) && has_line(text, "topology:") && strstr(text, "nodes:"));
}

static bool is_kathara(const char *base, const char *text, size_t len)
{
	return !strcmp(base, "lab.conf");
}

static bool is_graphml(const char *base, const char *text, size_t len)
{
	return ends_in(base, ".graphml") || (ends_in(base, ".xml") && strstr(text, "<graphml"));
}

static bool is_gml(const char *base, const char *text, size_t len)
{
	return ends_in(base, ".gml");
}

/* What containerlab has below "topology:" stands at the margin. */
static bool is_netlab(const char *base, const char *text, size_t len)
{
	bool has_nodes = has_line(text, "nodes:") || has_line(text, "groups:");

	return is_yaml(base) &&
	       ((has_nodes && has_line(text, "links:")) ||
		(!strcmp(base, "topology.yml") && (has_nodes || has_line(text, "links:"))));
}

static bool is_topotest(const char *base, const char *text, size_t len)
{
	return ends_in(base, ".json") && strstr(text, "\"routers\"") && strstr(text, "\"links\"");
}

static const struct import_format formats[] = {
	{"a topology of containerlab", is_clab, clab_read},
	{"a topology of netlab", is_netlab, netlab_read},
	{"a topology of FRR's topotests", is_topotest, topotests_read},
	{"a graph in GraphML", is_graphml, graphml_read},
	{"a graph in GML", is_gml, gml_read},
	{"a lab of Kathará or Netkit", is_kathara, kathara_read},
};

static const char *base_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

const struct import_format *format_find(const char *file, const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (formats[i].is_one(base_of(file), text, len))
			return &formats[i];
	return NULL;
}

const struct import_format *format_find_name(const char *name)
{
	static const struct import_format mininet = {.name = "a topology of Mininet",
						     .read = mininet_read};

	return mininet_is_name(name) ? &mininet : NULL;
}

const char *format_list(void)
{
	return "topologies of containerlab (*.clab.yml), labs of Kathará and Netkit (lab.conf), "
	       "topologies of netlab (topology.yml), graphs of networks (*.graphml, *.gml), "
	       "names of Mininet (tree,2,3), topologies of FRR's topotests (*.json)";
}

static void name_lab(struct import_model *m, const char *file)
{
	const char *base = base_of(file);
	size_t dir = (size_t)(base - file);

	/* Where all labs call it the same, the directory has the lab's name. */
	if (dir > 1 && (!strcmp(base, "lab.conf") || !strcmp(base, "topology.yml"))) {
		char *parent = arena_strndup(&m->arena, file, dir - 1);

		if (strcmp(base_of(parent), ".") != 0 && strcmp(base_of(parent), "..") != 0) {
			model_set_lab(m, base_of(parent));
			return;
		}
	}
	model_set_lab(m, arena_strndup(&m->arena, base, strcspn(base, ".")));
}

int format_read(const struct import_format *f, struct import_model *m, const char *file,
		const struct import_source *src, const char *text, size_t len, struct err *e)
{
	model_init(m, file, f->name);
	name_lab(m, file);
	if (f->read(m, src, text, len, e) < 0)
		return -1;
	model_settle(m);
	return 0;
}
