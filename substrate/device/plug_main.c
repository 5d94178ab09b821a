/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main program that vhub and vswitch share: a substrate with a single device, in a process of
 * its own, and sockets at which clients plug themselves in (plug.h). There is no control protocol.
 * What is to be set is said on the command line; status is asked for at a socket or by SIGUSR1.
 *
 * Options of the program are a table. Every other option is a parameter of the device or, behind
 * --port, of one of its ports: the device knows their names, and refuses what it does not know.
 */
#include "lib/container_of.h"
#include "lib/sock.h"
#include "lib/vec.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "substrate/device/devnode.h"
#include "substrate/device/plug.h"

#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct program {
	const struct device_kind *kind;
	struct loop *loop;
	struct substrate *sub;
	struct object *device;
	struct plug *plug[2];
	struct loop_watch signals, status;
	const char *listen_path, *uml_path, *status_path;
	const char *ports_text, *seed_text, *ready_text;
	unsigned max_ports;
	bool stopped;
	struct words device_words; /* key=value; owned by the arena */
	VEC(char *) port_words;    /* N:key=value, borrowed */
	struct arena arena;
};

static const struct option {
	const char *name, *value, *help;
	size_t offset; /* of a const char * in struct program */
} options[] = {
	{"listen", "PATH", "socket for clients that send one frame per packet (SOCK_SEQPACKET)",
	 offsetof(struct program, listen_path)},
	{"uml", "PATH", "socket for clients of the uml_switch protocol (eth0=daemon,...)",
	 offsetof(struct program, uml_path)},
	{"ports", "N", "how many clients may be plugged in at once (default 1024)",
	 offsetof(struct program, ports_text)},
	{"status", "PATH", "socket that answers every connection with the state, as JSON",
	 offsetof(struct program, status_path)},
	{"ready-fd", "N", "writes a line to this descriptor once clients can connect",
	 offsetof(struct program, ready_text)},
	{"seed", "N", "of random numbers", offsetof(struct program, seed_text)},
};

static void print_help(const struct device_kind *kind)
{
	printf("usage: v%s --listen PATH [--uml PATH] [OPTION...] [--KEY VALUE...]\n\n"
	       "A %s in a process of its own: everything that connects gets a port.\n\n",
	       kind->name, kind->name);
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		printf("  --%-8s %-5s  %s\n", options[i].name, options[i].value, options[i].help);
	printf("  --port     N:KEY=VALUE  a parameter of a port, such as 1:vlan=10\n"
	       "  --KEY      VALUE        a parameter of the %s, such as %s\n\n"
	       "SIGUSR1 prints the state to standard error; SIGTERM and SIGINT end the program.\n",
	       kind->name, strcmp(kind->name, "hub") ? "--ageing 300s" : "--medium shared");
}

/* One option and its value. What is no option of the program is a parameter of the device. */
static void take_option(struct program *p, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (!strcmp(options[i].name, name)) {
			*(const char **)((char *)p + options[i].offset) = value;
			return;
		}
	}
	if (!strcmp(name, "port")) {
		vec_push(&p->port_words, (char *)(uintptr_t)value);
		return;
	}
	p->device_words.at[p->device_words.n++] = arena_printf(&p->arena, "%s=%s", name, value);
}

/* 0, 1: help was printed, -1. */
static int read_options(struct program *p, int argc, char **argv, struct err *e)
{
	p->device_words.at = arena_alloc(&p->arena, (size_t)argc * sizeof(char *));
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help")) {
			print_help(p->kind);
			return 1;
		}
		if (strncmp(argv[i], "--", 2) != 0 || !argv[i][2])
			return err_set(e, ERR_USAGE, "'%s' is not an option; see --help", argv[i]);
		char *eq = strchr(argv[i], '=');

		if (eq) {
			take_option(
				p,
				arena_strndup(&p->arena, argv[i] + 2, (size_t)(eq - argv[i] - 2)),
				eq + 1);
		} else if (i + 1 < argc) {
			take_option(p, argv[i] + 2, argv[i + 1]);
			i++;
		} else {
			return err_set(e, ERR_USAGE, "%s wants a value; see --help", argv[i]);
		}
	}
	if (!p->listen_path && !p->uml_path)
		return err_set(e, ERR_USAGE, "--listen or --uml is needed; see --help");
	return 0;
}

static int read_number(const char *text, const char *what, unsigned long max, unsigned long *n,
		       struct err *e)
{
	char *end;

	if (!text)
		return 0;
	*n = strtoul(text, &end, 10);
	if (*end || end == text || *text == '-' || *n > max)
		return err_set(e, ERR_USAGE, "--%s: '%s' is not a number up to %lu", what, text,
			       max);
	return 0;
}

static void print_status(struct program *p, FILE *out)
{
	struct json j;
	int64_t now = substrate_now_ns(p->sub);

	json_init(&j, out);
	json_open(&j, NULL, '{');
	for (size_t i = 0; i < p->sub->objects.n; i++) {
		struct object *o = p->sub->objects.at[i];

		json_open(&j, o->name, '{');
		json_string(&j, "kind", o->kind->name);
		if (o->kind->status)
			o->kind->status(o, &j, now);
		json_close(&j, '}');
	}
	json_close(&j, '}');
	fputc('\n', out);
}

