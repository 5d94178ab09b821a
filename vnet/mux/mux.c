/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The multiplexer's two directions, and the life of what hangs on it.
 *
 * Inwards: a NIC has a frame; demux.c finds the binding whose filter matches it; the frame goes to
 * that binding's endpoint, a SOCK_SEQPACKET socket whose other end an application holds. If the
 * socket is full, the frame is dropped and counted: one slow application must not hold up the
 * others, which share the NIC. Outwards (mux_channel.c): what an endpoint sends must have the NIC's
 * own source address and pass the endpoint's filter, or it is dropped and counted. So an
 * application can neither hear nor forge what is not its own, and needs no trust.
 *
 * A binding lives as long as its endpoint: when the application closes it, the loop sees the end,
 * the binding goes, and the control daemon is told. When the control daemon ends, all of its vNet's
 * bindings go, as nobody could end them any more. When the last NIC or the last instance has gone,
 * the multiplexer ends.
 *
 * At most BATCH frames are taken from one descriptor before the loop looks at the others.
 */
#include "vnet/mux/mux.h"

#include "lib/container_of.h"
#include "lib/sock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64 };

struct mux *mux_create(struct loop *l)
{
	struct mux *m = xcalloc(1, sizeof(*m));

	m->loop = l;
	return m;
}

static void end_if_nothing_left(struct mux *m)
{
	for (size_t i = 0; i < m->vnets.n; i++)
		for (size_t k = 0; k < m->vnets.at[i]->instances.n; k++)
			if (instance_runs(m->vnets.at[i]->instances.at[k]->process))
				return;
	loop_stop(m->loop);
}

/*
 * NICs go one by one when a lab ends. The last one of all vNets is the end of the lab; until then
 * it is only news for the control daemon.
 */
static void lose_nic(struct mux_nic *n)
{
	struct mux *m = n->vnet->mux;

	if (!n->nic)
		return;
	loop_remove(m->loop, &n->watch);
	vnet_nic_close(n->nic);
	n->nic = NULL;
	fprintf(stderr, "vnet-mux: %s: NIC %s is gone\n", n->vnet->conf.vnet, n->name);
	for (size_t i = 0; i < m->vnets.n; i++)
		for (size_t k = 0; k < m->vnets.at[i]->conf.n_nics; k++)
			if (m->vnets.at[i]->nics[k].nic)
				return mux_tell_nic(n);
	loop_stop(m->loop); /* the lab has ended */
}

static void deliver(struct mux_nic *n, const uint8_t *frame, size_t len)
{
	struct demux_binding *found = demux_find(&n->vnet->demux, frame, len);
	struct mux_binding *b = (struct mux_binding *)found;

	n->in_frames++;
	n->in_bytes += len;
	if (!b) {
		n->nobody++;
	} else if (vnet_endpoint_send(b->watch.fd, n->index, frame, len) == 0) {
		b->in_frames++;
		b->in_bytes += len;
	} else if (errno == EAGAIN) {
		b->in_full++;
	} /* else it has been closed just now: the loop will tell */
}

static void nic_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct mux_nic *n = container_of(w, struct mux_nic, watch);
	uint8_t *buf = n->vnet->mux->buf;

	for (int i = 0; i < BATCH; i++) {
		ssize_t len = vnet_nic_receive(n->nic, buf, VNET_FRAME_MAX);

		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0)
			return lose_nic(n);
		if (len == 0)
			mux_tell_nic(n);
		else if (len >= VNET_FRAME_MIN)
			deliver(n, buf, (size_t)len);
	}
}

static int open_nic(struct mux_vnet *v, unsigned index, struct err *e)
{
	struct mux_nic *n = &v->nics[index];
	const struct vnet_conf_nic *c = &v->conf.nics[index];

	n->vnet = v;
	n->index = index;
	memcpy(n->name, c->name, sizeof(n->name));
	n->nic = vnet_nic_open(&v->conf, c->name);
	if (!n->nic)
		return err_set(e, ERR_ENV, "%s", vnet_error());
	n->watch = (struct loop_watch){.fd = vnet_nic_fd(n->nic), .ready = nic_ready};
	return loop_add(v->mux->loop, &n->watch, EPOLLIN, e);
}

