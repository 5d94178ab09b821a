/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands for cables and reachability: link, plug, unplug, ping, pingall; and clock, which goes to
 * the server in the same way.
 *
 * What changes the lab is sent to the server word for word and understood there, so that the same
 * words stand in records and are repeated from them (lab/verb.c). Pings are commands in guests like
 * any other: it is the guest's kernel that says whether it reaches somebody.
 */
#include "lib/nearest.h"
#include "lib/units.h"
#include "lib/vec.h"
#include "lib/visible.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/clock_view.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/expect.h"

#include <string.h>
#include <unistd.h>

enum { SHOW_MS = 300 };

/* Sends "VERB ARGUMENT..." as it stands. */
static int ask(const struct cmd_options *o, const char *verb, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	struct strvec v = {0};

	vec_push(&v, verb);
	for (int i = 0; i < argc; i++)
		vec_push(&v, argv[i]);
	int rc = lab ? client_ask(lab, (char *const *)v.at, v.n, stdout, e) : -1;

	vec_free(&v);
	free(lab);
	return rc;
}

int cmd_link(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	return ask(o, "link", argc, argv, e);
}

/* One line, written over again: as wide as any terminal is. */
static void show_missed(int64_t time_ns, const char *seen)
{
	char *text = visible_text(seen);

	fprintf(stderr, "\r%.3f s, not yet%s%.57s\x1b[K", (double)time_ns / 1e9, *text ? ": " : "",
		text);
	fflush(stderr);
	free(text);
}

/* "clock until CHECK": -t is how much of the lab's time it may take. */
static int clock_until(const struct cmd_options *o, const char *check, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	bool shows = isatty(STDERR_FILENO);
	struct expect_wish wish = {.check = check,
				   .place = expect_place_argument,
				   .missed = shows ? show_missed : NULL};
	int rc = lab ? cmd_timeout_ns(o, 0, &wish.limit_ns, e) : -1;
	char *said = NULL;
	size_t len = 0;
	FILE *out = xmemstream(&said, &len);

	if (rc == 0)
		rc = expect_wait(lab, true, &wish, out, e);
	fclose(out);
	if (shows)
		fputs("\r\x1b[K", stderr);
	fputs(said, stdout);
	free(said);
	free(lab);
	return rc;
}

/*
 * Where it is, as long as somebody looks: "until" and "step" may take long. It is asked over a
 * connection of its own: the first one waits for the end of "until".
 */
static void show_clock(const char *lab, bool *shown)
{
	struct clock_view v;

	if (!clock_view_get(lab, &v))
		return;
	fprintf(stderr, "\r%.3f s\x1b[K", v.now_s);
	fflush(stderr);
	*shown = true;
}

static int ask_clock(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	bool looks = argc > 1 && isatty(STDERR_FILENO);
	struct session s = {.fd = -1};
	struct strvec v = {0};
	bool shown = false;

	vec_push(&v, "clock");
	for (int i = 0; i < argc; i++)
		vec_push(&v, argv[i]);
	int rc = lab && client_connect(&s, lab, e) == 0
			 ? client_send(&s, (char *const *)v.at, v.n, e)
			 : -1;

	while (rc == 0 && looks && client_wait(&s, SHOW_MS) == 0)
		show_clock(lab, &shown);
	if (shown)
		fputs("\r\x1b[K", stderr);
	if (rc == 0)
		rc = client_answer(&s, stdout, client_show_note, NULL, e);
	client_close(&s);
	vec_free(&v);
	free(lab);
	return rc;
}

int cmd_clock(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct arena a = {0};
	const char *check = argc >= 2 && !strcmp(argv[0], "until") ? "" : NULL;

	/* In the console nobody quotes "ping(a, b)". */
	for (int i = 1; check && i < argc; i++)
		check = arena_printf(&a, "%s%s%s", check, i > 1 ? " " : "", argv[i]);
	int rc = check && strchr(check, '(') ? clock_until(o, check, e)
					     : ask_clock(o, argc, argv, e);

	arena_finish(&a);
	return rc;
}

int cmd_plug(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	return ask(o, "plug", argc, argv, e);
}

int cmd_unplug(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	return ask(o, "unplug", argc, argv, e);
}

static int ping_count(const struct cmd_options *o, char *buf, size_t size, struct err *e)
{
	int64_t n = 1;

	if (o->count && unit_parse(UNIT_COUNT, o->count, &n, e) < 0)
		return err_wrap(e, "--count");
	snprintf(buf, size, "%lld", (long long)n);
	return 0;
}

/* A name without dots or colons that no node has: ping would only say that it does not know it. */
static int check_target(const char *lab, const char *target, struct err *e)
{
	char *words[] = {"nodes"};
	char *text;
	struct nearest near;
	bool found = strpbrk(target, ".:") != NULL;
	int rc = client_ask_text(lab, words, 1, &text, e);

	nearest_init(&near, target);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		line[strcspn(line, " ")] = '\0';
		found |= !strcmp(line, target);
		nearest_offer(&near, line);
	}
	if (rc == 0 && !found)
		rc = err_set(e, ERR_USAGE, "no node '%s' in lab %s%s", target, lab,
			     nearest_hint(&near));
	free(text);
	return rc;
}

