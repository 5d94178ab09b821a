/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The script that is made of a model, in the order in which a person would write it: nodes with
 * their NICs, then cables, then what runs in each node. It must be right as a script of ours and
 * readable as one: short forms where they say all, NICs only where there is something to say of
 * them.
 *
 * Files of the lab are named by file("..."); where the script stands in a directory of its own,
 * they are copied there, at the place that they had. What lies outside of the lab goes to "files/",
 * under its last name, with a number if that is taken.
 */
#include "vbet-server/import/script.h"

#include "lib/units.h"
#include "lib/xalloc.h"
#include "topo/service.h"
#include "vbet-server/import/name.h"
#include "vbet-server/import/put.h"

#include <string.h>

enum { WIDTH = 100 }; /* columns of a list */

struct writer {
	FILE *out;
	struct import_model *m;
	bool is_copied;
	VEC(struct script_copy) copies;
	struct name_set taken; /* paths of copies outside of the lab */
};

/* ---- files ---- */

static bool is_below(const char *path)
{
	return path[0] != '/' && strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0 &&
	       !strstr(path, "/../");
}

/* The first name of a path, if it means something in the directory of a lab. */
static bool is_taken_name(const struct writer *w, const char *path)
{
	size_t len = strcspn(path, "/");

	for (size_t i = 0; i < w->m->nodes.n; i++)
		if (strlen(w->m->nodes.at[i].name) == len &&
		    !strncmp(w->m->nodes.at[i].name, path, len))
			return true;
	return len == strlen("shared") && !strncmp(path, "shared", len);
}

/* A file that all guests have, as shared/ gives it to them. */
static bool is_of_all(const struct writer *w, const struct import_file *f)
{
	for (size_t i = 0; i < w->m->nodes.n; i++) {
		const struct import_node *n = &w->m->nodes.at[i];
		bool has = n->kind == IMPORT_SWITCH;

		for (size_t k = 0; k < n->files.n && !has; k++)
			has = n->files.at[k].source && !n->files.at[k].text &&
			      !strcmp(n->files.at[k].source, f->source) &&
			      !strcmp(n->files.at[k].path, f->path);
		if (!has)
			return false;
	}
	return !f->text && !strncmp(f->path, "/shared/", strlen("/shared/"));
}

/*
 * Where a directory of a lab has the file without a word of the script (docs/lab-directory.md), or
 * NULL: the script has to say it.
 */
static const char *place_of(struct writer *w, const struct import_node *n,
			    const struct import_file *f)
{
	if (!w->is_copied || !f->source || !strcmp(n->name, "tests") || !strcmp(n->name, "shared"))
		return NULL;
	if (f->daemon)
		return arena_printf(&w->m->arena, "%s/%s.conf", n->name, f->daemon);
	/* There it would be the configuration of a daemon that is started. */
	for (size_t i = 0; service_at(i); i++)
		if (service_at(i)->path && !strcmp(service_at(i)->path, f->path))
			return NULL;
	if (is_of_all(w, f))
		return f->path + 1;
	return strchr(f->path + 1, '/') && is_below(f->path + 1)
		       ? arena_printf(&w->m->arena, "%s%s", n->name, f->path)
		       : NULL;
}

/* True if the file needs no word of the script. */
static bool lay_file(struct writer *w, const struct import_node *n, const struct import_file *f)
{
	const char *place = place_of(w, n, f);
	struct script_copy c = {f->source, place, f->text, f->is_executable && !f->daemon, true};

	for (size_t i = 0; place && i < w->copies.n; i++)
		if (!strcmp(w->copies.at[i].to, place))
			return true;
	if (place)
		vec_push(&w->copies, c);
	return place != NULL;
}

/* Where the script finds the file. */
static const char *path_of(struct writer *w, const struct import_file *f)
{
	const char *base = strrchr(f->source, '/');
	struct script_copy c = {f->source, f->source, f->text, f->is_executable, false};

	if (!w->is_copied)
		return f->source;
	for (size_t i = 0; i < w->copies.n; i++)
		if (!strcmp(w->copies.at[i].from, f->source) && !w->copies.at[i].is_laid)
			return w->copies.at[i].to;
	if (!is_below(f->source) || is_taken_name(w, f->source))
		c.to = arena_printf(&w->m->arena, "files/%s", base ? base + 1 : f->source);
	c.to = name_take(&w->taken, &w->m->arena, c.to);
	vec_push(&w->copies, c);
	return c.to;
}

/* A file of the lab, as it is, or as a copy that can be changed. */
static bool is_beside(const struct writer *w, const struct import_file *f)
{
	return f->source && (w->is_copied || !f->text);
}

