/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A new node brings a name for every guest of its network. What changes is the difference of
 * the "host" lines of two init.confs, one of the plan before and one of the new plan,
 * so that nothing here knows which names a guest should have.
 */
#include "vbet-server/lab/hosts.h"

#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"

#include <stdlib.h>
#include <string.h>

/* Room for the last line of a message. */
enum { MESSAGE_FULL = WIRE_PAYLOAD_MAX - 1024 };

/* A line "host NAME ADDRESS" of an init.conf. */
struct name_line {
	const char *at; /* not ended by a NUL */
	size_t len;
};

struct name_lines {
	VEC(struct name_line) lines;
};

static int by_text(const void *pa, const void *pb)
{
	const struct name_line *a = pa;
	const struct name_line *b = pb;
	int order = memcmp(a->at, b->at, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static void read_names(struct name_lines *n, const char *conf)
{
	while (*conf) {
		size_t len = strcspn(conf, "\n");

		if (!strncmp(conf, "host ", 5))
			vec_push(&n->lines, ((struct name_line){conf, len}));
		conf += len + (conf[len] == '\n');
	}
}

static bool has_line(const struct name_lines *sorted, const struct name_line *l)
{
	return sorted->lines.n &&
	       bsearch(l, sorted->lines.at, sorted->lines.n, sizeof(*l), by_text);
}

static void sort(struct name_lines *n)
{
	if (n->lines.n)
		qsort(n->lines.at, n->lines.n, sizeof(*n->lines.at), by_text);
}

/* The messages that are being written. */
struct writer {
	VEC(char *) messages;
	FILE *f; /* NULL: none is open */
	char *text;
	size_t len;
};

static void end_message(struct writer *w)
{
	if (!w->f)
		return;
	fclose(w->f);
	w->f = NULL;
	vec_push(&w->messages, w->text);
}

static void put_line(struct writer *w, char sign, const struct name_line *l)
{
	struct arena a = {0};
	struct words words;

	if (words_split(l->at, l->len, &a, &words, NULL) == 0 && words.n == 3) {
		if (!w->f) {
			w->f = xmemstream(&w->text, &w->len);
			fputs("hosts", w->f);
		}
		fputc(' ', w->f);
		words_put(w->f, arena_printf(&a, "%c%s %s", sign, words.at[2], words.at[1]));
		if (ftell(w->f) > MESSAGE_FULL)
			end_message(w);
	}
	arena_finish(&a);
}

/*
 * The lines of one that the other does not have, in their order. The other is sorted: in a
 * large lab there are thousands.
 */
static void put_others(struct writer *w, char sign, const char *conf, const char *other)
{
	struct name_lines mine = {0};
	struct name_lines theirs = {0};
	const struct name_line *l;

	read_names(&mine, conf);
	read_names(&theirs, other);
	sort(&theirs);
	VEC_FOREACH (l, &mine.lines)
		if (!has_line(&theirs, l))
			put_line(w, sign, l);
	vec_free(&mine.lines);
	vec_free(&theirs.lines);
}

char **hosts_diff(const char *before, const char *after)
{
	struct writer w = {0};

	/* An /etc/hosts that the script laid there is the user's. */
	if (!strstr(after, "\nfile /etc/hosts ")) {
		put_others(&w, '-', before, after);
		put_others(&w, '+', after, before);
	}
	end_message(&w);
	vec_push(&w.messages, NULL);
	return w.messages.at;
}

static bool is_conf(const struct plan_step *s, const char *name)
{
	size_t len = strlen(name);

	return s->op == PLAN_FILE && !strncmp(s->name, "n/", 2) &&
	       !strncmp(s->name + 2, name, len) && !strcmp(s->name + 2 + len, "/j/init.conf");
}

/* Guests are asked for in the order of the plan: the next one is behind the last one found. */
static const char *find_conf(const struct plan *p, const char *name, size_t *from)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		size_t at = (*from + i) % p->n_steps;

		if (!is_conf(&p->steps[at], name))
			continue;
		*from = at;
		return p->steps[at].text;
	}
	return NULL;
}

void hosts_collect(struct lab *lab, const struct plan *from, const struct plan *to)
{
	size_t at_from = 0;
	size_t at_to = 0;

	for (size_t i = 0; i < lab->n_guests; i++) {
		const struct guest *gu = lab->guests[i];

		/* One that boots later finds them in its init.conf. */
		if (!gu || gu->state == GUEST_DOWN)
			continue;
		const char *before = find_conf(from, gu->name, &at_from);
		const char *after = find_conf(to, gu->name, &at_to);

		if (!before || !after || !strcmp(before, after))
			continue;
		char **messages = hosts_diff(before, after);

		for (size_t m = 0; messages[m]; m++)
			hotplug_note(lab, gu->name, messages[m], false);
		free(messages);
	}
}