int cmd_ping(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	char count[24];
	int status = 0;
	struct exec_options opt = {.no_stdin = true, .subst = true, .step = o->step};

	if (!lab || ping_count(o, count, sizeof(count), e) < 0 ||
	    check_target(lab, argv[1], e) < 0 || clock_view_settle(lab, &opt, e) < 0) {
		free(lab);
		return -1;
	}
	char *ping[] = {"ping", "-n", "-W", "2", "-i", "0.2", "-c", count, argv[1]};
	int rc = client_exec(lab, argv[0], ping, ARRAY_LEN(ping), &opt, &status, e);

	free(lab);
	return rc < 0 ? rc : status != 0;
}

/* Nodes that stand for the outside have addresses, but no kernel that could ping. */
static bool can_ping(const struct words *w)
{
	return w->n >= 4 && strcmp(w->at[3], "-") != 0 && strcmp(w->at[1], "outside") != 0 &&
	       strcmp(w->at[1], "internet") != 0;
}

/* The guests that have an address, as the server lists them: lines of report_nodes(). */
struct guest_list {
	VEC(struct words) at;
};

static int list_guests(const char *lab, struct arena *a, struct guest_list *list, struct err *e)
{
	char *words[] = {"nodes"};
	char *text;
	int rc = client_ask_text(lab, words, 1, &text, e);

	for (char *line = strtok(text, "\n"); line && rc == 0; line = strtok(NULL, "\n")) {
		struct words w;

		if (words_split(line, strlen(line), a, &w, NULL) == 0 && can_ping(&w))
			vec_push(&list->at, w);
	}
	free(text);
	return rc;
}

/* A node that was stopped, or is not up yet, reaches nobody. */
static bool is_down(const struct words *w)
{
	static const char *const states[] = {"down", "booting", "stopping", "lost"};

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (!strcmp(w->at[2], states[i]))
			return true;
	return false;
}

/* Is the name one of those in a list with commas? */
static bool has_name(const char *list, const char *name, size_t len)
{
	while (list && *list) {
		size_t n = strcspn(list, ",");

		if (n == len && !memcmp(list, name, len))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

/*
 * By which names a calls b: one for each network that both are in, for pings between vNets would
 * be lost by design. "b" if there is one only, else "b.red", "b.blue".
 */
static void find_names(const struct words *a, const struct words *b, struct arena *arena,
		       struct strvec *names)
{
	const char *nets_a = words_get(a, "vnet");
	const char *nets_b = words_get(b, "vnet");
	bool ordinary_a = !nets_a || words_get(a, "gateway");
	bool ordinary_b = !nets_b || words_get(b, "gateway");

	for (const char *p = nets_a; p && *p;) {
		size_t len = strcspn(p, ",");

		if (has_name(nets_b, p, len))
			vec_push(names, arena_printf(arena, "%s.%.*s", b->at[0], (int)len, p));
		p += len + (p[len] == ',');
	}
	if (!names->n && ordinary_a && ordinary_b)
		vec_push(names, b->at[0]);
}

/* True if one of up to three pings is answered: the first may be lost to address resolution. */
static int try_ping(const char *lab, const char *from, const char *to, const char *count, bool step,
		    bool *reached, struct err *e)
{
	char *ping[] = {"ping", "-n",  "-q", "-W",          "1",
			"-i",   "0.2", "-c", (char *)count, (char *)to};
	FILE *null = fopen("/dev/null", "we");
	struct exec_options opt = {
		.no_stdin = true, .subst = true, .step = step, .out = null, .err = null};
	int status = 1;
	int rc = client_exec(lab, from, ping, ARRAY_LEN(ping), &opt, &status, e);

	fclose(null);
	*reached = status == 0;
	return rc < 0 ? err_wrap(e, "%s", from) : 0;
}

/* One node that pings another, by each of its names. */
struct pinging {
	const char *lab, *from, *to, *count;
	struct strvec names;
	bool step, is_down;
	size_t good;
};

static int ping_names(struct pinging *p, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < p->names.n && rc == 0; i++) {
		const char *name = p->names.n > 1 ? p->names.at[i] : p->to;
		bool reached = false;

		if (!p->is_down)
			rc = try_ping(p->lab, p->from, p->names.at[i], p->count, p->step, &reached,
				      e);
		printf(" %s", reached ? name : "X");
		fflush(stdout);
		p->good += reached;
	}
	return rc;
}

int cmd_pingall(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	struct arena a = {0};
	struct guest_list names = {0};
	char count[24];
	size_t good = 0;
	size_t all = 0;
	int rc = lab && ping_count(o, count, sizeof(count), e) == 0
			 ? list_guests(lab, &a, &names, e)
			 : -1;
	struct exec_options settled = {.step = o->step};

	if (rc == 0)
		rc = clock_view_settle(lab, &settled, e);
	bool step = settled.step;

	for (size_t i = 0; i < names.at.n && rc == 0; i++) {
		const char *from = names.at.at[i].at[0];

		printf("%s", from);
		if (is_down(&names.at.at[i]))
			printf(" (%s)", names.at.at[i].at[2]);
		printf(" ->");
		for (size_t j = 0; j < names.at.n && rc == 0; j++) {
			struct pinging p = {.lab = lab, .from = from, .count = count, .step = step};

			if (i == j)
				continue;
			find_names(&names.at.at[i], &names.at.at[j], &a, &p.names);
			p.to = names.at.at[j].at[0];
			p.is_down = is_down(&names.at.at[i]);
			rc = ping_names(&p, e);
			all += p.names.n;
			good += p.good;
			vec_free(&p.names);
		}
		putchar('\n');
	}
	if (rc == 0)
		printf("%zu of %zu reached\n", good, all);
	vec_free(&names.at);
	arena_finish(&a);
	free(lab);
	return rc < 0 ? rc : good != all;
}
