/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a vNet's instances: the control daemon first, then others that talk to it.
 *
 * An instance that ends by itself, or exceeds its limits, stays unloaded. A control daemon that
 * somebody killed is started again, for without it the vNet carries nothing: after 100 ms,
 * and after twice as long each time that it did not live for 10 s, up to 10 s.
 * The new one begins as the first did: it is told of the NICs, listens at the same place, and binds
 * endpoints for whoever asks. Bindings of the old one went with it, since nobody else could end
 * them, and applications ask again. Other instances had a connection to the old one: those that ran
 * are started again, too, when the new one listens.
 */
#include "vnet/mux/mux.h"

#include "lib/container_of.h"
#include "lib/sock.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int64_t again_first_ns = 100000000;
static const int64_t again_max_ns = 10000000000;
static const int64_t again_lived_ns = 10000000000;
/* Whoever ends so soon before the daemon's end is seen has ended for that. */
static const int64_t together_ns = 50000000;

static void start_again(struct loop_timer *t, int64_t now_ns);

static void drop_bindings(struct mux_vnet *v)
{
	while (v->demux.bindings.n)
		mux_unbind((struct mux_binding *)v->demux.bindings.at[0], false);
}

static bool will_run(const struct mux_instance *mi)
{
	return instance_runs(mi->process) || mi->again.heap_index;
}

static void end_if_nothing_left(struct mux *m)
{
	for (size_t i = 0; i < m->vnets.n; i++)
		for (size_t k = 0; k < m->vnets.at[i]->instances.n; k++)
			if (will_run(m->vnets.at[i]->instances.at[k]))
				return;
	loop_stop(m->loop);
}

int mux_listen(struct mux_vnet *v, const char *name, struct err *e)
{
	char *path = xasprintf("%s/%s", v->conf.dir, name);
	int fd = sock_listen(path, strcmp(name, "mux") ? SOCK_SEQPACKET : SOCK_STREAM, e);

	free(path);
	return fd;
}

static void close_channel(struct mux_instance *mi)
{
	if (mi->channel.fd < 0)
		return;
	loop_remove(mi->vnet->mux->loop, &mi->channel);
	close(mi->channel.fd);
	mi->channel.fd = -1;
}

/* Somebody killed the control daemon: when it is started again. */
static void plan_again(struct mux_instance *mi, int64_t now_ns)
{
	bool lived = now_ns - mi->started_ns >= again_lived_ns;

	mi->pause_ns = lived || !mi->pause_ns ? again_first_ns : mi->pause_ns * 2;
	if (mi->pause_ns > again_max_ns)
		mi->pause_ns = again_max_ns;
	mi->again.fire = start_again;
	loop_set_timer(mi->vnet->mux->loop, &mi->again, now_ns + mi->pause_ns);
}

/* A control daemon's bindings end with it: nobody else could end them. */
static void instance_ended(struct instance *i)
{
	struct mux_instance *mi = i->owner;
	struct mux_vnet *v = mi->vnet;
	bool again = mi->is_control && i->killed;

	mi->ended_ns = loop_now_ns(v->mux->loop);
	if (again)
		plan_again(mi, mi->ended_ns);
	else
		v->mux->failed |= !i->clean;
	fprintf(stderr, "vnet-mux: %s: %s unloaded: %s%s\n", v->conf.vnet, i->name, i->reason,
		again ? "; it is started again" : "");
	if (mi->is_control)
		drop_bindings(v);
	close_channel(mi);
	end_if_nothing_left(v->mux);
}

/*
 * Returns descriptor 3 of the new process; *mine is our end of it, or -1. The control daemon gets a
 * pair of sockets to the multiplexer; any other instance what an application has, a connection to
 * the control daemon, made for it, since it may not connect.
 */
