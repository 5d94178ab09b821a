/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of FRR and Quagga. Other tools lay them where a daemon looks for them, and "daemons" says
 * who is started; in our language config(node, daemon, text) does both. So each file becomes a
 * configuration of its daemon if that would have read it there, and a note if not: an integrated
 * frr.conf makes FRR ignore the others, and a daemon that is off reads none.
 */
#include "vbet-server/import/frr.h"

#include "lib/xalloc.h"
#include "topo/frr_conf.h"
#include "topo/service.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const directories[] = {"/etc/frr/", "/etc/quagga/", "/etc/zebra/"};

/* The name of a file in one of the directories, or NULL. */
static const char *name_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
		size_t len = strlen(directories[i]);

		if (!strncmp(path, directories[i], len) && path[len] && !strchr(path + len, '/'))
			return path + len;
	}
	return NULL;
}

bool frr_is_file(const char *path)
{
	return name_of(path) != NULL;
}

struct frr {
	struct import_model *m;
	const struct import_source *src;
	size_t node;
	char *daemons; /* the text of "daemons", or NULL: not there */
	bool has_integrated;
};

/* Does "daemons" start it? True if there is no such file. */
static bool is_on(const struct frr *f, const char *daemon)
{
	size_t len = strlen(daemon);

	for (const char *p = f->daemons; p && *p;) {
		while (isspace((unsigned char)*p))
			p++;
		if (!strncmp(p, daemon, len) && p[len] == '=')
			return !strncmp(p + len + 1, "yes", 3) ||
			       (p[len + 1] >= '1' && p[len + 1] <= '9');
		p = strchr(p, '\n');
	}
	return !f->daemons;
}

/*
 * Lines that would keep a daemon of ours from starting: logs in directories that are not there, and
 * "debug" with words of Quagga that FRR does not know. Returns the text without them, or NULL if
 * there are none.
 */
static char *without_logs(struct frr *f, const char *path, const char *text)
{
	char *out = arena_strdup(&f->m->arena, text);
	char *to = out;
	bool is_changed = false;

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		size_t indent = strspn(p, " \t");
		bool is_debug = !strncmp(p, "debug ", 6);
		bool drop = is_debug || (!strncmp(p + indent, "log file ", 9) &&
					 strncmp(p + indent + 9, "/var/log/frr/", 13) != 0);

		len += p[len] == '\n';
		if (is_debug) {
			model_note(f->m, f->m->nodes.at[f->node].was, "'debug' in %s", path);
			is_changed = true;
		} else if (drop) {
			model_note(f->m, f->m->nodes.at[f->node].was,
				   "'%.*s' of %s: vbet keeps what daemons say",
				   (int)strcspn(p + indent, "\r\n"), p + indent, path);
			is_changed = true;
		} else {
			memmove(to, p, len);
			to += len;
		}
		p += len;
	}
	*to = '\0';
	return is_changed ? out : NULL;
}

/*
 * Quagga took and gave routes without a policy (RFC 8212 is younger), and announced networks that
 * it had no route to; FRR does so only if it is told. NULL: there is no BGP in the text.
 */
static char *with_ways_of_quagga(struct arena *a, const char *text)
{
	static const char router[] = "router bgp ";
	static const char ways[] = " no bgp ebgp-requires-policy\n no bgp network import-check\n";
	const char *p =
		strncmp(text, router, strlen(router)) ? strstr(text, "\nrouter bgp ") : text;
	const char *end = p ? strchr(p + 1, '\n') : NULL;

	return end ? arena_printf(a, "%.*s%s%s", (int)(end + 1 - text), text, ways, end + 1) : NULL;
}

static void add_config(struct frr *f, const struct import_file *file, const char *daemon)
{
	struct import_file config = *file;
	size_t len;
	char *text = f->src->read(f->src->ctx, file->source, &len, NULL);

	config.daemon = daemon;
	config.path = arena_printf(&f->m->arena, "/etc/frr/%s.conf", daemon);
	config.is_executable = false;
	if (text) {
		char *changed = without_logs(f, file->path, text);
		bool is_quagga = strncmp(file->path, "/etc/frr/", 9) != 0;
		char *more = is_quagga ? with_ways_of_quagga(&f->m->arena, changed ? changed : text)
				       : NULL;

		config.text = more ? more : changed;
	}
	free(text);
	model_add_file(f->m, f->node, &config);
	f->m->nodes.at[f->node].has_frr = true;
}