static void status_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct program *p = container_of(w, struct program, status);
	int fd = loop_accept(p->loop, w);
	char *text = NULL;
	size_t len = 0;
	int size = 16 << 20;

	if (fd < 0)
		return;
	FILE *f = xmemstream(&text, &len);

	print_status(p, f);
	fclose(f);
	/* One send that does not wait: a client that does not read cannot hold us up. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) < (ssize_t)len)
		fprintf(stderr, "v%s: a status was cut\n", p->kind->name);
	close(fd);
	free(text);
}

static void signal_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct program *p = container_of(w, struct program, signals);
	struct signalfd_siginfo info;

	if (read(w->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGUSR1)
		print_status(p, stderr);
	else
		p->stopped = true;
}

/*
 * "3:vlan=10". The port is made for the setting alone: a device remembers what a number was told,
 * and the client's port of that number finds it.
 */
static int set_ports(struct program *p, struct err *e)
{
	char **word;

	VEC_FOREACH (word, &p->port_words) {
		char *setting;
		unsigned long n = strtoul(*word, &setting, 10);

		if (*setting++ != ':' || n < 1 || n > p->max_ports)
			return err_set(e, ERR_USAGE, "--port '%s' is not N:KEY=VALUE", *word);
		struct object *port =
			devport_create(p->sub, *word, p->device, (unsigned)n, &setting, 1, e);

		if (!port)
			return -1;
		port->kind->destroy(port);
	}
	return 0;
}

static int open_sockets(struct program *p, struct err *e)
{
	static const enum plug_protocol how[2] = {PLUG_SEQPACKET, PLUG_UML};
	const char *path[2] = {p->listen_path, p->uml_path};

	for (int i = 0; i < 2; i++) {
		if (!path[i])
			continue;
		p->plug[i] = plug_open(p->sub, p->device, how[i], path[i], p->max_ports, e);
		if (!p->plug[i])
			return -1;
	}
	if (!p->status_path)
		return 0;
	p->status = (struct loop_watch){.fd = sock_listen(p->status_path, SOCK_STREAM, e),
					.ready = status_ready};
	return p->status.fd < 0 ? -1 : loop_add(p->loop, &p->status, EPOLLIN, e);
}

/* Sockets last, and the line at --ready-fd behind them: whoever reads it can connect. */
static int start(struct program *p, struct err *e)
{
	static const struct device_kind *kinds[2];
	unsigned long ports = DEVICE_PORTS_MAX;
	unsigned long ready = 0;
	unsigned long seed = 0;

	if (read_number(p->ports_text, "ports", DEVICE_PORTS_MAX, &ports, e) < 0 ||
	    read_number(p->ready_text, "ready-fd", 1 << 20, &ready, e) < 0 ||
	    read_number(p->seed_text, "seed", ULONG_MAX, &seed, e) < 0)
		return -1;
	p->max_ports = (unsigned)ports;
	p->loop = loop_create(e);
	signal(SIGPIPE, SIG_IGN);
	p->signals.ready = signal_ready;
	if (!p->loop || loop_add_signals(p->loop, &p->signals, SIGUSR1, e) < 0)
		return -1;
	kinds[0] = p->kind;
	p->sub = substrate_create(p->loop, kinds);
	p->sub->seed = seed;
	p->device = devnode_create(p->sub, p->kind->name, p->kind->name, p->device_words.at,
				   p->device_words.n, e);
	if (!p->device || set_ports(p, e) < 0 || open_sockets(p, e) < 0)
		return -1;
	if (p->ready_text) {
		sock_write_all((int)ready, "ready\n", 6);
		close((int)ready);
	}
	return 0;
}

static int serve(struct program *p, struct err *e)
{
	int rc = 0;

	while (rc == 0 && !p->stopped) {
		rc = loop_turn(p->loop, substrate_due_ns(p->sub), e);
		if (rc == 0)
			substrate_run(p->sub);
	}
	return rc;
}

static void finish(struct program *p)
{
	for (int i = 0; i < 2; i++)
		plug_close(p->plug[i]);
	substrate_destroy(p->sub);
	if (p->status.fd > 0) {
		loop_remove(p->loop, &p->status);
		close(p->status.fd);
		unlink(p->status_path);
	}
	if (p->signals.fd > 0) {
		loop_remove(p->loop, &p->signals);
		close(p->signals.fd);
	}
	loop_destroy(p->loop);
	vec_free(&p->port_words);
	arena_finish(&p->arena);
}

int plug_main(const struct device_kind *kind, int argc, char **argv)
{
	struct program p = {.kind = kind};
	struct err e = {0};
	int rc = read_options(&p, argc, argv, &e);

	if (rc == 0)
		rc = start(&p, &e);
	else if (rc > 0)
		p.stopped = true;
	if (rc == 0)
		rc = serve(&p, &e);
	finish(&p);
	if (rc >= 0)
		return 0;
	fprintf(stderr, "v%s: %s\n", kind->name, e.text);
	return e.kind == ERR_USAGE ? ERR_USAGE : ERR_ENV;
}
