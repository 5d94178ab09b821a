/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet-init: process 1 of a guest. Sets it up as /vbet/init.conf says, then serves as its agent.
 *
 * The order of the start matters: modules before the root directory that holds them is left;
 * init.conf from the jail before it is out of sight; the stream as early as it can be, so that what
 * fails afterwards is heard; NICs before sysctls, some of which are per NIC; routes when all
 * addresses are there; services last. What goes wrong is told and passed over, except that there is
 * no root or no network at all.
 */
#include "vkernel/init/agent.h"
#include "vkernel/init/awake.h"
#include "vkernel/init/conf.h"
#include "vkernel/init/files.h"
#include "vkernel/init/hosts.h"
#include "vkernel/init/kmod.h"
#include "vkernel/init/net.h"
#include "vkernel/init/power.h"
#include "vkernel/init/proc.h"
#include "vkernel/init/root.h"
#include "vkernel/init/service.h"
#include "vkernel/init/sysctl.h"
#include "vkernel/init/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <unistd.h>

static struct loop *loop;
static struct conf conf;
static bool is_init; /* not a test of the agent on a host */

static void say(const char *text)
{
	dprintf(2, "vbet-init: %s\n", text);
}

static void tell_failure(const char *how, const char *what, const char *why)
{
	dprintf(2, "vbet-init: %s: %s\n", what, why);
	agent_event(how, what, why);
}

static void on_failed(const char *what, const char *why)
{
	tell_failure("failed", what, why);
}

static void on_bad_line(void *ctx, const struct err *e)
{
	on_failed("init.conf", e->text);
}

static void on_service(const char *what, const char *name, const char *why)
{
	if (why)
		tell_failure(what, name, why);
	else if (name)
		agent_event(what, name);
	else
		agent_event(what);
}

/* --- CONTROL --- */

static void on_nic_done(const char *nic, const char *why)
{
	if (why)
		agent_event("failed", "nic", nic, why);
	else
		agent_event("done", "nic", nic);
}

static void control_nic(const struct words *w)
{
	struct err e;

	if (net_add_nic(w, on_nic_done, &e) < 0)
		agent_event("failed", "nic", w->n > 1 ? w->at[1] : "", e.text);
}

/* "mtu NIC N" */
static void control_mtu(const struct words *w)
{
	unsigned long mtu = w->n == 3 ? strtoul(w->at[2], NULL, 10) : 0;
	const char *nic = w->n > 1 ? w->at[1] : "";
	struct err e;

	if (!mtu || mtu > 65535)
		agent_event("failed", "mtu", nic, "an MTU is from 1 to 65535");
	else if (net_set_mtu(nic, (unsigned)mtu, &e) < 0)
		agent_event("failed", "mtu", nic, e.text);
	else
		agent_event("done", "mtu", nic);
}

/* "hosts +LINE... -LINE..." */
static void control_hosts(const struct words *w)
{
	struct err e;

	if (hosts_change("/etc/hosts", w, &e) < 0)
		agent_event("failed", "hosts", e.text);
	else
		agent_event("done", "hosts");
}

/* "awake SECONDS.NANOSECONDS HEX": it is this time of day, and here is something that nobody else
 * has. */
static void control_awake(const struct words *w)
{
	struct err e;

	if (w->n != 3 || awake(w->at[1], w->at[2], &e) < 0)
		agent_event("failed", "awake", w->n == 3 ? e.text : "it takes two words");
	else
		agent_event("done", "awake");
}

static void control_poweroff(const struct words *w)
{
	agent_event("done", "poweroff");
	power_off(loop, "poweroff");
}

static const struct {
	const char *word;
	void (*act)(const struct words *w);
} controls[] = {
	{"awake", control_awake}, {"hosts", control_hosts},       {"mtu", control_mtu},
	{"nic", control_nic},     {"poweroff", control_poweroff},
};

static void on_control(const struct words *w)
{
	for (size_t i = 0; i < ARRAY_LEN(controls); i++) {
		if (strcmp(controls[i].word, w->at[0]) != 0)
			continue;
		controls[i].act(w);
		return;
	}
	agent_event("failed", w->at[0], "no such request");
}

/* --- the stream --- */

static void open_agent(void);

static void reopen(struct loop_timer *t, int64_t now_ns)
{
	open_agent();
}

/*
 * The server has gone, or the stream broke: a new one is opened, with a pause, as it would else be
 * tried again and again while nobody is there.
 */
static void on_closed(void)
{
	static struct loop_timer again;

	if (!is_init) {
		loop_stop(loop);
		return;
	}
	again.fire = reopen;
	loop_set_timer(loop, &again, loop_now_ns(loop) + 100000000);
}