static void put_content(struct writer *w, const struct import_file *f)
{
	if (is_beside(w, f)) {
		fputs("file(", w->out);
		put_string(w->out, path_of(w, f));
		fputc(')', w->out);
	} else {
		put_here_document(w->out, f->text);
	}
}

/* A here-document's lines come after the rest of the line that begins it, hence the two steps. */
static void put_file(struct writer *w, const struct import_node *n, const struct import_file *f)
{
	if (lay_file(w, n, f))
		return;
	if (f->daemon) {
		fprintf(w->out, "config(%s, %s, ", n->variable, f->daemon);
	} else {
		fprintf(w->out, "write(%s, ", n->variable);
		put_string(w->out, f->path);
		fputs(", ", w->out);
	}
	put_content(w, f);
	if (f->daemon && f->source)
		fputs(", may_fail = on", w->out);
	fputs(f->is_executable && !f->daemon ? ", mode = \"0755\")" : ")", w->out);
	if (!is_beside(w, f))
		put_here_document_body(w->out, f->text);
	fputc('\n', w->out);
}

/* ---- nodes ---- */

static const char *kind_name(enum import_kind kind)
{
	static const char *const names[] = {"host", "router", "firewall", "switch"};

	return names[kind];
}

static bool is_special(const struct import_nic *c)
{
	return c->mac || c->mtu || c->addrs.n;
}

static void put_nic(FILE *out, const struct import_nic *c)
{
	char text[80];

	fputs("alloc(NIC", out);
	if (c->addrs.n)
		fputs(c->addrs.n > 1 ? ", address = [" : ", address = ", out);
	for (size_t i = 0; i < c->addrs.n; i++)
		fprintf(out, "%s%s", i ? ", " : "",
			addr_format(&c->addrs.at[i], true, text, sizeof(text)));
	if (c->addrs.n > 1)
		fputc(']', out);
	if (c->mac)
		fprintf(out, ", mac = %s", c->mac);
	if (c->mtu)
		fprintf(out, ", mtu = %u", c->mtu);
	fputc(')', out);
}

/* All up to the last one of which there is something to say, or that stays without a cable. */
static size_t nics_to_tell(const struct import_node *n)
{
	size_t last = 0;

	for (size_t i = 0; i < n->nics.n; i++)
		if (is_special(&n->nics.at[i]))
			last = i + 1;
	return last ? n->nics.n : 0;
}

/* A name that is no host's name is its label, if it can be. */
static bool has_label(const struct import_node *n)
{
	return strcmp(n->name, n->was) != 0 && put_is_label(n->was);
}

static void put_alloc(struct writer *w, const struct import_node *n)
{
	char text[32];

	fprintf(w->out, "alloc(%s", kind_name(n->kind));
	if (strcmp(n->variable, n->name) != 0)
		fprintf(w->out, ", name = \"%s\"", n->name);
	if (has_label(n)) {
		fputs(", label = ", w->out);
		put_string(w->out, n->was);
	}
	if (n->has_rstp)
		fputs(", rstp = on", w->out);
	if (n->memory_bytes)
		fprintf(w->out, ", memory = %s",
			unit_format(UNIT_SIZE, n->memory_bytes, text, sizeof(text)));
	fputc(')', w->out);
}

static void put_node(struct writer *w, const struct import_node *n)
{
	size_t count = nics_to_tell(n);
	bool is_long = count > 2;

	fprintf(w->out, "%s = ", n->variable);
	if (count)
		fputs("attach(", w->out);
	put_alloc(w, n);
	for (size_t i = 0; i < count; i++) {
		fputs(is_long ? ",\n\t" : ", ", w->out);
		put_nic(w->out, &n->nics.at[i]);
	}
	if (count)
		fputc(')', w->out);
	bool is_lost = strcmp(n->name, n->was) != 0 && !has_label(n);

	if (is_lost || n->comment) {
		fputs(" # ", w->out);
		put_comment(w->out, is_lost ? n->was : n->comment);
	}
	if (is_lost && n->comment) {
		fputs(": ", w->out);
		put_comment(w->out, n->comment);
	}
	fputc('\n', w->out);
}

/* ---- cables ---- */

static void put_end(struct writer *w, const struct import_end *end)
{
	const struct import_node *n = &w->m->nodes.at[end->node];

	/* Ports of a switch are all alike. */
	if (n->kind == IMPORT_SWITCH || w->m->is_next_nic)
		fputs(n->variable, w->out);
	else
		fprintf(w->out, "NIC(%s, %zu)", n->variable, end->nic + 1);
}

