/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A channel in a snapshot, and one whose guest goes to another process. */
#include "lib/sock.h"
#include "substrate/core/mover.h"
#include "substrate/core/thaw.h"
#include "substrate/virtio/channel_priv.h"

#include <sys/socket.h>
#include <unistd.h>

void channel_came(struct channel *c)
{
	if (c->awaited && !c->arrives)
		substrate_came(c->object.sub);
	c->awaited = c->arrives = false;
}

int channel_freeze(struct object *o, struct err *e)
{
	struct channel *c = (struct channel *)o;

	/* What its client has written is in no socket any more, but here: a socket's buffer more.
	 */
	channel_read_client(c, IN_END, loop_now_ns(o->sub->loop));
	return vhost_freeze(&c->vhost, e);
}

/* What waits in either direction is here; for the guest its client has never been away. */
int channel_thaw(struct object *o, const struct thaw *t, struct err *e)
{
	struct channel *c = (struct channel *)o;

	c->awaited = c->client.fd >= 0;
	c->client.fd = -1;
	if (c->awaited)
		substrate_await(o->sub);
	thaw_path(t, &c->stream);
	c->listener.fd = sock_listen(c->stream, SOCK_STREAM, e);
	if (c->listener.fd < 0 || loop_add(o->sub->loop, &c->listener, EPOLLIN, e) < 0)
		return -1;
	return vhost_thaw(&c->vhost, t, e);
}

bool channel_has_news(const struct channel *c)
{
	return c->n_control || (c->in.len && c->guest_open);
}

int channel_sleep(struct object *o, struct err *e)
{
	struct channel *c = (struct channel *)o;

	if (channel_has_news(c))
		return err_set(e, ERR_ENV, "octets wait for it");
	return vhost_sleep(&c->vhost, e);
}

/* What waits goes along; here it is gone then, so that nobody gets it twice. */
static int move_bytes(struct bytes *b, struct mover *m, struct err *e)
{
	size_t len = b->len;

	if (mover_pass(m, &len, sizeof(len), e) < 0)
		return -1;
	if (!len)
		return 0;
	if (mover_pass(m, m->leaves ? b->at + b->start : bytes_room(b, len), len, e) < 0)
		return -1;
	if (m->leaves)
		bytes_clear(b);
	else
		b->len += len;
	return 0;
}

static int move_state(struct channel *c, struct mover *m, bool *has_client, struct err *e)
{
	const struct {
		void *at;
		size_t size;
	} items[] = {
		{has_client, sizeof(*has_client)},
		{&c->client_open, sizeof(c->client_open)},
		{&c->port_there, sizeof(c->port_there)},
		{&c->guest_open, sizeof(c->guest_open)},
		{&c->left, sizeof(c->left)},
		{c->control, sizeof(c->control)},
		{&c->n_control, sizeof(c->n_control)},
		{&c->in_bytes, sizeof(c->in_bytes)},
		{&c->out_bytes, sizeof(c->out_bytes)},
	};

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (mover_pass(m, items[i].at, items[i].size, e) < 0)
			return -1;
	return 0;
}

int channel_move(struct object *o, struct mover *m, struct err *e)
{
	struct channel *c = (struct channel *)o;
	bool has_client = c->client.fd >= 0;

	if (vhost_move(&c->vhost, m, e) < 0 || move_state(c, m, &has_client, e) < 0 ||
	    move_bytes(&c->in, m, e) < 0 || move_bytes(&c->out, m, e) < 0)
		return -1;
	if (!m->leaves) {
		c->awaited = c->arrives = has_client;
		return 0;
	}
	loop_remove(o->sub->loop, &c->listener);
	close(c->listener.fd);
	c->listener.fd = -1;
	unlink(c->stream);
	return 0;
}
