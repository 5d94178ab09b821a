/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands for single nodes: exec, console, cp, log, start, stop, restart, kill.
 *
 * A command in a guest runs on a channel of its agent, through the server (relay.c): what it prints
 * comes back as it is, and its exit status becomes ours. End systems have no agent, and their
 * commands are programs of this machine: this process becomes the command, with an environment that
 * tells libvnet which node it is.
 */
#include "lib/console_log.h"
#include "lib/vec.h"
#include "lib/visible.h"
#include "lib/xalloc.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/clock_view.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/store/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Adds the file of one end system to a list; false: that is none. Looked for by its file in the
 * lab's directory: that needs no question to the server.
 */
static bool add_endsystem(const char *lab, const char *node, size_t len, char **list, struct err *e)
{
	char *base = paths_base_dir(e);
	char *path = xasprintf("%s/%s/n/%.*s/vnet.conf", base ? base : "", lab, (int)len, node);
	bool there = base && access(path, R_OK) == 0;

	if (there) {
		char *longer = xasprintf("%s%s%s", *list ? *list : "", *list ? ":" : "", path);

		free(*list);
		*list = longer;
	}
	free(path);
	free(base);
	return there;
}

/*
 * End systems (docs/substrate.md) have no kernel of their own: their commands run here. If all
 * nodes (separated by ',') are such, this returns only if it fails. 0: it is one node, and
 * another kind.
 */
static int exec_on_endsystems(const char *lab, const char *nodes, char *const *argv, size_t argc,
			      struct err *e)
{
	char *list = NULL;

	for (const char *node = nodes;;) {
		size_t len = strcspn(node, ",");

		if (!add_endsystem(lab, node, len, &list, e)) {
			free(list);
			if (!strchr(nodes, ','))
				return 0;
			return err_set(e, ERR_USAGE, "%.*s is not an end system of lab %s",
				       (int)len, node, lab);
		}
		if (!node[len])
			break;
		node += len + 1;
	}
	setenv("VNET_CONF", list, 1);
	setenv("VBET_NODE", nodes, 1);
	putenv(paths_search_path()); /* putenv() keeps the pointer */
	free(list);
	char **words = xcalloc(argc + 1, sizeof(*words)); /* argv[argc] need not be NULL */

	memcpy(words, argv, argc * sizeof(*words));
	execvp(words[0], words);
	err_sys(e, "%s", words[0]);
	free(words);
	return -1;
}

int cmd_exec(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	struct exec_options opt = {
		.user = o->user, .vnet = o->vnet, .tty = isatty(0) && isatty(1), .step = o->step};
	int status = 0;

	if (!lab || cmd_timeout_ns(o, 0, &opt.timeout_ns, e) < 0) {
		free(lab);
		return -1;
	}
	int rc = argc > 1 ? exec_on_endsystems(lab, argv[0], argv + 1, (size_t)argc - 1, e) : 0;

	if (rc == 0)
		rc = clock_view_settle(lab, &opt, e);
	if (rc == 0)
		rc = client_exec(lab, argv[0], argv + 1, (size_t)argc - 1, &opt, &status, e);
	free(lab);
	return rc < 0 ? rc : status;
}

/* A console that was open in the run that is repeated shows what is on it, though the clock stands.
 */
static bool was_open(const char *lab, const char *node)
{
	char *words[] = {"held"};
	char *text;
	bool found = false;

	client_ask_text(lab, words, 1, &text, NULL);
	for (char *line = strtok(text, "\n"); line && !found; line = strtok(NULL, "\n"))
		found = !strcmp(line, node);
	free(text);
	return found;
}

