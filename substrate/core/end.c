/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every frame passes two ends: it is sent at one and delivered at the other. Both do the same: they
 * count it, take it into their digest if the lab's time is exact, show it to captures, and hand it
 * on. If what is next cannot take the frame as it is, it is made real first: lent bytes are fetched
 * (frame_keep()), checksums filled in, a long segment cut. That is done as late as possible; on the
 * usual way, from ring to ring over plain cables, it is never done.
 *
 * An end reaches what it belongs to (a NIC, a port, an interface) by its end_kind, and the cable in
 * it by cable_hooks: it knows nothing else of either.
 */
#include "substrate/core/end.h"

#include "substrate/core/capture.h"
#include "substrate/core/framing.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static const char *const drop_names[] = {
	[END_DROP_UNPLUGGED] = "unplugged", [END_DROP_CUT] = "cut",
	[END_DROP_DOWN] = "down",           [END_DROP_QUEUE] = "queue",
	[END_DROP_RUNT] = "runt",           [END_DROP_GIANT] = "giant",
	[END_DROP_OFFLOAD] = "offload",     [END_DROP_FILTER] = "filter",
	[END_DROP_FRAMING] = "framing",     [END_DROP_MEMORY] = "memory",
};
_Static_assert(ARRAY_LEN(drop_names) == END_DROPS, "a reason without a name");

/*
 * A segment that stands for many frames counts as all of them: counters speak of frames on a wire.
 */
void end_drop(struct end *n, struct frame *f, enum end_drop why)
{
	n->count.dropped[why] += f ? frame_count(f) : 1;
	if (f)
		frame_unref(f);
}

/* A frame of its own for bytes from elsewhere; NULL: that is counted. */
static struct frame *copy_bytes(struct end *n, const uint8_t *data, size_t len)
{
	struct frame *f;

	if (len < FRAME_MIN || len > FRAME_MAX) {
		end_drop(n, NULL, len < FRAME_MIN ? END_DROP_RUNT : END_DROP_GIANT);
		return NULL;
	}
	f = frame_get(n->object->sub->pool, (uint32_t)len);
	if (!f)
		end_drop(n, NULL, END_DROP_MEMORY);
	else
		memcpy(f->data, data, len);
	return f;
}

void end_take_raw(struct end *n, const uint8_t *data, size_t len, const struct offload *o,
		  int64_t now_ns)
{
	struct frame *f = copy_bytes(n, data, len);

	if (!f)
		return;
	frame_set_offload(f, o);
	end_send(n, f, now_ns);
}

void end_take_bytes(struct end *n, const uint8_t *data, size_t len, int64_t now_ns)
{
	static const struct offload nothing;

	end_take_raw(n, data, len, &nothing, now_ns);
}

/*
 * The kernel of the host hands over what its own interfaces leave undone: segments that GRO has put
 * together, and checksums that hold no more than the sum of the pseudo-header. Nothing beside the
 * frame says so, hence it is seen in the frame itself (offload_find()).
 */
void end_take_from_host(struct end *n, const uint8_t *data, size_t len, uint32_t mtu,
			int64_t now_ns)
{
	struct frame *f = copy_bytes(n, data, len);
	struct offload o;

	if (!f)
		return;
	offload_find(f->data, f->len, mtu, &o);
	frame_set_offload(f, &o);
	end_send(n, f, now_ns);
}

struct end *end_of_object(struct object *o)
{
	return o->kind->end ? o->kind->end(o) : NULL;
}

/* The digest so far is where the next hash starts: it depends on all frames and on their order. */
static void take_digest(struct end *n, const struct frame *f, int64_t now_ns)
{
	uint64_t h = XXH3_64bits_withSeed(&now_ns, sizeof(now_ns), n->count.digest);

	n->count.digest = XXH3_64bits_withSeed(f->data, f->len, h);
}

/* What shall be done with each real frame at an end. */
struct end_call {
	struct end *end;
	int64_t now_ns;
	end_frame_fn fn;
};

static void call_for_end(void *ctx, struct frame *real)
{
	const struct end_call *call = ctx;

	call->fn(call->end, real, call->now_ns);
}

/* Whoever captures wants to see frames as on a wire; other headers are for real frames alone. */
bool end_takes(const struct end *n, uint16_t flags)
{
	return !n->capture && n->framing == LINK_ETHERNET && n->kind->takes &&
	       !(flags & ~n->kind->takes(n));
}

/* A frame for which the pool has no room is dropped here, and never reaches fn. */
void end_make_real(struct end *n, struct frame *f, int64_t now_ns, end_frame_fn fn)
{
	struct end_call call = {n, now_ns, fn};

	n->count.dropped[END_DROP_MEMORY] += frame_make_real(f, call_for_end, &call);
}

