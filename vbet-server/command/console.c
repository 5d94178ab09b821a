/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The console of a running lab, with readline: commands of vbet, "NODE COMMAND" as in Mininet
 * (names of nodes stand for their addresses), and statements of the language. The only file with
 * readline.
 */
#include "lib/vec.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/clock_view.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/complete.h"
#include "vbet-server/command/expect.h"
#include "vbet-server/command/lines.h"
#include "vbet-server/store/paths.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include <readline/history.h>
#include <readline/readline.h>
#include <string.h>
#include <unistd.h>

/* Readline's callbacks take no context. */
static const char *current_lab;
static int server_fd = -1; /* readable when the server has ended */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	interrupted = 1;
}

struct node_list {
	struct arena arena;
	VEC(struct complete_node) nodes;
};

static void list_nodes(struct node_list *l)
{
	char *words[] = {"nodes"};
	char *text;

	client_ask_text(current_lab, words, 1, &text, NULL);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		struct complete_node n;

		if (words_split(line, strlen(line), &l->arena, &n.words, NULL) == 0 &&
		    n.words.n >= 4)
			vec_push(&l->nodes, n);
	}
	free(text);
}

static void free_nodes(struct node_list *l)
{
	vec_free(&l->nodes);
	arena_finish(&l->arena);
}

static bool is_node(const char *name)
{
	struct node_list l = {0};
	bool found = false;

	list_nodes(&l);
	for (size_t i = 0; i < l.nodes.n; i++)
		found |= !strcmp(l.nodes.at[i].words.at[0], name);
	free_nodes(&l);
	return found;
}

static struct strvec matches; /* what can stand where completion was asked for */

/* Readline asks for one candidate after the other, and frees each. */
static char *next_match(const char *text, int state)
{
	static size_t at;

	if (state == 0)
		at = 0;
	return at < matches.n ? (char *)matches.at[at++] : NULL;
}

static char **complete(const char *text, int start, int end)
{
	char *before = xstrndup(rl_line_buffer, (size_t)start);
	struct node_list l = {0};

	list_nodes(&l);
	vec_free(&matches);
	/* Else readline completes names of files by itself. */
	rl_attempted_completion_over =
		complete_words(before, text, l.nodes.at, l.nodes.n, &matches);
	free_nodes(&l);
	free(before);
	/* After "delay=" comes a value, after a function its arguments: no blank. */
	char **found = rl_completion_matches(text, next_match);

	if (found && found[0][0] && found[0][strlen(found[0]) - 1] == '=')
		rl_completion_append_character = '\0';
	return found;
}

/* A node may have the name of a word. */
static bool is_node_word(const char *line)
{
	char *word = xstrndup(line, strcspn(line, " \t("));
	bool found = is_node(word);

	free(word);
	return found;
}

static void print_error(const struct err *e)
{
	if (e->kind)
		fprintf(stderr, "%s%s\n", strchr(e->text, '\n') ? "" : "error: ", e->text);
}

/* "r1 ping h2": everything after the node is for its shell, with names of nodes replaced. */
static int run_in_node(const struct words *w, const char *line)
{
	/* Standard input has the console's next lines: the command must not read them. */
	struct exec_options opt = {.tty = true, .subst = true, .no_stdin = !isatty(STDIN_FILENO)};
	struct err e = {0};
	int status = 0;

	if (isatty(STDIN_FILENO) && clock_view_settle(current_lab, &opt, &e) < 0) {
		print_error(&e);
		return (int)e.kind;
	}
	if (w->n == 1) {
		opt.escape = true;
		fprintf(stderr, "%s: leave with Ctrl-] or 'exit'\n", w->at[0]);
		client_exec(current_lab, w->at[0], NULL, 0, &opt, &status, &e);
	} else if (strpbrk(line, "|<>;&$`*?(")) {
		const char *rest = line + strspn(line, " \t");

		rest += strcspn(rest, " \t");
		char *shell[] = {"/bin/sh", "-c", (char *)rest + strspn(rest, " \t")};

		client_exec(current_lab, w->at[0], shell, 3, &opt, &status, &e);
	} else {
		client_exec(current_lab, w->at[0], w->at + 1, w->n - 1, &opt, &status, &e);
	}
	print_error(&e);
	return status;
}