static int listen_at(struct mux_vnet *v, const char *name, struct err *e)
{
	char *path = xasprintf("%s/%s", v->conf.dir, name);
	int fd = sock_listen(path, strcmp(name, "mux") ? SOCK_SEQPACKET : SOCK_STREAM, e);

	free(path);
	return fd;
}

struct mux_vnet *mux_add_vnet(struct mux *m, const struct vnet_conf *conf, struct err *e)
{
	struct mux_vnet *v = xcalloc(1, sizeof(*v));

	v->mux = m;
	v->conf = *conf;
	vec_push(&m->vnets, v);
	v->status = (struct loop_watch){.fd = listen_at(v, "mux", e), .ready = mux_status_ready};
	if (v->status.fd < 0 || loop_add(m->loop, &v->status, EPOLLIN, e) < 0)
		return NULL;
	for (unsigned i = 0; i < conf->n_nics; i++)
		if (open_nic(v, i, e) < 0)
			return NULL;
	return v;
}

static void drop_bindings(struct mux_vnet *v)
{
	while (v->demux.bindings.n)
		mux_unbind((struct mux_binding *)v->demux.bindings.at[0], false);
}

static void close_channel(struct mux_instance *mi)
{
	if (mi->channel.fd < 0)
		return;
	loop_remove(mi->vnet->mux->loop, &mi->channel);
	close(mi->channel.fd);
	mi->channel.fd = -1;
}

/* A control daemon's bindings end with it: nobody else could end them. */
static void instance_ended(struct instance *i)
{
	struct mux_instance *mi = i->owner;
	struct mux_vnet *v = mi->vnet;

	fprintf(stderr, "vnet-mux: %s: %s unloaded: %s\n", v->conf.vnet, i->name, i->reason);
	v->mux->failed |= !i->clean;
	if (mi->channel.fd >= 0)
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
int mux_load(struct mux_vnet *v, const char *name, const struct limits *limits, char *const *argv,
	     struct err *e)
{
	bool control = !strcmp(name, "control");
	struct mux_instance *mi = xcalloc(1, sizeof(*mi));
	int listener = control ? listen_at(v, name, e) : -1;

	mi->vnet = v;
	mi->channel.fd = -1;
	mi->process = instance_create(v->mux->loop, name, limits, argv);
	mi->process->owner = mi;
	mi->process->on_end = instance_ended;
	mi->process->open_files = v->mux->open_files;
	vec_push(&v->instances, mi);
	if (control && listener < 0)
		return -1;
	int channel = make_channel(v, control, &mi->channel.fd, e);
	int rc = channel < 0 ? -1 : 0;

	if (rc == 0 && control) {
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
	return rc;
}

static void destroy_vnet(struct mux_vnet *v)
{
	struct loop *l = v->mux->loop;

	drop_bindings(v);
	for (size_t i = 0; i < v->instances.n; i++) {
		close_channel(v->instances.at[i]);
		instance_destroy(v->instances.at[i]->process);
		free(v->instances.at[i]);
	}
	vec_free(&v->instances);
	for (size_t i = 0; i < v->conf.n_nics; i++) {
		loop_remove(l, &v->nics[i].watch);
		vnet_nic_close(v->nics[i].nic);
	}
	if (v->status.fd >= 0) {
		loop_remove(l, &v->status);
		close(v->status.fd);
	}
	demux_finish(&v->demux);
	free(v);
}

void mux_destroy(struct mux *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->vnets.n; i++)
		destroy_vnet(m->vnets.at[i]);
	vec_free(&m->vnets);
	free(m);
}