/*
 * True only if nothing on the way could tell: the cable hands frames over as they are, nobody
 * captures at either end, and who is at the far end takes such frames. It is asked for each frame,
 * since a capture may begin at any time.
 */
bool end_passes_raw(const struct end *n, uint16_t flags)
{
	const struct end *to = n->cable && !n->capture ? n->hooks->straight(n) : NULL;

	return to && end_takes(to, flags);
}

/* From Ethernet to HDLC, or back. NULL: that is counted. */
static struct frame *reframe(struct end *n, struct frame *f, bool wrap)
{
	bool memory;

	f = wrap ? framing_wrap_hdlc(f, &memory)
		 : framing_unwrap_hdlc(f, n->kind->address(n), &memory);
	if (!f)
		end_drop(n, NULL, memory ? END_DROP_MEMORY : END_DROP_FRAMING);
	return f;
}

/*
 * The digest is kept in virtual time alone: two runs are the same if all digests are, and no
 * capture is needed to see it. In real time it would cost a pass over each byte and say nothing.
 */
static void send_through(struct end *n, struct frame *f, int64_t now_ns)
{
	if (n->framing == LINK_HDLC) {
		f = reframe(n, f, true);
		if (!f)
			return;
	}
	n->count.in_frames += frame_count(f);
	n->count.in_bytes += frame_bytes(f);
	if (n->object->sub->time->is_exact)
		take_digest(n, f, now_ns);
	if (n->capture)
		capture_frame(n->capture, f, true, now_ns);
	if (n->cable)
		n->hooks->send(n, f, now_ns);
	else
		end_drop(n, f, END_DROP_UNPLUGGED);
}

void end_send(struct end *n, struct frame *f, int64_t now_ns)
{
	if (frame_is_lent(f) && !end_passes_raw(n, OFFLOAD_LENT))
		frame_keep(f);
	if (frame_is_raw(f) && !end_passes_raw(n, f->offload.flags))
		/* A cable counts, delays and loses frames, not segments that stand for some. */
		end_make_real(n, f, now_ns, send_through);
	else
		send_through(n, f, now_ns);
}

static void deliver(struct end *n, struct frame *f, int64_t now_ns)
{
	n->count.out_frames += frame_count(f);
	n->count.out_bytes += frame_bytes(f);
	if (n->object->sub->time->is_exact)
		take_digest(n, f, now_ns);
	if (n->capture)
		capture_frame(n->capture, f, false, now_ns);
	if (n->framing == LINK_HDLC && !n->kind->is_far) {
		f = reframe(n, f, false);
		if (!f)
			return;
	}
	n->kind->deliver(n, f, now_ns);
}

/*
 * The second look is needed although the sender had one: a device between the two may have sent the
 * frame out of several ports, and ends differ in what they take.
 */
void end_deliver(struct end *n, struct frame *f, int64_t now_ns)
{
	if (frame_is_lent(f) && !end_takes(n, OFFLOAD_LENT))
		frame_keep(f);
	if (frame_is_raw(f) && !end_takes(n, f->offload.flags))
		end_make_real(n, f, now_ns, deliver);
	else
		deliver(n, f, now_ns);
}

/* What is in another framing has no addresses yet. */
bool end_drops(const struct end *n, const struct frame *f)
{
	return n->framing == LINK_ETHERNET && n->kind->drops && n->kind->drops(n, f);
}

/*
 * The cable first: unplugging drops what it has under way, and tells the far end. Then captures,
 * which may not outlive their end, then frames in hand.
 */
void end_finish(struct end *n)
{
	if (n->cable)
		n->hooks->unplug(n);
	if (n->capture)
		capture_end_gone(n);
	substrate_forget_end(n->object->sub, n);
}

void end_status(const struct end *n, struct json *j)
{
	json_bool(j, "carrier", n->carrier);
	json_uint(j, "in_frames", n->count.in_frames);
	json_uint(j, "in_bytes", n->count.in_bytes);
	json_uint(j, "out_frames", n->count.out_frames);
	json_uint(j, "out_bytes", n->count.out_bytes);
	if (n->object->sub->time->is_exact) {
		char digest[17];

		snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)n->count.digest);
		json_string(j, "digest", digest);
	}
	end_status_dropped(n, j);
}

void end_status_dropped(const struct end *n, struct json *j)
{
	json_open(j, "dropped", '{');
	for (int i = 0; i < END_DROPS; i++)
		if (n->count.dropped[i])
			json_uint(j, drop_names[i], n->count.dropped[i]);
	json_close(j, '}');
}