static void put_link(struct writer *w, const struct import_link *l)
{
	char text[32];

	fputs("link(", w->out);
	put_end(w, &l->a);
	fputs(", ", w->out);
	put_end(w, &l->b);
	if (l->rate_bps)
		fprintf(w->out, ", rate = %s",
			unit_format(UNIT_RATE, l->rate_bps, text, sizeof(text)));
	if (l->delay_ns)
		fprintf(w->out, ", delay = %s",
			unit_format(UNIT_TIME, l->delay_ns, text, sizeof(text)));
	fputc(')', w->out);
	if (l->comment) {
		fputs(" # ", w->out);
		put_comment(w->out, l->comment);
	}
	fputc('\n', w->out);
}

/* ---- what runs in nodes ---- */

static void put_routes(struct writer *w, const struct import_node *n)
{
	char to[80];
	char via[80];

	for (size_t i = 0; i < n->commands.n; i++) {
		const struct import_command *c = &n->commands.at[i];

		if (c->meaning == IMPORT_SYSCTL) {
			fprintf(w->out, "sysctl(%s, \"%s\", ", n->variable, c->key);
			put_string(w->out, c->value);
			fputs(")\n", w->out);
		}
		if (c->meaning != IMPORT_ROUTE)
			continue;
		addr_format(&c->via, false, via, sizeof(via));
		if (c->is_default)
			fprintf(w->out, "default_route(%s, %s)\n", n->variable, via);
		else
			fprintf(w->out, "route(%s, %s, %s)\n", n->variable,
				addr_format(&c->addr, true, to, sizeof(to)), via);
	}
}

/*
 * In their order, as one may need what another has done; all that became statements has been done
 * before them. One that fails does not take the lab down, as it does not in any of the other tools:
 * labs have lines for programs that only their images have, and run all the same.
 */
static void put_commands(struct writer *w, const struct import_node *n)
{
	size_t count = 0;
	size_t done = 0;

	for (size_t i = 0; i < n->commands.n; i++)
		count += n->commands.at[i].meaning == IMPORT_RUN;
	for (size_t i = 0; i < n->commands.n; i++) {
		if (n->commands.at[i].meaning != IMPORT_RUN)
			continue;
		if (!done)
			fprintf(w->out, "exec(%s,%s", n->variable, count > 1 ? "\n\t" : " ");
		else
			fputs(",\n\t", w->out);
		put_string(w->out, n->commands.at[i].text);
		done++;
	}
	if (done)
		fprintf(w->out, ",%smay_fail = on)\n", count > 1 ? "\n\t" : " ");
}

static bool has_content(struct writer *w, const struct import_node *n)
{
	bool has = n->services.n > 0;

	for (size_t i = 0; i < n->commands.n; i++)
		has |= n->commands.at[i].meaning != IMPORT_ADDRESS;
	for (size_t i = 0; i < n->files.n; i++)
		has |= !place_of(w, n, &n->files.at[i]);
	return has;
}

static void put_content_of(struct writer *w, const struct import_node *n)
{
	if (has_content(w, n))
		fputc('\n', w->out);
	put_routes(w, n);
	for (size_t i = 0; i < n->files.n; i++)
		put_file(w, n, &n->files.at[i]);
	for (size_t i = 0; i < n->services.n; i++)
		fprintf(w->out, "service(%s, %s)\n", n->variable, n->services.at[i]);
	put_commands(w, n);
}

/* The daemon of which that file is a configuration that the script does not mention; or NULL. */
static const char *laid_daemon(struct writer *w, const struct import_node *n, size_t i)
{
	const struct import_file *f = &n->files.at[i];

	return f->daemon && place_of(w, n, f) ? f->daemon : NULL;
}

static bool has_config(struct writer *w, const struct import_node *n, const char *daemon)
{
	for (size_t i = 0; i < n->files.n; i++) {
		const char *laid = laid_daemon(w, n, i);

		if (laid && !strcmp(laid, daemon))
			return true;
	}
	return false;
}

static void put_tolerance(struct writer *w, const char *daemon)
{
	const struct import_model *m = w->m;
	size_t count = 0;
	size_t done = 0;

	for (size_t i = 0; i < m->nodes.n; i++)
		count += has_config(w, &m->nodes.at[i], daemon);
	fprintf(w->out, "service(%s", count > 1 ? "[" : "");
	for (size_t i = 0; i < m->nodes.n; i++)
		if (has_config(w, &m->nodes.at[i], daemon))
			fprintf(w->out, "%s%s", done++ ? ", " : "", m->nodes.at[i].variable);
	fprintf(w->out, "%s, %s, may_fail = on)\n", count > 1 ? "]" : "", daemon);
}

/*
 * Elsewhere a daemon runs without the lines that it does not take, and without its file if it takes
 * none of it; labs that work there have such lines.
 */