static const struct agent_calls calls = {
	.control = on_control,
	.closed = on_closed,
};

static void serve(int fd)
{
	struct err e;

	if (agent_open(loop, fd, &calls, &e) < 0)
		say(e.text);
}

static void open_agent(void)
{
	struct err e;

	if (transport_start(loop, serve, &e) < 0)
		say(e.text);
}

/* --- signals --- */

static const struct {
	int sig;
	const char *how;
} power_signals[] = {
	/* What the commands of busybox and sysvinit send, and a host with an empty battery. */
	{SIGTERM, "reboot"},   {SIGINT, "reboot"},   {SIGUSR1, "halt"},
	{SIGUSR2, "poweroff"}, {SIGPWR, "poweroff"},
};

/*
 * signalfd(2) joins equal signals: one SIGCHLD may stand for many children, so proc_reap() takes
 * all there are.
 */
static void on_signal(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct signalfd_siginfo si;

	while (read(w->fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD) {
			proc_reap();
			power_child_ended();
		}
		for (size_t i = 0; is_init && i < ARRAY_LEN(power_signals); i++)
			if (si.ssi_signo == (uint32_t)power_signals[i].sig)
				power_off(loop, power_signals[i].how);
	}
}

static int watch_signals(struct err *e)
{
	static struct loop_watch signals;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; is_init && i < ARRAY_LEN(power_signals); i++)
		sigaddset(&set, power_signals[i].sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	signals.ready = on_signal;
	if (signals.fd < 0)
		return err_sys(e, "signalfd");
	return loop_add(loop, &signals, EPOLLIN, e);
}

/* --- start --- */

/* In a jail all has its place; without one, the launcher says where it is. */
static const char *place(const char *variable, const char *otherwise)
{
	const char *value = getenv(variable);

	return value ? value : otherwise;
}

static void load_conf(void)
{
	char *path = xasprintf("%s/init.conf", place("vbet_dir", "/vbet"));
	size_t len = 0;
	char *text = files_read(path, &len);

	if (text)
		conf_add_text(&conf, text, len, on_bad_line, NULL);
	else
		on_failed("init.conf", strerror(errno));
	free(path);
	free(text);
}

static void lay_files(void)
{
	const struct conf_file *f;
	struct err e;

	files_write_names(&conf);
	VEC_FOREACH (f, &conf.files)
		if (files_write(f, &e) < 0)
			on_failed(f->path, e.text);
	VEC_FOREACH (f, &conf.dirs)
		if (files_make_dir(f, &e) < 0)
			on_failed(f->path, e.text);
}

/* RB_DISABLE_CAD makes Ctrl-Alt-Del a signal to us (SIGINT) instead of an instant reset. */
static int set_up(struct err *e)
{
	const char *name;

	kmod_load();
	load_conf();
	name = conf.hostname ? conf.hostname : "guest";
	if (sethostname(name, strlen(name)) < 0)
		on_failed("hostname", strerror(errno));
	if (root_enter(place("vbet_root", conf.root == CONF_ROOT_IMAGE ? "/image" : "/root"),
		       conf.root, e) < 0)
		return -1;
	reboot(RB_DISABLE_CAD);
	agent_set_shell(conf.shell);
	open_agent();
	if (net_start(&conf, on_failed, e) < 0)
		return -1;
	sysctl_set_all(&conf, on_failed);
	net_set_up();
	lay_files();
	net_add_routes();
	return net_watch(loop, e);
}

/* Nothing can be done without a root: the console log says why, and the guest ends. */
static void give_up(const struct err *e)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	say(e->text);
	if (fd >= 0)
		dprintf(fd, "<2>vbet-init: %s\n", e->text);
	agent_event("failed", "init", e->text);
	agent_flush(1000);
	if (is_init)
		reboot(RB_POWER_OFF);
	_exit(3);
}

int main(int argc, char **argv)
{
	struct err e = {0};

	is_init = getpid() == 1;
	if (!is_init && (argc != 3 || strcmp(argv[1], "--agent") != 0)) {
		say("runs as process 1 of a guest; for tests: --agent DESCRIPTOR");
		return 2;
	}
	loop = loop_create(&e);
	if (!loop || watch_signals(&e) < 0)
		give_up(&e);
	if (is_init && set_up(&e) < 0)
		give_up(&e);
	if (!is_init && agent_open(loop, atoi(argv[2]), &calls, &e) < 0)
		give_up(&e);
	if (is_init)
		service_start_all(loop, &conf, on_service);
	while (loop_run(loop, &e) < 0)
		say(e.text);
	return 0;
}