/* Where what is run stands: for messages. */
static struct {
	const char *name; /* of a file */
	unsigned line;    /* 0: there is but one */
	unsigned begun;   /* of the statement that is not whole yet */
} typed;

/* Of what is run, as words of a request behind its text; they and `all` are the caller's. */
static const char *const *place_of(struct arena *a, const char *all[3])
{
	all[0] = arena_printf(a, "line=%u", typed.begun ? typed.begun : 1);
	all[1] = arena_printf(a, "name=%s", typed.name ? typed.name : "console");
	all[2] = NULL;
	return all;
}

static int run_statement(const char *line)
{
	struct err e = {0};
	struct arena a = {0};
	const char *place[3];
	const char *const *p = place_of(&a, place);
	char *words[] = {"statement", (char *)line, (char *)p[0], (char *)p[1]};
	int rc = client_ask(current_lab, words, 4, stdout, &e);

	arena_finish(&a);
	print_error(&e);
	return rc < 0 ? (int)e.kind : 0;
}

/* A command of the program, for this lab. */
static int run_command(const struct cmd *c, const struct words *w)
{
	struct strvec v = {0};

	vec_push(&v, "vbet");
	vec_push(&v, c->name);
	if (c->options & OPT_LAB) {
		vec_push(&v, "-n");
		vec_push(&v, current_lab);
	}
	for (size_t i = 1; i < w->n; i++)
		vec_push(&v, w->at[i]);
	vec_push(&v, NULL);
	int rc = cmd_run((int)v.n - 1, (char **)v.at);

	vec_free(&v);
	return rc;
}

static int run_line(const char *line, bool *leave);

static int run_source(const char *path, bool *leave)
{
	FILE *f = fopen(path, "re");
	__typeof__(typed) outer = typed;
	char *line = NULL;
	size_t cap = 0;
	int rc = 0;

	if (!f) {
		perror(path);
		return ERR_USAGE;
	}
	typed.name = path;
	typed.line = 0;
	while (!*leave && !interrupted && getline(&line, &cap, f) > 0) {
		typed.line++;
		line[strcspn(line, "\n")] = '\0';
		rc = run_line(line, leave);
	}
	typed = outer;
	free(line);
	fclose(f);
	return rc;
}

static int ask_for_people(char *what)
{
	char *words[] = {what};
	struct err e = {0};
	int rc = client_ask(current_lab, words, 1, stdout, &e);

	print_error(&e);
	return rc < 0 ? (int)e.kind : 0;
}

static bool begins_with(const char *line, const char *const *list)
{
	size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyz");

	for (size_t i = 0; list[i]; i++)
		if (strlen(list[i]) == len && !strncmp(list[i], line, len))
			return true;
	return false;
}

/* Commands have no "(" or "=" after the first word; statements have, or begin with a word of the
 * language. */
static bool looks_like_statement(const char *line)
{
	static const char *const words[] = {"for", "if", "def", "include", "at", "return", NULL};

	line += strspn(line, " \t{");
	if (begins_with(line, words) && !is_node_word(line))
		return true;
	line += strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_[]");
	line += strspn(line, " \t");
	return *line == '(' || *line == '=';
}

/* "expect within 10s ping(a, b)": tried now. A clock that ran goes on after that. */
static int run_expect(const char *check)
{
	struct err e = {0};
	struct arena a = {0};
	const char *place[3];
	struct expect_wish wish = {
		.check = check, .place = place_of(&a, place), .limit_ns = EXPECT_AS_SAID};
	int rc = expect_now(current_lab, &wish, stdout, &e);

	arena_finish(&a);
	print_error(&e);
	return rc == 0 ? 0 : e.kind == ERR_TIMEOUT ? ERR_EXPECT : (int)e.kind;
}