static void put_tolerances(struct writer *w)
{
	struct strvec done = {0};

	for (size_t i = 0; i < w->m->nodes.n; i++) {
		const struct import_node *n = &w->m->nodes.at[i];

		for (size_t k = 0; k < n->files.n; k++) {
			const char *daemon = laid_daemon(w, n, k);
			bool is_done = !daemon;

			for (size_t j = 0; j < done.n && !is_done; j++)
				is_done = !strcmp(done.at[j], daemon);
			if (is_done)
				continue;
			if (!done.n)
				fputs("\n# As there, a line that a daemon does not take is told "
				      "of, "
				      "and left out.\n",
				      w->out);
			put_tolerance(w, daemon);
			vec_push(&done, daemon);
		}
	}
	vec_free(&done);
}

/* ---- the whole ---- */

void script_write_notes(FILE *out, const struct import_model *m, const char *indent)
{
	for (size_t i = 0; i < m->notes.n; i++) {
		const struct import_note *note = &m->notes.at[i];

		fputs(indent, out);
		put_comment(out, note->text);
		for (size_t k = 0; k < note->nodes.n; k++) {
			fputs(k ? ", " : ": ", out);
			put_comment(out, note->nodes.at[k]);
		}
		fputc('\n', out);
	}
}

static bool has_laid_files(struct writer *w)
{
	for (size_t i = 0; i < w->m->nodes.n; i++) {
		const struct import_node *n = &w->m->nodes.at[i];

		for (size_t k = 0; k < n->files.n; k++)
			if (place_of(w, n, &n->files.at[k]))
				return true;
	}
	return false;
}

static void put_head(struct writer *w)
{
	const struct import_model *m = w->m;

	fputs("# ", w->out);
	put_comment(w->out, m->lab);
	fprintf(w->out, ", from %s: ", m->what);
	put_comment(w->out, m->file);
	fputc('\n', w->out);
	if (m->comment) {
		fputs("# ", w->out);
		put_comment(w->out, m->comment);
		fputc('\n', w->out);
	}
	if (m->notes.n) {
		fputs("#\n# Not carried over:\n", w->out);
		script_write_notes(w->out, m, "#   ");
	}
	if (has_laid_files(w))
		fputs("#\n# The files of a node are in the directory of its name.\n", w->out);
	fprintf(w->out, "\nlab = \"%s\"\n", m->lab);
	if (!m->keep_auto_address)
		fputs("auto_address = off\n", w->out);
	fputc('\n', w->out);
}

static void put_list(struct writer *w)
{
	const struct import_model *m = w->m;
	const char *separator = "";
	size_t column = 0;
	size_t length = 0;

	for (size_t i = 0; i < m->nodes.n; i++)
		length += strlen(m->nodes.at[i].variable) + 2;
	bool is_long = length > WIDTH - 20;

	fprintf(w->out, "\n%s = [%s", m->list, is_long ? "\n\t" : "");
	for (size_t i = 0; i < m->nodes.n; i++) {
		const struct import_node *n = &m->nodes.at[i];

		if (n->kind == IMPORT_SWITCH)
			continue;
		column += strlen(n->variable) + 2;
		fprintf(w->out, "%s%s", separator, n->variable);
		separator = ", ";
		if (is_long && column > WIDTH - 30) {
			separator = ",\n\t";
			column = 0;
		}
	}
	fputs(is_long ? "\n]\n" : "]\n", w->out);
}

void script_write(FILE *out, struct import_model *m, bool is_copied, struct script_copies *copies)
{
	struct writer w = {.out = out, .m = m, .is_copied = is_copied};

	name_take(&w.taken, &m->arena, "lab.vbet");
	put_head(&w);
	for (size_t i = 0; i < m->nodes.n; i++)
		put_node(&w, &m->nodes.at[i]);
	if (m->links.n)
		fprintf(out, "\n%s%s%s", m->remark ? "# " : "", m->remark ? m->remark : "",
			m->remark ? "\n" : "");
	for (size_t i = 0; i < m->links.n; i++)
		put_link(&w, &m->links.at[i]);
	for (size_t i = 0; i < m->nodes.n; i++)
		put_content_of(&w, &m->nodes.at[i]);
	put_tolerances(&w);
	if (m->list)
		put_list(&w);
	if (m->epilog)
		fputs(m->epilog, out);
	copies->n = w.copies.n;
	copies->at = arena_alloc(&m->arena, (w.copies.n + 1) * sizeof(*copies->at));
	if (w.copies.n)
		memcpy(copies->at, w.copies.at, w.copies.n * sizeof(*copies->at));
	vec_free(&w.copies);
	name_set_finish(&w.taken);
}
