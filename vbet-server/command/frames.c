/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The substrate writes pcapng into a FIFO that we have made, at its own pace: it never waits
 * for us, but drops, and counts what it dropped in its last block. We cut the stream into
 * blocks, let the filter see packets, and pass everything else on as it is. At the end we ask
 * for no more, and read on until the substrate has closed the FIFO: its last block says what is
 * missing.
 */
#include "vbet-server/command/frames.h"

#include "lib/loop.h"
#include "lib/xalloc.h"
#include "vbet-server/command/client.h"
#include "vbet-server/store/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PIPE_ROOM = 4096, /* so much a pipe takes at once that has any room */
	BLOCK_HEAD = 8,
	BLOCK_MIN = 12,
	BLOCK_MAX = 1 << 20,
	BLOCK_INTERFACE = 1,
	INTERFACE_LINKTYPE = 8, /* where it stands */
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,     /* Enhanced Packet Block */
	PACKET_DATA = 28,     /* where its packet begins */
	PACKET_CAPTURED = 20, /* where its two lengths stand */
	STATISTICS_OPTIONS = 20,
	OPTION_HEAD = 4,
	OPTION_DROPPED = 5, /* isb_ifdrop */
	SNAPLEN = 262144,
};

struct frames {
	const struct frames_wish *wish;
	struct frames_count *count;
	int fifo, signals;
	char *path;                /* of the FIFO; owned */
	struct bpf_program filter; /* for frames of that kind, as the last interface said */
	uint16_t linktype;
	int64_t end_ns; /* on the monotonic clock; INT64_MAX: no end */
	uint8_t buf[BLOCK_MAX];
	size_t len;
	uint8_t *out; /* what is still to be written: from `done` on; owned */
	size_t out_len, out_cap, done;
	bool out_failed; /* as errno said in out_errno */
	int out_errno;
};

static int compile(const char *filter, int linktype, struct bpf_program *program, struct err *e)
{
	pcap_t *p = pcap_open_dead(linktype, SNAPLEN);
	int rc = pcap_compile(p, program, filter, 1, PCAP_NETMASK_UNKNOWN);

	if (rc < 0)
		err_set(e, ERR_USAGE, "filter '%s': %s", filter, pcap_geterr(p));
	pcap_close(p);
	return rc < 0 ? -1 : 0;
}

int frames_check_filter(const char *filter, struct err *e)
{
	struct bpf_program program;

	if (compile(filter, DLT_EN10MB, &program, e) < 0)
		return -1;
	pcap_freecode(&program);
	return 0;
}

static bool wants(const struct frames *c, const uint8_t *block, uint32_t size)
{
	struct pcap_pkthdr h = {0};
	uint32_t lens[2];

	memcpy(lens, block + PACKET_CAPTURED, sizeof(lens));
	h.caplen = lens[0];
	h.len = lens[1];
	if (h.caplen > size - PACKET_DATA)
		return false;
	return !c->wish->filter || pcap_offline_filter(&c->filter, &h, block + PACKET_DATA) != 0;
}

/* What follows is not Ethernet: the filter looks elsewhere in it. 0 or -1. */
static int take_interface(struct frames *c, const uint8_t *block, uint32_t size, struct err *e)
{
	uint16_t linktype = 0;

	if (size >= INTERFACE_LINKTYPE + sizeof(linktype))
		memcpy(&linktype, block + INTERFACE_LINKTYPE, sizeof(linktype));
	if (!c->wish->filter || linktype == c->linktype)
		return 0;
	c->linktype = linktype;
	pcap_freecode(&c->filter);
	return compile(c->wish->filter, linktype, &c->filter, e);
}

static bool has_enough(const struct frames *c)
{
	return c->wish->count && c->count->passed >= (uint64_t)c->wish->count;
}

