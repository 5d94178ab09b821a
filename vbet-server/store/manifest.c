/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The manifest of a kept run: all that must be the same for the run to repeat.
 *
 * Lines of words, KEY VALUE..., and at the end the graph as text. Unknown keys are skipped, so that
 * an older vbet reads what a newer one has written, as long as the version is the same. The graph
 * is in it to be compared, not read: it says whether the script of then makes the same network
 * today.
 *
 * Files are known by what is in them (SHA-256) and not by where they are. Hashing a kernel for each
 * short-lived run would take longer than some runs do, so there is a quick form, with size and time
 * of change; it begins with '~', which no hash does. Both sides of a comparison must be of one
 * form, so the manifest of then decides (manifest_is_quick()).
 */
#include "vbet-server/store/manifest.h"

#include "lib/tsc.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/store/paths.h"

#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
	const char *key, *what;
} parts[] = {
	[MANIFEST_KERNEL] = {"kernel", "the guests' kernel"},
	[MANIFEST_INIT] = {"init", "the guests' process 1 (vbet-init)"},
	[MANIFEST_SUBSTRATE] = {"substrate", "vsubstrate"},
	[MANIFEST_TREE] = {"tree", "the guests' root file system"},
	[MANIFEST_CPU] = {"cpu", "the processor"},
};
_Static_assert(ARRAY_LEN(parts) == MANIFEST_PARTS, "parts out of step");

static const char *hash_file(struct arena *a, const char *path)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];

	return SHA256File(path, hex) ? arena_strdup(a, hex) : "";
}

