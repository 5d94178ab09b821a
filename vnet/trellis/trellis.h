/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libtrellis: datagrams and reliable streams between programs on a vNet that speaks Trellis
 * (docs/vnet.md). All of the data path runs in the calls below, in the calling program: there is no
 * thread and no other process behind it, so a stream makes progress only while its program is in a
 * call on it, or in trellis_work().
 *
 * Addresses are text: "/east/hall/h1", or the last labels of one that is known and has them alone,
 * "h1". Where nothing else is said, a call returns -1 (or NULL) with errno set, and vnet_error()
 * says why. timeout_ms: -1 waits without end, 0 does not wait. Link with -ltrellis -lvnet.
 */
#ifndef VNET_TRELLIS_TRELLIS_H
#define VNET_TRELLIS_TRELLIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TRELLIS_NAME_MAX = 80 }; /* an address as text, with the NUL */

/* An end system, as $VNET_CONF says (NULL: the first vNet in it). To be closed last. */
struct trellis;
struct trellis *trellis_open(const char *vnet);
void trellis_close(struct trellis *t);
/* Our own address. */
const char *trellis_self(const struct trellis *t);
/* The whole address of a name. 0, or -1: ENOENT, or EEXIST (several end like that). */
int trellis_resolve(struct trellis *t, const char *name, char address[TRELLIS_NAME_MAX]);
/* Octets of a datagram that fit on every link of the way there; -1: ENETUNREACH. */
int trellis_datagram_max(struct trellis *t, const char *to);

/* The routes, in the order of addresses. */
struct trellis_way {
	char to[TRELLIS_NAME_MAX];
	unsigned nic, hops, mtu;
	uint32_t cost;
};
/* Calls each() for every route; how many there are. */
int trellis_ways(struct trellis *t, void (*each)(void *ctx, const struct trellis_way *w),
		 void *ctx);

/* Datagrams. Port 0: any. NULL: EADDRINUSE. */
struct trellis_socket;
struct trellis_socket *trellis_datagram(struct trellis *t, uint16_t port);
/* Waits for connections. */
struct trellis_socket *trellis_listen(struct trellis *t, uint16_t port);
void trellis_socket_close(struct trellis_socket *s);
uint16_t trellis_socket_port(const struct trellis_socket *s);
/* For poll(2), to wait for several things at once: readable when there is something to receive or
 * accept. */
int trellis_socket_fd(const struct trellis_socket *s);
/* How many links datagrams may pass from now on, 1 to 255; 32 at first. */
void trellis_set_hops(struct trellis_socket *s, unsigned hops);
/* 0, or -1: ENETUNREACH, EMSGSIZE (see trellis_datagram_max), EAGAIN. */
int trellis_send(struct trellis_socket *s, const char *to, uint16_t port, const void *data,
		 size_t len);
/*
 * The next datagram: its length; who sent it. -1: ETIMEDOUT; or the network says that one of ours
 * did not arrive, `from` is who says so: ENETUNREACH (no way), EHOSTUNREACH (hop limit), EMSGSIZE,
 * ECONNREFUSED (no such port).
 */
struct trellis_from {
	char address[TRELLIS_NAME_MAX];
	uint16_t port;
};
ssize_t trellis_receive(struct trellis_socket *s, struct trellis_from *from, void *data,
			size_t size, int timeout_ms);

/* Streams. -1, NULL: ETIMEDOUT, ECONNREFUSED, ENETUNREACH, ECONNRESET. */
struct trellis_stream;
struct trellis_stream *trellis_connect(struct trellis *t, const char *to, uint16_t port,
				       int timeout_ms);
struct trellis_stream *trellis_accept(struct trellis_socket *listener, int timeout_ms);
/* The other end. */
const struct trellis_from *trellis_peer(const struct trellis_stream *s);
/* Octets: how many came, 0: the other end has ended its direction. */
ssize_t trellis_read(struct trellis_stream *s, void *data, size_t size, int timeout_ms);
/* Takes octets to send: all of them, unless the time runs out (then how many, or -1 with
 * ETIMEDOUT). */
ssize_t trellis_write(struct trellis_stream *s, const void *data, size_t len, int timeout_ms);
/* Ends our direction, and waits until the other end has all that was written. 0 or -1. */
int trellis_end(struct trellis_stream *s, int timeout_ms);
/* Lets it go: what is not acknowledged is lost, and the other end is told so. */
void trellis_stream_close(struct trellis_stream *s);
/* For a loop over several streams: read and write what may be, then wait for `fd`, or at most as
 * long as work() says (ms; -1: without end; 0: something came since its last call, look again). */
int trellis_stream_fd(const struct trellis_stream *s);
int trellis_work(struct trellis_stream *s);

struct trellis_numbers {
	uint64_t segments_sent, segments_again, segments_received;
	int64_t rtt_us; /* smoothed */
};
void trellis_stream_numbers(const struct trellis_stream *s, struct trellis_numbers *n);

#ifdef __cplusplus
}
#endif

#endif