static void read_statistics(struct frames *c, const uint8_t *block, uint32_t size)
{
	uint32_t at = STATISTICS_OPTIONS;
	uint16_t option[2]; /* code, length */

	while (at + OPTION_HEAD + sizeof(c->count->dropped) <= size) {
		memcpy(option, block + at, sizeof(option));
		at += OPTION_HEAD;
		if (option[0] == OPTION_DROPPED && option[1] == sizeof(c->count->dropped)) {
			memcpy(&c->count->dropped, block + at, sizeof(c->count->dropped));
			return;
		}
		at += (option[1] + 3U) & ~3U;
	}
}

static void put_out(struct frames *c, const void *data, size_t len)
{
	if (c->out_len + len > c->out_cap) {
		c->out_cap = (c->out_len + len) * 2;
		c->out = xrealloc(c->out, c->out_cap);
	}
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
}

static bool is_pending(const struct frames *c)
{
	return c->done < c->out_len && !c->out_failed;
}

/* poll() has said that there is room. The pipe may be shared with others: it stays as it blocks. */
static void write_once(struct frames *c)
{
	size_t left = c->out_len - c->done;
	ssize_t n =
		write(fileno(c->wish->out), c->out + c->done, left < PIPE_ROOM ? left : PIPE_ROOM);

	if (n < 0 && errno != EINTR && errno != EAGAIN) {
		c->out_failed = true;
		c->out_errno = errno;
	}
	c->done += n > 0 ? (size_t)n : 0;
	if (c->done == c->out_len)
		c->done = c->out_len = 0;
}

/* Passes one whole block on, if it is wanted. */
static void take_block(struct frames *c, uint32_t type, uint32_t size)
{
	if (type == BLOCK_PACKET) {
		if (size < PACKET_DATA + 4 || has_enough(c) || !wants(c, c->buf, size))
			return;
		c->count->passed++;
	}
	if (type == BLOCK_STATISTICS)
		read_statistics(c, c->buf, size);
	put_out(c, c->buf, size);
}

/*
 * Uses what is buffered. Blocks are passed on whole: whoever reads us must find the next one.
 * 0, or -1: not pcapng.
 */
static int take_blocks(struct frames *c, struct err *e)
{
	while (c->len >= BLOCK_HEAD) {
		uint32_t head[2];

		memcpy(head, c->buf, sizeof(head));
		if (head[1] < BLOCK_MIN || head[1] > BLOCK_MAX || head[1] % 4)
			return err_set(e, ERR_ENV, "the substrate did not send pcapng");
		if (c->len < head[1])
			break;
		if (head[0] == BLOCK_INTERFACE && take_interface(c, c->buf, head[1], e) < 0)
			return -1;
		take_block(c, head[0], head[1]);
		c->len -= head[1];
		memmove(c->buf, c->buf + head[1], c->len);
	}
	return 0;
}

/* Reads once. 1, or 0: no more will come, or -1. */
static int read_more(struct frames *c, struct err *e)
{
	ssize_t n = read(c->fifo, c->buf + c->len, sizeof(c->buf) - c->len);

	if (n == 0) /* the NIC, or the lab, has gone */
		return 0;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : err_sys(e, "read");
	c->len += (size_t)n;
	return take_blocks(c, e) < 0 ? -1 : 1;
}

/*
 * One turn: waits until something can be done, and does it. No more is read while there is
 * something to write, so that who reads slowly makes the substrate drop, and count. Signals and the
 * end are seen meanwhile. A long wait is many of an hour, for poll() counts milliseconds in an int.
 * 1, or 0: no more will come, or -1; *ends: a signal came, or nobody reads us.
 */
static int turn(struct frames *c, int64_t left_ms, bool *ends, struct err *e)
{
	bool pending = is_pending(c);
	struct pollfd fds[3] = {{.fd = pending ? -1 : c->fifo, .events = POLLIN},
				{.fd = c->signals, .events = POLLIN},
				/* POLLERR: a pipe that nobody reads */
				{.fd = fileno(c->wish->out), .events = pending ? POLLOUT : 0}};
	struct signalfd_siginfo info;

	if (poll(fds, 3, (int)(left_ms > 3600000 ? 3600000 : left_ms)) < 0)
		return errno == EINTR ? 1 : err_sys(e, "poll");
	*ends = fds[1].revents || fds[2].revents & POLLERR;
	if (fds[1].revents && read(c->signals, &info, sizeof(info)) < 0)
		return err_sys(e, "read");
	if (fds[2].revents & POLLOUT)
		write_once(c);
	return fds[0].revents ? read_more(c, e) : 1;
}

