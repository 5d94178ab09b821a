/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vnet-mux: the multiplexer of an end system; it starts and watches protocol instances.
 *
 * Words in, instances out: the command line is one vNet with its control daemon, a file is any
 * number of them. Messages for people go to standard error, one for each instance that is loaded or
 * unloaded; tables are at a socket beside the end system's file ("status").
 */
#include "lib/sock.h"
#include "lib/words.h"
#include "vnet/mux/mux.h"
#include "vnet/mux/sandbox.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
	"usage: vnet-mux [--insecure] [LIMIT...] -- COMMAND [ARG...]  one vNet, that of "
	"$VNET_CONF\n"
	"       vnet-mux [--insecure] FILE                any number of them\n"
	"       vnet-mux status [VNET]                    its tables, as JSON\n"
	"Owns the NICs of an end system, starts COMMAND as the control daemon of its vNet, and\n"
	"delivers frames to the endpoints that it binds. LIMITs, and their defaults:\n"
	"  memory=64M stack=1M cpu=50% burst=1s patience=5s\n"
	"FILE (\"-\": standard input) has lines of words:\n"
	"  vnet PATH                                 of a vnet.conf; what follows belongs to it\n"
	"  instance NAME [LIMIT...] -- COMMAND [ARG...]  \"control\" is the first one\n"
	"--insecure starts instances also where files cannot be kept from them: without Landlock "
	"and\n"
	"user namespaces.\n";

/* "memory=32M cpu=10%" ... up to "--"; *at is behind it then. */
static int read_limits(char *const *words, size_t n, size_t *at, struct limits *l, struct err *e)
{
	*l = limits_default;
	for (; *at < n && strcmp(words[*at], "--") != 0; ++*at) {
		char key[16];
		const char *equals = strchr(words[*at], '=');

		if (!equals || snprintf(key, sizeof(key), "%.*s", (int)(equals - words[*at]),
					words[*at]) >= (int)sizeof(key))
			return err_set(e, ERR_USAGE, "'%s' is not a limit", words[*at]);
		if (limits_set(l, key, equals + 1, e) < 0)
			return -1;
	}
	if (++*at >= n)
		return err_set(e, ERR_USAGE, "a command is missing behind '--'");
	return 0;
}

/* A vNet without its control daemon could carry nothing, so that is the first instance of each. */
static int load(struct mux_vnet *v, const char *name, char *const *words, size_t n, size_t at,
		struct err *e)
{
	struct limits limits;
	char sandbox[64];

	if (!v)
		return err_set(e, ERR_USAGE, "'vnet PATH' must come first");
	if (read_limits(words, n, &at, &limits, e) < 0)
		return -1;
	if (strcmp(name, "control") != 0 && !v->instances.n)
		return err_set(e, ERR_USAGE, "the first instance of a vNet is 'control'");
	if (mux_load(v, name, &limits, words + at, e) < 0)
		return err_wrap(e, "%s", name);
	fprintf(stderr, "vnet-mux: %s: %s loaded, confined by %s\n", v->conf.vnet, name,
		sandbox_describe(v->instances.at[v->instances.n - 1]->process->layers, sandbox,
				 sizeof(sandbox)));
	return 0;
}

/* Lines of a file build on each other: instances belong to the vNet that was named last. */
static int do_line(struct mux *m, struct mux_vnet **v, const struct words *w, struct err *e)
{
	struct vnet_conf conf;

	if (!w->n || w->at[0][0] == '#')
		return 0;
	if (!strcmp(w->at[0], "vnet") && w->n == 2) {
		if (vnet_conf_read(w->at[1], &conf) < 0)
			return err_set(e, ERR_ENV, "%s", vnet_error());
		*v = mux_add_vnet(m, &conf, e);
		return *v ? 0 : -1;
	}
	if (!strcmp(w->at[0], "instance") && w->n > 2)
		return load(*v, w->at[1], w->at, w->n, 2, e);
	return err_set(e, ERR_USAGE, "'%s': neither vnet PATH nor instance NAME ... -- COMMAND",
		       w->at[0]);
}

static int do_file(struct mux *m, const char *path, struct err *e)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	struct arena a = {0};
	struct mux_vnet *v = NULL;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int rc = f ? 0 : err_sys(e, "%s", path);

	for (unsigned at = 1; rc == 0 && (n = getline(&line, &room, f)) > 0; at++) {
		struct words w;

		rc = words_split(line, (size_t)n - (line[n - 1] == '\n'), &a, &w, e);
		if (rc == 0)
			rc = do_line(m, &v, &w, e);
		if (rc < 0)
			err_wrap(e, "%s:%u", path, at);
	}
	free(line);
	arena_finish(&a);
	if (f && f != stdin)
		fclose(f);
	return rc;
}

static int do_command(struct mux *m, char **argv, size_t n, struct err *e)
{
	struct vnet_conf conf;

	if (vnet_conf_find(NULL, &conf) < 0)
		return err_set(e, ERR_USAGE, "%s", vnet_error());
	return load(mux_add_vnet(m, &conf, e), "control", argv, n, 0, e);
}

static int tell_status(const char *vnet, struct err *e)
{
	struct vnet_conf conf;
	char path[VNET_PATH_MAX + 8];
	char buf[4096];
	ssize_t n;

	if (vnet_conf_find(vnet, &conf) < 0)
		return err_set(e, ERR_USAGE, "%s", vnet_error());
	snprintf(path, sizeof(path), "%s/mux", conf.dir);
	int fd = sock_connect(path, SOCK_STREAM, e);

	if (fd < 0)
		return -1;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	close(fd);
	return 0;
}

static void on_signal(struct loop_watch *w, uint32_t events, int64_t now_ns);

static struct {
	struct loop_watch watch;
	struct loop *loop;
} signals = {.watch = {.ready = on_signal}};

static void on_signal(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	loop_stop(signals.loop);
}

/*
 * The exit status. 1 if an instance has failed: a script that runs it in a lab sees that something
 * broke.
 */
static int serve(int argc, char **argv, struct err *e)
{
	struct loop *l = loop_create(e);

	if (!l)
		return 3;
	struct mux *m = mux_create(l);
	m->open_files = argc > 1 && !strcmp(argv[1], "--insecure");
	argc -= m->open_files;
	argv += m->open_files;
	bool command = argc != 2 || strchr(argv[1], '=');
	signals.loop = l;
	int rc = loop_add_signals(l, &signals.watch, 0, e);

	if (rc == 0)
		rc = command ? do_command(m, argv + 1, (size_t)argc - 1, e)
			     : do_file(m, argv[1], e);
	if (rc == 0)
		rc = loop_run(l, e);
	int status = rc < 0 ? (e->kind == ERR_USAGE ? 2 : 3) : m->failed;

	mux_destroy(m);
	loop_destroy(l);
	return status;
}

int main(int argc, char **argv)
{
	struct err e = {0};
	int status;

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fputs(usage, argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	signal(SIGPIPE, SIG_IGN);
	/* No other process of the user looks into what passes here. */
	prctl(PR_SET_DUMPABLE, 0);
	if (!strcmp(argv[1], "status") && argc <= 3)
		status = tell_status(argv[2], &e) < 0 ? 3 : 0;
	else
		status = serve(argc, argv, &e);
	if (e.kind)
		fprintf(stderr, "vnet-mux: %s\n", e.text);
	return status;
}