static int run_language(const char *line)
{
	static const char *const expect[] = {"expect", NULL};

	const char *word = line + strspn(line, " \t");

	return begins_with(word, expect) ? run_expect(line) : run_statement(line);
}

/* Brackets that are open at the end of a text, outside of strings and comments. */
static int open_brackets(const char *text)
{
	int open = 0;

	for (; *text; text++) {
		if (*text == '#')
			text += strcspn(text, "\n") - 1;
		else if (*text == '"')
			for (text++; *text && *text != '"' && text[1]; text++)
				text += *text == '\\' && text[1];
		else if (strchr("([{", *text))
			open++;
		else if (strchr(")]}", *text))
			open--;
	}
	return open;
}

static int show_help(void)
{
	const char *help;

	printf("NODE COMMAND...   runs in a node; names of nodes stand for their addresses. NODE "
	       "alone: its shell\n"
	       "STATEMENT         of the language, as in a script: link(a, b), for h in hosts { "
	       "... }, cut(a, b),\n"
	       "                  expect within 10s ping(a, b); an open bracket goes on in the "
	       "next line\n");
	for (size_t i = 0; complete_own_word(i, &help); i++)
		if (help)
			printf("%-17s %s\n", complete_own_word(i, &help), help);
	printf("\nCommands of vbet, for this lab:\n");
	for (size_t i = 0; cmd_at(i); i++)
		if (cmd_at(i)->options & OPT_LAB && !(cmd_at(i)->options & OPT_KERNEL))
			printf("  %-15s %s\n", cmd_at(i)->name, cmd_at(i)->help);
	return 0;
}

static int dispatch(const struct words *w, const char *line, bool *leave)
{
	const char *first = w->at[0];

	if (!strcmp(first, "exit") || !strcmp(first, "quit")) {
		*leave = true;
		return 0;
	}
	if (!strcmp(first, "source") && w->n == 2)
		return run_source(w->at[1], leave);
	if (!strcmp(first, "nodes") && w->n == 1)
		return ask_for_people("nodes");
	if (!strcmp(first, "net") && w->n == 1)
		return run_command(cmd_find("status"), w);
	if (!strcmp(first, "links") && w->n == 1)
		return ask_for_people("links");
	if (!strcmp(first, "help") && w->n == 1)
		return show_help();
	if (is_node(first))
		return run_in_node(w, line);
	const struct cmd *c = cmd_find(first);

	if (c && strcmp(first, "run") != 0 && strcmp(first, "up") != 0)
		return run_command(c, w);
	fprintf(stderr, "no command or node '%s' ('help' lists commands, 'nodes' the nodes)\n",
		first);
	return ERR_USAGE;
}

static char *unfinished; /* owned: lines of a statement with open brackets; NULL: none */

/* The same with what came before. True: it is whole now. */
static bool take_line(const char *line, char **whole)
{
	if (!unfinished)
		typed.begun = typed.line;
	*whole = unfinished ? xasprintf("%s\n%s", unfinished, line) : xstrdup(line);
	free(unfinished);
	unfinished = NULL;
	if (open_brackets(*whole) <= 0)
		return true;
	unfinished = *whole;
	return false;
}

static int run_line(const char *line, bool *leave)
{
	static const char *const expect[] = {"expect", NULL};
	struct arena a = {0};
	struct words w;
	struct err e = {0};
	int rc = 0;
	const char *as_typed = line; /* columns count from there */
	char *whole;

	line += strspn(line, " \t");
	if (!unfinished && (!*line || *line == '#'))
		return 0;
	if (unfinished || looks_like_statement(line) ||
	    (begins_with(line, expect) && !is_node_word(line))) {
		if (take_line(as_typed, &whole)) {
			rc = run_language(whole);
			free(whole);
		}
	} else if (words_split(line, strlen(line), &a, &w, &e) < 0)
		print_error(&e);
	else
		rc = dispatch(&w, line, leave);
	arena_finish(&a);
	return rc;
}

static char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (state && *state)
		return xasprintf("%s/vbet_history", state);
	return home ? xasprintf("%s/.vbet_history", home) : NULL;
}

