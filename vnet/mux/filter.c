/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libpcap compiles the text; the code is run by libpcap's interpreter, here, not by the host's
 * kernel. A filter is the choice of a control daemon, and every frame passes it: its length is
 * bounded, and BPF has no loops backwards, so its cost is, too.
 */
#include "vnet/mux/filter.h"

#include "vnet/vnet.h"

#include <string.h>

int filter_compile(struct filter *f, const char *text, struct err *e)
{
	memset(f, 0, sizeof(*f));
	if (!*text)
		return 0;
	if (strlen(text) > VNET_FILTER_MAX)
		return err_set(e, ERR_USAGE, "a filter of %zu characters; at most %d", strlen(text),
			       VNET_FILTER_MAX);
	pcap_t *p = pcap_open_dead(DLT_EN10MB, VNET_FRAME_MAX);

	if (!p)
		return err_set(e, ERR_ENV, "libpcap: no memory");
	int rc = pcap_compile(p, &f->program, text, 1, PCAP_NETMASK_UNKNOWN);

	if (rc < 0) {
		memset(f, 0, sizeof(*f));
		err_set(e, ERR_USAGE, "filter '%s': %s", text, pcap_geterr(p));
	}
	pcap_close(p);
	if (rc == 0 && f->program.bf_len > FILTER_STEPS_MAX) {
		rc = err_set(e, ERR_USAGE, "filter '%s': %u steps; at most %d", text,
			     f->program.bf_len, FILTER_STEPS_MAX);
		filter_finish(f);
	}
	return rc < 0 ? -1 : 0;
}

bool filter_matches(const struct filter *f, const uint8_t *frame, size_t len)
{
	return !f->program.bf_insns ||
	       bpf_filter(f->program.bf_insns, frame, (u_int)len, (u_int)len) != 0;
}

void filter_finish(struct filter *f)
{
	if (f->program.bf_insns)
		pcap_freecode(&f->program);
	memset(f, 0, sizeof(*f));
}