int cmd_console(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	int status = 0;
	int rc = -1;

	if (lab && argc == 0 && (o->share || o->watch)) {
		err_set(e, ERR_USAGE, "--share and --watch want a node");
	} else if (lab && argc == 0) {
		rc = status = console_run(lab, e);
	} else if (lab) {
		struct exec_options opt = {.user = o->user,
					   .vnet = o->vnet,
					   .tty = true,
					   .escape = true,
					   .step = o->step,
					   .share = o->share,
					   .watch = o->watch};
		char *shell[] = {getenv("SHELL") ? getenv("SHELL") : "/bin/sh"};

		bool joins = o->share || o->watch;

		if (exec_on_endsystems(lab, argv[0], shell, 1, e) < 0 ||
		    (!joins && !was_open(lab, argv[0]) && clock_view_settle(lab, &opt, e) < 0)) {
			free(lab);
			return -1;
		}
		if (isatty(0))
			fprintf(stderr, "%s: leave with Ctrl-]\n", argv[0]);
		/* Without a command: the node's login shell. */
		rc = client_exec(lab, argv[0], NULL, 0, &opt, &status, e);
		if (isatty(0))
			fputc('\n', stderr);
	}
	free(lab);
	return rc < 0 ? rc : status;
}

/*
 * NODE:PATH into its parts; false if it names a file of this machine. As in scp(1): a colon behind
 * a slash belongs to a file's name.
 */
static bool split_place(const char *text, char **node, const char **path)
{
	const char *colon = strchr(text, ':');

	if (!colon || memchr(text, '/', (size_t)(colon - text)))
		return false;
	*node = xstrndup(text, (size_t)(colon - text));
	*path = colon + 1;
	return true;
}

/*
 * Trees go through tar at both ends: it is in every file system that we build. The local side is
 * told its paths by the environment, so that no shell takes them apart.
 */
static int copy_tree(const char *lab, const char *node, const char *from, const char *to, bool in,
		     struct err *e)
{
	char *copy = xstrdup(from);
	char *copy2 = xstrdup(from);
	const char *dir = dirname(copy);
	const char *name = basename(copy2);
	char *pack[] = {"tar", "-C", (char *)dir, "-cf", "-", (char *)name};
	char *unpack[] = {"tar", "-C", (char *)to, "-xf", "-"};
	struct exec_options opt = {.no_stdin = !in};
	int status = 0;
	char *quoted = in ? xasprintf("exec tar -C \"$VBET_A\" -cf - \"$VBET_B\"")
			  : xasprintf("exec tar -C \"$VBET_A\" -xf -");

	setenv("VBET_A", in ? dir : to, 1);
	setenv("VBET_B", name, 1);
	FILE *p = popen(quoted, in ? "re" : "we");
	int rc = -1;

	if (!p) {
		err_sys(e, "tar");
	} else {
		if (in)
			opt.in_fd = fileno(p);
		else
			opt.out = p;
		rc = client_exec(lab, node, in ? unpack : pack, in ? 5 : 6, &opt, &status, e);
		int local = pclose(p);

		if (rc == 0 && (status || local))
			rc = err_set(e, ERR_ENV, "tar failed");
	}
	free(quoted);
	free(copy);
	free(copy2);
	return rc;
}

/*
 * The guest writes beside the old file and renames (vkernel/init/xfer.c), as copy_out() does here.
 */
