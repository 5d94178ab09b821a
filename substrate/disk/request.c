/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests go through a buffer of ours, piece by piece: the guest's buffers may overlap, change and
 * vanish while we copy (guestmem.c), and a piece of the disk comes from one of two files.
 */
#include "substrate/disk/request.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <string.h>

enum {
	HEAD_BYTES = sizeof(struct virtio_blk_outhdr),
	STATUS_BYTES = 1,
	PIECE_BYTES = 64 << 10,
};

struct request {
	const struct vring_chain *chain;
	struct image *image;
	const char *id;
	struct request_counters *count;
	uint64_t sector;
	uint32_t out_len, in_len; /* without head and status */
};

static const struct iovec *in_buffers(const struct request *q)
{
	return q->chain->iov + q->chain->n_out;
}

static bool is_within(const struct request *q, uint32_t len)
{
	uint64_t sectors = q->image->size / IMAGE_SECTOR;

	return len % IMAGE_SECTOR == 0 && len <= REQUEST_BYTES_MAX && q->sector <= sectors &&
	       len / IMAGE_SECTOR <= sectors - q->sector;
}

static uint8_t refuse(const struct request *q)
{
	q->count->refused++;
	return VIRTIO_BLK_S_IOERR;
}

static uint8_t fail(const struct request *q)
{
	q->count->failed++;
	q->count->last_errno = errno;
	return VIRTIO_BLK_S_IOERR;
}

static uint8_t run_read(const struct request *q)
{
	uint8_t piece[PIECE_BYTES];
	uint64_t at = q->sector * IMAGE_SECTOR;

	if (q->out_len || !is_within(q, q->in_len))
		return refuse(q);
	for (uint32_t done = 0, n; done < q->in_len; done += n) {
		n = q->in_len - done < PIECE_BYTES ? q->in_len - done : PIECE_BYTES;
		if (image_read(q->image, at + done, piece, n) < 0)
			return fail(q);
		iov_write(in_buffers(q), q->chain->n_in, done, piece, n);
	}
	q->count->reads++;
	q->count->read_bytes += q->in_len;
	return VIRTIO_BLK_S_OK;
}

static uint8_t run_write(const struct request *q)
{
	uint8_t piece[PIECE_BYTES];
	uint64_t at = q->sector * IMAGE_SECTOR;

	if (q->in_len || q->image->layer_fd < 0 || !is_within(q, q->out_len))
		return refuse(q);
	for (uint32_t done = 0, n; done < q->out_len; done += n) {
		n = q->out_len - done < PIECE_BYTES ? q->out_len - done : PIECE_BYTES;
		iov_read(q->chain->iov, q->chain->n_out, HEAD_BYTES + done, piece, n);
		if (image_write(q->image, at + done, piece, n) < 0)
			return fail(q);
	}
	q->count->writes++;
	q->count->write_bytes += q->out_len;
	return VIRTIO_BLK_S_OK;
}

/* What was written is in the file already, and outlives this process. */
static uint8_t run_flush(const struct request *q)
{
	if (q->in_len || q->out_len)
		return refuse(q);
	q->count->flushes++;
	return VIRTIO_BLK_S_OK;
}

static uint8_t run_id(const struct request *q)
{
	if (q->out_len || q->in_len < REQUEST_ID_BYTES)
		return refuse(q);
	iov_write(in_buffers(q), q->chain->n_in, 0, q->id, REQUEST_ID_BYTES);
	return VIRTIO_BLK_S_OK;
}

static uint8_t run(const struct request *q, uint32_t type)
{
	switch (type) {
	case VIRTIO_BLK_T_IN:
		return run_read(q);
	case VIRTIO_BLK_T_OUT:
		return run_write(q);
	case VIRTIO_BLK_T_FLUSH:
		return run_flush(q);
	case VIRTIO_BLK_T_GET_ID:
		return run_id(q);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

int64_t request_run(const struct vring_chain *c, struct image *m, const char id[REQUEST_ID_BYTES],
		    struct request_counters *count, const char **why)
{
	struct virtio_blk_outhdr head;

	if (c->out_len < HEAD_BYTES || c->in_len < STATUS_BYTES) {
		*why = "a request for the disk is too short";
		return -1;
	}
	iov_read(c->iov, c->n_out, 0, &head, sizeof(head));
	const struct request q = {
		.chain = c,
		.image = m,
		.id = id,
		.count = count,
		.sector = le64toh(head.sector),
		.out_len = c->out_len - HEAD_BYTES,
		.in_len = c->in_len - STATUS_BYTES,
	};
	uint8_t status = run(&q, le32toh(head.type));

	iov_write(in_buffers(&q), c->n_in, q.in_len, &status, STATUS_BYTES);
	return c->in_len;
}
