/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet capture: frames at a NIC or port, as pcapng, to a file or a pipe. The substrate writes them
 * into a FIFO of ours; here they are filtered (libpcap), counted and passed on, block by block
 * (draft-ietf-opsawg-pcapng, sections 3 and 4).
 */
#include "lib/loop.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/client.h"
#include "vbet-server/cmd.h"
#include "vbet-server/paths.h"

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
	BLOCK_HEAD = 8,
	BLOCK_MIN = 12,
	BLOCK_MAX = 1 << 20,
	BLOCK_PACKET = 6,     /* Enhanced Packet Block */
	PACKET_DATA = 28,     /* where its packet begins */
	PACKET_CAPTURED = 20, /* where its two lengths stand */
};

struct capture {
	int fifo, signals;
	FILE *out;
	struct bpf_program filter;
	bool has_filter;
	int64_t left;   /* packets still wanted; -1: no end */
	int64_t end_ns; /* on the monotonic clock; INT64_MAX: no end */
	uint8_t buf[BLOCK_MAX];
	size_t len;
	uint64_t n_packets;
};

static bool wants(const struct capture *c, const uint8_t *block, uint32_t size)
{
	struct pcap_pkthdr h = {0};
	uint32_t lens[2];

	memcpy(lens, block + PACKET_CAPTURED, sizeof(lens));
	h.caplen = lens[0];
	h.len = lens[1];
	if (h.caplen > size - PACKET_DATA)
		return false;
	return !c->has_filter || pcap_offline_filter(&c->filter, &h, block + PACKET_DATA) != 0;
}

/* Passes one whole block on. False when no more are wanted. */
static bool take_block(struct capture *c, uint32_t type, uint32_t size)
{
	if (type == BLOCK_PACKET) {
		if (size < PACKET_DATA + 4 || !wants(c, c->buf, size))
			return true;
		c->n_packets++;
	}
	fwrite(c->buf, 1, size, c->out);
	return type != BLOCK_PACKET || c->left < 0 || --c->left > 0;
}

/* Uses what is buffered. 1: go on, 0: enough, -1: not pcapng. */
static int take_blocks(struct capture *c)
{
	bool more = true;

	while (more && c->len >= BLOCK_HEAD) {
		uint32_t head[2];

		memcpy(head, c->buf, sizeof(head));
		if (head[1] < BLOCK_MIN || head[1] > BLOCK_MAX || head[1] % 4)
			return -1;
		if (c->len < head[1])
			break;
		more = take_block(c, head[0], head[1]);
		c->len -= head[1];
		memmove(c->buf, c->buf + head[1], c->len);
	}
	fflush(c->out);
	return more && !ferror(c->out);
}

static int pump(struct capture *c, struct err *e)
{
	for (;;) {
		struct pollfd fds[2] = {{.fd = c->fifo, .events = POLLIN},
					{.fd = c->signals, .events = POLLIN}};
		int64_t left_ms = c->end_ns == INT64_MAX
					  ? -1
					  : (c->end_ns - clock_monotonic_ns()) / 1000000 + 1;

		if (c->end_ns != INT64_MAX && left_ms <= 0)
			return 0;
		if (poll(fds, 2, (int)(left_ms > 3600000 ? 3600000 : left_ms)) < 0 &&
		    errno != EINTR)
			return err_sys(e, "poll");
		if (fds[1].revents)
			return 0;
		if (!fds[0].revents)
			continue;
		ssize_t n = read(c->fifo, c->buf + c->len, sizeof(c->buf) - c->len);

		if (n == 0) /* the NIC, or the lab, has gone */
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(e, "read");
		c->len += n > 0 ? (size_t)n : 0;
		int rc = take_blocks(c);

		if (rc < 0)
			return err_set(e, ERR_ENV, "the substrate did not send pcapng");
		if (rc == 0)
			return 0;
	}
}

static int set_up(struct capture *c, const struct cmd_options *o, const char *filter, struct err *e)
{
	int64_t v;

	c->left = -1;
	c->end_ns = INT64_MAX;
	if (o->count) {
		if (unit_parse(UNIT_COUNT, o->count, &c->left, e) < 0)
			return err_wrap(e, "--count");
		if (c->left == 0)
			return err_set(e, ERR_USAGE, "--count wants at least 1");
	}
	if (o->duration) {
		if (unit_parse(UNIT_TIME, o->duration, &v, e) < 0)
			return err_wrap(e, "--for");
		c->end_ns = clock_monotonic_ns() + v;
	}
	if (filter) {
		pcap_t *p = pcap_open_dead(DLT_EN10MB, 262144);

		c->has_filter = pcap_compile(p, &c->filter, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
		if (!c->has_filter)
			err_set(e, ERR_USAGE, "filter '%s': %s", filter, pcap_geterr(p));
		pcap_close(p);
		if (!c->has_filter)
			return -1;
	}
	if (o->write && strcmp(o->write, "-") != 0)
		c->out = fopen(o->write, "we");
	else if (isatty(STDOUT_FILENO))
		return err_set(
			e, ERR_USAGE,
			"frames are not for a terminal: -w FILE, or a pipe to 'wireshark -k -i -' "
			"or 'tcpdump -r -'");
	else
		c->out = stdout;
	return c->out ? 0 : err_sys(e, "%s", o->write);
}

/* Asks the server for the frames of the NIC into the FIFO, and passes them on until the end. */
static int capture(struct capture *c, const char *lab, const char *nic, const char *fifo,
		   struct err *e)
{
	char *begin[] = {"capture", (char *)nic, (char *)fifo};
	char *end[] = {"capture-end", (char *)fifo};
	sigset_t set;

	/* Open for both, so that it neither blocks nor ends before the substrate has opened it. */
	int hold = open(fifo, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	c->fifo = open(fifo, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (hold < 0 || c->fifo < 0)
		return err_sys(e, "open %s", fifo);
	fcntl(c->fifo, F_SETPIPE_SZ, 1 << 20);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	c->signals = signalfd(-1, &set, SFD_CLOEXEC);
	int rc = client_ask(lab, begin, 3, NULL, e);

	close(hold);
	if (rc == 0) {
		rc = pump(c, e);
		client_ask(lab, end, 2, NULL, NULL);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	close(c->signals);
	close(c->fifo);
	return rc;
}

int cmd_capture(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	char *base = paths_base_dir(e);
	struct capture *c = xcalloc(1, sizeof(*c));
	int rc = lab && base ? set_up(c, o, argc > 1 ? argv[1] : NULL, e) : -1;

	if (rc == 0) {
		char *fifo = xasprintf("%s/%s/capture.%d", base, lab, (int)getpid());

		rc = mkfifo(fifo, 0600) < 0 ? err_sys(e, "make %s", fifo)
					    : capture(c, lab, argv[0], fifo, e);
		unlink(fifo);
		free(fifo);
	}
	if (c->out && fflush(c->out) != 0 && rc == 0 && errno != EPIPE)
		rc = err_sys(e, "write");
	if (c->out && c->out != stdout)
		fclose(c->out);
	if (rc == 0)
		fprintf(stderr, "%llu frames\n", (unsigned long long)c->n_packets);
	if (c->has_filter)
		pcap_freecode(&c->filter);
	free(c);
	free(base);
	free(lab);
	return rc;
}