/* Enough for a run that is only ever repeated on this machine. */
static const char *stamp_file(struct arena *a, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return "";
	return arena_printf(a, "~%lld.%lld.%09ld", (long long)st.st_size,
			    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

/* A tree of ours has an id (rootfs/README.md); of another we know only where it is. */
static const char *tree_id(struct arena *a, const char *tree)
{
	char *path = xasprintf("%s/usr/share/vbet/id", tree);
	size_t len;
	char *text = paths_read_file(path, &len, NULL);
	const char *id = text ? arena_strndup(a, text, strcspn(text, "\n")) : "";

	free(text);
	free(path);
	return id;
}

/* The value of the first line "key : value". */
static const char *cpu_value(struct arena *a, const char *text, const char *key)
{
	const char *p = strstr(text, key);

	p = p ? strchr(p, ':') : NULL;
	if (!p)
		return "";
	p += 1 + strspn(p + 1, " \t");
	return arena_strndup(a, p, strcspn(p, "\n"));
}

/* Programs in guests choose what they run by the flags of the processor. */
static void look_at_cpu(struct manifest *m, struct arena *a)
{
	size_t len;
	char *text = paths_read_file("/proc/cpuinfo", &len, NULL);
	const char *flags = text ? cpu_value(a, text, "\nflags") : "";
	const char *name = text ? cpu_value(a, text, "\nmodel name") : "";
	const char *both = arena_printf(a, "%s%s", name, flags);
	char hex[SHA256_DIGEST_STRING_LENGTH];

	SHA256Data((const uint8_t *)both, strlen(both), hex);
	m->parts[MANIFEST_CPU].id = text ? arena_strdup(a, hex) : "";
	m->parts[MANIFEST_CPU].where = *name ? name : "unknown";
	free(text);
}

const char *manifest_tsc(bool hidden)
{
	return hidden ? "virtual" : "host";
}

void manifest_look_at_tree(struct manifest *m, struct arena *a)
{
	m->parts[MANIFEST_TREE].id = tree_id(a, m->parts[MANIFEST_TREE].where);
}

void manifest_look(struct manifest *m, struct arena *a, bool quick)
{
	for (int i = MANIFEST_KERNEL; i <= MANIFEST_SUBSTRATE; i++)
		m->parts[i].id =
			quick ? stamp_file(a, m->parts[i].where) : hash_file(a, m->parts[i].where);
	manifest_look_at_tree(m, a);
	look_at_cpu(m, a);
	if (!m->tsc)
		m->tsc = manifest_tsc(tsc_can_be_hidden());
}

static void put(FILE *out, const char *key, const char *one, const char *two)
{
	fprintf(out, "%s ", key);
	words_put(out, one);
	if (two) {
		fputc(' ', out);
		words_put(out, two);
	}
	fputc('\n', out);
}

void manifest_write(FILE *out, const struct manifest *m)
{
	fputs("vbet 1\n", out);
	put(out, "lab", m->lab, NULL);
	put(out, "clock", m->clock, NULL);
	fprintf(out, "seed %llu\n", (unsigned long long)m->seed);
	put(out, "spin", m->spin, NULL);
	put(out, "script", m->script, NULL);
	put(out, "dir", m->dir, NULL);
	if (m->disks)
		put(out, "disks", m->disks, NULL);
	if (m->unheld)
		put(out, "unheld", m->unheld, NULL);
	if (m->tsc)
		put(out, "tsc", m->tsc, NULL);
	for (int i = 0; i < MANIFEST_PARTS; i++)
		if (m->parts[i].where)
			put(out, parts[i].key, m->parts[i].id, m->parts[i].where);
	fprintf(out, "graph\n%s", m->graph);
}

/* Lines that mean nothing to us are from a version that knows more. */
static int take_line(struct manifest *m, const struct words *w, struct err *e)
{
	const char *key = w->at[0];
	const char *value = w->n > 1 ? w->at[1] : "";

	if (!strcmp(key, "vbet") && strcmp(value, "1") != 0)
		return err_set(e, ERR_USAGE, "a newer vbet wrote it (version %s)", value);
	if (!strcmp(key, "lab"))
		m->lab = value;
	else if (!strcmp(key, "clock"))
		m->clock = value;
	else if (!strcmp(key, "seed"))
		m->seed = strtoull(value, NULL, 10);
	else if (!strcmp(key, "spin"))
		m->spin = value;
	else if (!strcmp(key, "script"))
		m->script = value;
	else if (!strcmp(key, "dir"))
		m->dir = value;
	else if (!strcmp(key, "disks"))
		m->disks = value;
	else if (!strcmp(key, "tsc"))
		m->tsc = value;
	for (int i = 0; i < MANIFEST_PARTS && w->n == 3; i++) {
		if (strcmp(key, parts[i].key) != 0)
			continue;
		m->parts[i].id = value;
		m->parts[i].where = w->at[2];
	}
	return 0;
}

int manifest_read(struct manifest *m, struct arena *a, const char *text, struct err *e)
{
	struct words w;

	*m = (struct manifest){0};
	if (strncmp(text, "vbet ", 5) != 0)
		return err_set(e, ERR_USAGE, "it is no manifest of vbet");
	while (*text && !m->graph) {
		size_t n = strcspn(text, "\n");

		if (words_split(text, n, a, &w, e) < 0)
			return -1;
		text += n + (text[n] == '\n');
		if (w.n && !strcmp(w.at[0], "graph"))
			m->graph = arena_strdup(a, text);
		else if (w.n && take_line(m, &w, e) < 0)
			return -1;
	}
	if (!m->lab || !m->clock || !m->spin || !m->script || !m->dir || !m->graph)
		return err_set(e, ERR_USAGE, "the manifest is not whole");
	return 0;
}

bool manifest_is_quick(const struct manifest *m)
{
	return m->parts[MANIFEST_KERNEL].id && *m->parts[MANIFEST_KERNEL].id == '~';
}

/*
 * What is not known on either side (a tree without an id) cannot be said to be the same, unless it
 * lies in the same place: "may be another one".
 */
size_t manifest_compare(FILE *out, const struct manifest *then, const struct manifest *now)
{
	size_t n = 0;

	for (int i = 0; i < MANIFEST_PARTS; i++) {
		const char *a = then->parts[i].id;
		const char *b = now->parts[i].id;

		if (!a || !b || (*a && !strcmp(a, b)))
			continue;
		if (!*a && !*b && !strcmp(then->parts[i].where, now->parts[i].where))
			continue;
		fprintf(out, "%s %s another one: it was %s (%.12s), here it is %s (%.12s)\n",
			parts[i].what, *a && *b ? "is" : "may be", then->parts[i].where,
			*a ? a : "?", now->parts[i].where, *b ? b : "?");
		n++;
	}
	if (then->tsc && now->tsc && strcmp(then->tsc, now->tsc) != 0) {
		fprintf(out,
			"the time stamp counter in guests was the %s one, here it is the %s one\n",
			then->tsc, now->tsc);
		n++;
	}
	return n;
}

char *manifest_graph_text(const struct graph *g)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	graph_print(f, g);
	fclose(f);
	return text;
}

const char *manifest_compare_graphs(struct arena *a, const char *then, const char *now)
{
	for (size_t line = 1; *then || *now; line++) {
		size_t n = strcspn(then, "\n");
		size_t m = strcspn(now, "\n");

		if (n != m || memcmp(then, now, n) != 0)
			return arena_printf(a, "line %zu was '%.*s', is '%.*s'", line, (int)n, then,
					    (int)m, now);
		then += n + (then[n] == '\n');
		now += m + (now[m] == '\n');
	}
	return NULL;
}