static int copy_in(const char *lab, const char *from, const char *node, const char *to,
		   struct err *e)
{
	struct stat st;
	int fd = open(from, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", from);
	if (S_ISDIR(st.st_mode)) {
		close(fd);
		return copy_tree(lab, node, from, to, true, e);
	}
	char *copy = xstrdup(from);
	size_t len = strlen(to);
	char *path =
		len && to[len - 1] == '/' ? xasprintf("%s%s", to, basename(copy)) : xstrdup(to);
	int rc = client_put(lab, node, path, fd, st.st_mode & 0777, e);

	free(path);
	free(copy);
	close(fd);
	return rc < 0 ? err_wrap(e, "%s:%s", node, to) : 0;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Written under another name first, so that a copy that fails leaves the old file. */
static int copy_out(const char *lab, const char *node, const char *from, const char *to,
		    struct err *e)
{
	char *test[] = {"test", "-d", (char *)from};
	struct exec_options quiet = {.no_stdin = true};
	int status;
	unsigned mode = 0644;

	if (client_exec(lab, node, test, 3, &quiet, &status, e) < 0)
		return -1;
	if (status == 0)
		return copy_tree(lab, node, from, to, false, e);
	char *copy = xstrdup(from);
	char *path = is_directory(to) ? xasprintf("%s/%s", to, basename(copy)) : xstrdup(to);
	char *temp = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(temp, O_CLOEXEC);
	int rc = fd < 0 ? err_sys(e, "make %s", path) : client_get(lab, node, from, fd, &mode, e);

	if (rc == 0 && (fchmod(fd, mode & 0777) < 0 || rename(temp, path) < 0))
		rc = err_sys(e, "%s", path);
	if (rc < 0 && fd >= 0)
		unlink(temp);
	if (fd >= 0)
		close(fd);
	free(temp);
	free(path);
	free(copy);
	return rc < 0 ? err_wrap(e, "%s:%s", node, from) : 0;
}

int cmd_cp(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	char *from_node = NULL;
	char *to_node = NULL;
	const char *from;
	const char *to;
	int rc = -1;

	bool out = split_place(argv[0], &from_node, &from);
	bool in = split_place(argv[1], &to_node, &to);

	if (!lab)
		rc = -1;
	else if (in == out)
		rc = err_set(e, ERR_USAGE, "one of FROM and TO must be NODE:PATH");
	else if (in)
		rc = copy_in(lab, argv[0], to_node, to, e);
	else
		rc = copy_out(lab, from_node, from, argv[1], e);
	free(from_node);
	free(to_node);
	free(lab);
	return rc;
}

struct log {
	int fd;
	bool raw;
	int64_t at, lost;
	struct visible visible;
};

/*
 * Escape sequences are shown as text, unless --raw says otherwise: a guest could take over the
 * terminal.
 */
static int print_rest(struct log *l)
{
	char buf[16384];
	int64_t lost = l->lost;
	long n;

	while ((n = console_log_read(l->fd, &l->at, buf, sizeof(buf), &l->lost)) > 0) {
		if (l->lost != lost)
			fprintf(stderr, "vbet: %lld octets of the log are lost here\n",
				(long long)(l->lost - lost));
		lost = l->lost;
		if (l->raw)
			fwrite(buf, 1, (size_t)n, stdout);
		else
			visible_write(&l->visible, stdout, buf, (size_t)n);
	}
	fflush(stdout);
	return ferror(stdout) ? -1 : 0;
}

/* The log is a file, so nothing need run for it to be read; followed, it ends when the lab goes. */
int cmd_log(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	char *base = paths_base_dir(e);
	char *path = xasprintf("%s/%s/n/%s/console.log", base ? base : "", lab ? lab : "", argv[0]);
	struct log l = {.fd = lab && base ? open(path, O_RDONLY | O_CLOEXEC) : -1, .raw = o->raw};
	int rc = l.fd >= 0 ? print_rest(&l) : -1;

	if (l.fd < 0 && lab && base)
		err_set(e, ERR_USAGE, "no log of a node '%s'", argv[0]);
	if (l.fd >= 0 && o->follow) {
		int watch = inotify_init1(IN_CLOEXEC);
		char event[4096];

		/* IN_ATTRIB: that is what removing a file that we hold open looks like. */
		inotify_add_watch(watch, path, IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE);
		while (rc == 0 && access(path, F_OK) == 0 && read(watch, event, sizeof(event)) > 0)
			rc = print_rest(&l);
		close(watch);
	}
	if (l.fd >= 0)
		close(l.fd);
	visible_end(&l.visible, stdout);
	free(path);
	free(base);
	free(lab);
	return rc;
}

/* Sends "VERB NODE" for each, then waits for each if asked: so they boot together. */
static int for_nodes(const struct cmd_options *o, const char *verb, bool wait, int argc,
		     char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	char *timeout = xasprintf("timeout=%s", o->timeout ? o->timeout : "60s");
	int rc = lab ? 0 : -1;

	for (int pass = 0; pass < 1 + wait; pass++) {
		for (int i = 0; i < argc && rc == 0; i++) {
			char *words[] = {pass ? "wait" : (char *)verb, argv[i], timeout};

			rc = client_ask(lab, words, pass ? 3 : 2, NULL, e);
		}
	}
	free(timeout);
	free(lab);
	return rc;
}

int cmd_start(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	return for_nodes(o, "start", true, argc, argv, e);
}

int cmd_stop(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	return for_nodes(o, "stop", false, argc, argv, e);
}

int cmd_restart(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	return for_nodes(o, "restart", true, argc, argv, e);
}

int cmd_kill(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	return for_nodes(o, "kill", false, argc, argv, e);
}