/* "hello> "; in virtual time "hello [12.345s x1]> ", "hello [12.345s x1, stands]> ". */
static char *make_prompt(void)
{
	struct clock_view v;

	if (unfinished)
		return xstrdup("... ");
	if (!clock_view_get(current_lab, &v))
		return xasprintf("%s> ", current_lab);
	return xasprintf("%s [%.3fs %s%s%s]> ", current_lab, v.now_s, *v.pace == 'm' ? "" : "x",
			 v.pace, v.stands ? ", stands" : "");
}

static bool server_has_ended(void)
{
	struct pollfd fd = {.fd = server_fd, .events = POLLIN};

	return server_fd >= 0 && poll(&fd, 1, 0) > 0;
}

/* Readline calls this some times a second while nothing is typed, and after a signal. */
static int look_around(void)
{
	if (interrupted) {
		interrupted = 0;
		free(unfinished);
		unfinished = NULL;
		fputs("^C\n", stdout);
		rl_replace_line("", 0);
		rl_on_new_line();
		rl_redisplay();
	}
	if (server_has_ended())
		rl_done = 1;
	return 0;
}

static char *read_line(void)
{
	interrupted = 0;
	char *prompt = make_prompt();
	char *line = readline(prompt);

	free(prompt);
	return line;
}

static int interactive(void)
{
	char *history = history_path();
	bool leave = false;
	char *line;

	rl_readline_name = "vbet";
	rl_attempted_completion_function = complete;
	rl_event_hook = look_around;
	rl_signal_event_hook = look_around;
	rl_basic_word_break_characters = " \t\n\"'(),=";
	using_history();
	if (history)
		read_history(history);
	printf("'help' lists commands; 'NODE COMMAND' runs in a node; 'exit' leaves.\n");
	while (!leave && !server_has_ended() && (line = read_line())) {
		if (line[strspn(line, " \t")])
			add_history(line);
		run_line(line, &leave);
		free(line);
	}
	if (!leave)
		putchar('\n');
	if (history) {
		stifle_history(1000);
		write_history(history);
	}
	free(history);
	return 0;
}

/* Without a terminal: lines from standard input; the worst exit status is ours. */
static int batch(void)
{
	struct lines in = {.other_fd = server_fd, .interrupted = &interrupted};
	bool leave = false;
	int worst = 0;
	char *line;

	while (!leave && (line = lines_next(&in))) {
		typed.line++;
		int rc = run_line(line, &leave);

		/*
		 * A program at the other end of the pipe may wait for this answer before it goes
		 * on.
		 */
		fflush(stdout);
		free(line);
		if (rc > worst)
			worst = rc;
	}
	lines_finish(&in);
	return worst;
}

/* Not by "down": then its directory is gone, too. */
static int check_server(const char *lab, struct err *e)
{
	char *base = paths_base_dir(NULL);
	char *control = xasprintf("%s/%s/control", base ? base : "", lab);
	bool killed = server_has_ended() && access(control, F_OK) == 0;

	free(control);
	free(base);
	return killed ? err_set(e, ERR_ENV,
				"the server of lab %s has ended without taking it down ('vbet "
				"clean' "
				"removes what it left)",
				lab)
		      : 0;
}

const char *console_readline_version(void)
{
	return rl_library_version;
}

int console_run(const char *lab, struct err *e)
{
	struct session s;

	if (client_connect(&s, lab, e) < 0)
		return -1;
	struct sigaction catch = {.sa_handler = on_interrupt}; /* no SA_RESTART: it ends waits */
	struct sigaction old;

	sigaction(SIGINT, &catch, &old);
	client_watch_interrupt(&interrupted);
	server_fd = client_server_fd(&s);
	client_close(&s);
	current_lab = lab;
	int rc = isatty(STDIN_FILENO) ? interactive() : batch();

	client_watch_interrupt(NULL);
	sigaction(SIGINT, &old, NULL);
	if (check_server(lab, e) < 0)
		rc = -1;
	if (server_fd >= 0)
		close(server_fd);
	return rc;
}