/*
 * vtysh.conf says how files are written, and who may run vtysh; in guests of ours, root may, and
 * needs the line that says so. Is there more in it?
 */
static void skip_vtysh_conf(struct frr *f, const struct import_file *file)
{
	static const char *const known[] = {"service integrated-vtysh-config",
					    "username ",
					    "no service integrated-vtysh-config",
					    "hostname ",
					    "!",
					    "#",
					    "\n"};
	size_t len;
	char *text = f->src->read(f->src->ctx, file->source, &len, NULL);
	bool has_more = false;

	for (const char *p = text; p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
		bool is_known = false;

		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			is_known |= !strncmp(p, known[i], strlen(known[i]));
		has_more |= !is_known;
	}
	if (has_more)
		model_note(f->m, f->m->nodes.at[f->node].was, "%s", file->path);
	free(text);
}

/* frr.conf, or the file of a daemon, or another. */
static void add_file(struct frr *f, const struct import_file *file)
{
	const char *name = name_of(file->path);
	const char *was = f->m->nodes.at[f->node].was;
	size_t stem = strlen(name) > 5 ? strlen(name) - 5 : 0;
	char daemon[32] = "";

	if (stem && stem < sizeof(daemon) && !strcmp(name + stem, ".conf"))
		memcpy(daemon, name, stem);
	if (!strcmp(daemon, "Quagga"))
		strcpy(daemon, SERVICE_FRR);
	const struct service *s = service_find(daemon);

	if (!strcmp(name, "daemons"))
		return;
	if (!s || !s->is_frr || s->is_implied) {
		model_note(f->m, was, "%s: FRR of vbet does not read it", file->path);
	} else if (!strcmp(daemon, "vtysh")) {
		skip_vtysh_conf(f, file);
	} else if (!strcmp(daemon, SERVICE_FRR)) {
		add_config(f, file, s->name);
	} else if (f->has_integrated) {
		model_note(f->m, was, "%s: with a frr.conf, FRR does not read it", file->path);
	} else if (strcmp(daemon, "zebra") != 0 && strcmp(daemon, "staticd") != 0 &&
		   !is_on(f, daemon)) {
		model_note(f->m, was, "%s: the list of daemons does not start it", file->path);
	} else {
		add_config(f, file, s->name);
	}
}

/* bfdd does something without a line of its own, if another daemon asks it to. */
static void add_bare_daemons(struct frr *f)
{
	const struct service *s;

	for (size_t i = 0; f->daemons && (s = service_at(i)); i++)
		if (s->is_frr && s->command && s->is_useful_bare && !s->is_implied &&
		    strcmp(s->name, "zebra") != 0 && is_on(f, s->name))
			model_add_service(f->m, f->node, s->name);
}

void frr_add_config(struct import_model *m, size_t node, const char *text)
{
	struct import_file f = {.path = SERVICE_FRR_PATH,
				.daemon = SERVICE_FRR,
				.text = arena_strdup(&m->arena, text)};

	model_add_file(m, node, &f);
	m->nodes.at[node].has_frr = true;
}

void frr_add_files(struct import_model *m, const struct import_source *src, size_t node,
		   const struct import_file *files, size_t n, bool is_started)
{
	struct frr f = {.m = m, .src = src, .node = node};
	size_t len;

	for (size_t i = 0; i < n && is_started; i++) {
		const char *name = name_of(files[i].path);

		if (name && !strcmp(name, "daemons") && !f.daemons)
			f.daemons = src->read(src->ctx, files[i].source, &len, NULL);
		f.has_integrated |=
			name && (!strcmp(name, "frr.conf") || !strcmp(name, "Quagga.conf"));
	}
	for (size_t i = 0; i < n; i++) {
		if (!name_of(files[i].path))
			continue;
		if (is_started)
			add_file(&f, &files[i]);
		else
			model_add_file(m, node, &files[i]);
	}
	if (is_started)
		add_bare_daemons(&f);
	free(f.daemons);
}
