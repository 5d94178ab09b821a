/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a control daemon may ask the multiplexer for, and the endpoints that come of it.
 *
 * A request is a message of words, "bind" with one end of a socket pair as its descriptor; "bound"
 * or "refused" answers it. The daemon keeps the other end of the pair, to hand it on. So the
 * multiplexer never learns who has an endpoint: it knows a descriptor, two filters and a number,
 * and when the descriptor reads its end, the binding is over.
 */
#include "lib/addr.h"
#include "lib/container_of.h"
#include "lib/sock.h"
#include "lib/units.h"
#include "lib/words.h"
#include "vnet/mux/mux.h"
#include "vnet/vnet_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, SEND_BUFFER = 1 << 20, BINDINGS_MAX = 4096 };

/* Only the control daemon has a channel. */
static struct mux_instance *control_of(struct mux_vnet *v)
{
	for (size_t i = 0; i < v->instances.n; i++)
		if (v->instances.at[i]->channel.fd >= 0)
			return v->instances.at[i];
	return NULL;
}

/* Never waits: a daemon that does not read loses what it is told. */
__attribute__((format(printf, 2, 3))) static void tell(struct mux_vnet *v, const char *fmt, ...)
{
	struct mux_instance *mi = control_of(v);
	char text[VNET_MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);

	va_end(ap);
	if (mi && n > 0 && n < VNET_MESSAGE_MAX &&
	    send(mi->channel.fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		fprintf(stderr, "vnet-mux: %s: the control daemon does not read\n", v->conf.vnet);
}

void mux_tell_nic(struct mux_nic *n)
{
	const struct vnet_conf_nic *c = &n->vnet->conf.nics[n->index];
	char mac[18];

	tell(n->vnet, "nic %u %s mac=%s mtu=%u carrier=%d", n->index, n->name,
	     addr_format_mac(c->mac, mac, sizeof(mac)), n->nic ? vnet_nic_mtu(n->nic) : c->mtu,
	     n->nic && vnet_nic_carrier(n->nic));
}

void mux_unbind(struct mux_binding *b, bool to_be_told)
{
	struct mux_vnet *v = b->vnet;

	demux_remove(&v->demux, &b->demux);
	loop_remove(v->mux->loop, &b->watch);
	close(b->watch.fd);
	if (to_be_told)
		tell(v, "closed %u", b->demux.id);
	demux_binding_finish(&b->demux);
	free(b);
}

/* Sends one frame of an endpoint, or counts why not. */
static void forward(struct mux_binding *b, unsigned nic, const uint8_t *frame, size_t len)
{
	struct mux_vnet *v = b->vnet;
	struct mux_nic *n = nic < v->conf.n_nics ? &v->nics[nic] : NULL;

	if (!n || !n->nic) {
		b->out_no_nic++;
		return;
	}
	enum demux_verdict verdict = demux_check(&b->demux, vnet_nic_mac(n->nic), frame, len);

	if (verdict != DEMUX_PASS) {
		b->refused[verdict]++;
		return;
	}
	if (vnet_nic_send(n->nic, frame, len) < 0) {
		n->send_full += errno == EAGAIN;
		n->send_down += errno != EAGAIN;
		return;
	}
	b->out_frames++;
	b->out_bytes += len;
	n->out_frames++;
	n->out_bytes += len;
}

/*
 * A message that is no frame is counted like a runt, and the endpoint lives on: the application may
 * be wrong once.
 */
static void endpoint_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct mux_binding *b = container_of(w, struct mux_binding, watch);
	uint8_t *buf = b->vnet->mux->buf;

	for (int i = 0; i < BATCH; i++) {
		unsigned nic;
		ssize_t len = vnet_endpoint_receive(w->fd, &nic, buf, VNET_FRAME_MAX);

		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0 && errno == EMSGSIZE) {
			b->refused[DEMUX_RUNT]++;
			continue;
		}
		if (len < 0)
			return mux_unbind(b, true);
		forward(b, nic, buf, (size_t)len);
	}
}

/*
 * The filters are compiled before anything is entered: a binding that cannot be leaves no trace,
 * and the daemon gets libpcap's own words.
 */
static int bind_endpoint(struct mux_vnet *v, const struct words *w, int fd, struct err *e)
{
	const char *in = words_get(w, "in");
	const char *out = words_get(w, "out");
	const char *priority = words_get(w, "priority");
	int size = SEND_BUFFER;
	int64_t id = 0;

	if (w->n < 2 || unit_parse(UNIT_COUNT, w->at[1], &id, NULL) < 0 || id < 0 ||
	    id > UINT32_MAX || !in || !out || !priority || fd < 0)
		return err_set(e, ERR_USAGE,
			       "bind ID priority=N in=FILTER out=FILTER, and a descriptor");
	if (v->demux.bindings.n == BINDINGS_MAX)
		return err_set(e, ERR_USAGE, "%d endpoints are the most that a vNet may have",
			       BINDINGS_MAX);
	struct mux_binding *b = xcalloc(1, sizeof(*b));

	b->vnet = v;
	if (demux_binding_init(&b->demux, (unsigned)id, atoi(priority), in, out, e) < 0) {
		free(b);
		return -1;
	}
	b->watch = (struct loop_watch){.fd = fd, .ready = endpoint_ready};
	if (demux_add(&v->demux, &b->demux, e) < 0) {
		demux_binding_finish(&b->demux);
		free(b);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (loop_add(v->mux->loop, &b->watch, EPOLLIN, e) < 0) {
		demux_remove(&v->demux, &b->demux);
		demux_binding_finish(&b->demux);
		free(b);
		return -1;
	}
	return 0;
}

/* Takes fd over. */
static void take_request(struct mux_vnet *v, const struct words *w, struct arena *a, int fd)
{
	struct err e = {0};

	if (w->n && !strcmp(w->at[0], "unbind")) {
		struct demux_binding *b =
			w->n > 1 ? demux_find_id(&v->demux, (unsigned)strtoul(w->at[1], NULL, 10))
				 : NULL;

		if (b)
			mux_unbind((struct mux_binding *)b, false);
		if (fd >= 0)
			close(fd);
		return;
	}
	if (w->n < 2 || strcmp(w->at[0], "bind") != 0)
		err_set(&e, ERR_USAGE, "a control daemon may say bind and unbind");
	else if (bind_endpoint(v, w, fd, &e) == 0)
		return tell(v, "bound %s", words_quote(a, w->at[1]));
	tell(v, "refused %s %s", w->n > 1 ? words_quote(a, w->at[1]) : "0", words_quote(a, e.text));
	if (fd >= 0)
		close(fd);
}

void mux_channel_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct mux_instance *mi = container_of(w, struct mux_instance, channel);
	char text[VNET_MESSAGE_MAX];
	struct arena a = {0};
	struct words words;
	size_t n_fds = 0;
	int fd = -1;
	ssize_t n = sock_recv_fds(w->fd, text, sizeof(text), &fd, 1, &n_fds, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* It closed its channel. What follows is done when its process ends. */
		loop_remove(mi->vnet->mux->loop, w);
		return;
	}
	if (words_split(text, (size_t)n, &a, &words, NULL) < 0)
		words.n = 0;
	take_request(mi->vnet, &words, &a, n_fds ? fd : -1);
	arena_finish(&a);
}