/* Passes frames on until it is time to end. 1, or 0: no more will come, or -1. */
static int pump(struct frames *c, struct err *e)
{
	bool ends = false;
	int rc = 1;

	while (rc > 0 && !has_enough(c) && !c->out_failed && !ends) {
		int64_t left_ms = c->end_ns == INT64_MAX
					  ? -1
					  : (c->end_ns - clock_monotonic_ns()) / 1000000 + 1;

		if (c->end_ns != INT64_MAX && left_ms <= 0)
			break;
		rc = turn(c, left_ms, &ends, e);
	}
	return rc;
}

/*
 * The last block says how many frames are missing: read until it has come, and write all. Who reads
 * us may take as long as he likes; a signal ends that, too.
 */
static int drain(struct frames *c, int rc, struct err *e)
{
	char *end[] = {"capture-end", c->path};
	bool ends = false;

	/* Else the lab has gone, and what it wrote last is read. */
	if (rc > 0 && client_ask(c->wish->lab, end, 2, NULL, NULL) < 0)
		rc = 0;
	while (rc > 0 && !c->out_failed && !ends)
		rc = turn(c, -1, &ends, e);
	while (rc == 0 && is_pending(c) && !ends)
		rc = turn(c, -1, &ends, e) < 0 ? -1 : 0;
	return rc;
}

/* Asks the server for the frames of the NIC into the FIFO, and passes them on until the end. */
static int run(struct frames *c, struct err *e)
{
	char *begin[] = {"capture", (char *)c->wish->nic, c->path, (char *)c->wish->comment};
	/* With a writer of our own, opening does not block, and reading does not end at once. */
	int hold = open(c->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	c->fifo = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (hold < 0 || c->fifo < 0)
		return err_sys(e, "open %s", c->path);
	fcntl(c->fifo, F_SETPIPE_SZ, 1 << 20);
	int rc = client_ask(c->wish->lab, begin, c->wish->comment ? 4 : 3, NULL, e);

	close(hold);
	if (rc == 0)
		rc = pump(c, e);
	if (rc >= 0)
		rc = drain(c, rc, e);
	close(c->fifo);
	return rc;
}

/* With SIGINT and SIGTERM as a descriptor. */
static int run_with_signals(struct frames *c, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	c->signals = signalfd(-1, &set, SFD_CLOEXEC);
	int rc = run(c, e);

	close(c->signals);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return rc;
}

int frames_capture(const struct frames_wish *wish, struct frames_count *count, struct err *e)
{
	struct frames *c = xcalloc(1, sizeof(*c));
	char *base = paths_base_dir(e);
	int rc = base ? 0 : -1;

	*count = (struct frames_count){0};
	c->wish = wish;
	c->count = count;
	c->end_ns = wish->duration_ns ? clock_monotonic_ns() + wish->duration_ns : INT64_MAX;
	c->linktype = DLT_EN10MB;
	if (rc == 0 && wish->filter)
		rc = compile(wish->filter, c->linktype, &c->filter, e);
	if (rc == 0) {
		c->path = xasprintf("%s/%s/capture.%d", base, wish->lab, (int)getpid());
		rc = mkfifo(c->path, 0600) < 0 ? err_sys(e, "make %s", c->path)
					       : run_with_signals(c, e);
		unlink(c->path);
	}
	errno = c->out_errno;
	if (c->out_failed && rc >= 0 && errno != EPIPE)
		rc = err_sys(e, "write");
	pcap_freecode(&c->filter);
	free(c->out);
	free(c->path);
	free(c);
	free(base);
	return rc < 0 ? -1 : 0;
}