static int make_channel(struct mux_vnet *v, bool control, int *mine, struct err *e)
{
	int pair[2];

	*mine = -1;
	if (!control) {
		int fd = vnet_connect(&v->conf);

		return fd < 0 ? err_set(e, ERR_ENV, "%s", vnet_error()) : fd;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	*mine = pair[0];
	return pair[1];
}

/*
 * The environment is made, not passed on: what the user has in his is none of an instance's
 * business.
 */
static int start(struct mux_instance *mi, int channel, int listener, struct err *e)
{
	const struct vnet_conf *c = &mi->vnet->conf;
	char *environment[] = {
		xasprintf("VNET_INSTANCE=%s", mi->process->name),
		xasprintf("VNET_NAME=%s", c->vnet),
		xasprintf("VBET_NODE=%s", c->node),
		xstrdup("PATH=/usr/local/bin:/usr/bin:/bin"),
		NULL,
	};
	int rc = instance_start(mi->process, channel, listener, environment, e);

	for (size_t i = 0; environment[i]; i++)
		free(environment[i]);
	return rc;
}

static void greet(struct mux_instance *mi)
{
	struct mux_vnet *v = mi->vnet;
	char *text = xasprintf("vnet %s", v->conf.vnet);

	send(mi->channel.fd, text, strlen(text), MSG_NOSIGNAL);
	free(text);
	for (size_t i = 0; i < v->conf.n_nics; i++)
		mux_tell_nic(&v->nics[i]);
}

/*
 * The channel is watched and filled before the process starts: what the daemon reads first is there
 * already, and it need not be told that it can begin.
 */
static int load(struct mux_instance *mi, struct err *e)
{
	struct mux_vnet *v = mi->vnet;
	int listener = mi->is_control ? mux_listen(v, "control", e) : -1;

	if (mi->is_control && listener < 0)
		return -1;
	int channel = make_channel(v, mi->is_control, &mi->channel.fd, e);
	int rc = channel < 0 ? -1 : 0;

	if (rc == 0 && mi->is_control) {
		mi->channel.ready = mux_channel_ready;
		sock_set_nonblock(mi->channel.fd);
		rc = loop_add(v->mux->loop, &mi->channel, EPOLLIN, e);
		greet(mi);
	}
	if (rc == 0)
		rc = start(mi, channel, listener, e);
	if (channel >= 0)
		close(channel);
	if (listener >= 0)
		close(listener); /* the daemon's alone: when it ends, nobody listens */
	mi->times_started += rc == 0;
	mi->started_ns = loop_now_ns(v->mux->loop);
	return rc;
}

int mux_load(struct mux_vnet *v, const char *name, const struct limits *limits, char *const *argv,
	     struct err *e)
{
	struct mux_instance *mi = xcalloc(1, sizeof(*mi));

	mi->vnet = v;
	mi->is_control = !strcmp(name, "control");
	mi->channel.fd = -1;
	mi->process = instance_create(v->mux->loop, name, limits, argv);
	mi->process->owner = mi;
	mi->process->on_end = instance_ended;
	mi->process->open_files = v->mux->open_files;
	vec_push(&v->instances, mi);
	return load(mi, e);
}

/* Its connection was cut before the daemon's end could be seen, or since then. */
static bool ended_with(const struct mux_instance *mi, const struct mux_instance *control)
{
	return mi->ended_ns >= control->ended_ns - together_ns;
}

/* Whoever talked to the old daemon talks to the new one. */
static void load_others_again(struct mux_instance *control)
{
	struct mux_vnet *v = control->vnet;
	struct err e;

	for (size_t i = 0; i < v->instances.n; i++) {
		struct mux_instance *mi = v->instances.at[i];

		if (mi == control)
			continue;
		if (instance_runs(mi->process))
			instance_stop(mi->process, "its control daemon has ended");
		else if (!ended_with(mi, control))
			continue;
		if (load(mi, &e) < 0) {
			v->mux->failed = true;
			fprintf(stderr, "vnet-mux: %s: %s: %s\n", v->conf.vnet, mi->process->name,
				e.text);
		}
	}
}

static void start_again(struct loop_timer *t, int64_t now_ns)
{
	struct mux_instance *mi = container_of(t, struct mux_instance, again);
	struct mux_vnet *v = mi->vnet;
	struct err e;

	if (load(mi, &e) < 0) {
		fprintf(stderr, "vnet-mux: %s: control: %s\n", v->conf.vnet, e.text);
		close_channel(mi);
		plan_again(mi, now_ns);
		return;
	}
	fprintf(stderr, "vnet-mux: %s: control loaded again, %llu times until now\n", v->conf.vnet,
		(unsigned long long)mi->times_started - 1);
	load_others_again(mi);
}

void mux_unload_all(struct mux_vnet *v)
{
	drop_bindings(v);
	for (size_t i = 0; i < v->instances.n; i++) {
		loop_cancel_timer(v->mux->loop, &v->instances.at[i]->again);
		close_channel(v->instances.at[i]);
		instance_destroy(v->instances.at[i]->process);
		free(v->instances.at[i]);
	}
	vec_free(&v->instances);
}
