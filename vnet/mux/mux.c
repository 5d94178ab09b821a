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
 * bindings go, as nobody could end them any more (mux_instances.c). When the last NIC or the last
 * instance has gone, the multiplexer ends.
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

struct mux_vnet *mux_add_vnet(struct mux *m, const struct vnet_conf *conf, struct err *e)
{
	struct mux_vnet *v = xcalloc(1, sizeof(*v));

	v->mux = m;
	v->conf = *conf;
	vec_push(&m->vnets, v);
	v->status = (struct loop_watch){.fd = mux_listen(v, "mux", e), .ready = mux_status_ready};
	if (v->status.fd < 0 || loop_add(m->loop, &v->status, EPOLLIN, e) < 0)
		return NULL;
	for (unsigned i = 0; i < conf->n_nics; i++)
		if (open_nic(v, i, e) < 0)
			return NULL;
	return v;
}

static void destroy_vnet(struct mux_vnet *v)
{
	struct loop *l = v->mux->loop;

	mux_unload_all(v);
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
