/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whoever connects to a vNet's "mux" socket gets its tables as JSON, and nothing of other vNets.
 *
 * Whoever may open the socket may know: it lies in the lab's directory, which is its user's. The
 * answer is the state of one moment, as JSON, with the reasons for which frames were dropped.
 */
#include "lib/container_of.h"
#include "lib/sock.h"
#include "lib/xalloc.h"
#include "vnet/mux/mux.h"
#include "vnet/mux/sandbox.h"

#include <sys/socket.h>
#include <unistd.h>

static void tell_nic(struct json *j, const struct mux_nic *n)
{
	json_open(j, NULL, '{');
	json_string(j, "name", n->name);
	json_bool(j, "carrier", n->nic && vnet_nic_carrier(n->nic));
	json_uint(j, "mtu", n->nic ? vnet_nic_mtu(n->nic) : 0);
	json_uint(j, "in_frames", n->in_frames);
	json_uint(j, "in_bytes", n->in_bytes);
	json_uint(j, "out_frames", n->out_frames);
	json_uint(j, "out_bytes", n->out_bytes);
	json_open(j, "dropped", '{');
	json_uint(j, "nobody", n->nobody);
	json_uint(j, "queue", n->send_full);
	json_uint(j, "link", n->send_down);
	json_close(j, '}');
	json_close(j, '}');
}

/*
 * Why frames were refused is counted by verdict (demux.h): a program whose packets do not arrive
 * has its reason here.
 */
static void tell_binding(struct json *j, const struct mux_binding *b)
{
	json_open(j, NULL, '{');
	json_uint(j, "id", b->demux.id);
	json_int(j, "priority", b->demux.priority);
	json_uint(j, "in_frames", b->in_frames);
	json_uint(j, "in_bytes", b->in_bytes);
	json_uint(j, "out_frames", b->out_frames);
	json_uint(j, "out_bytes", b->out_bytes);
	json_open(j, "dropped", '{');
	json_uint(j, "full", b->in_full);
	json_uint(j, "no-nic", b->out_no_nic);
	for (int i = DEMUX_PASS + 1; i < DEMUX_VERDICTS; i++)
		json_uint(j, demux_verdict_name((enum demux_verdict)i), b->refused[i]);
	json_close(j, '}');
	json_close(j, '}');
}

static void tell_instance(struct json *j, const struct mux_instance *mi)
{
	const struct instance *i = mi->process;
	char sandbox[64];

	json_open(j, NULL, '{');
	json_string(j, "name", i->name);
	json_string(j, "state", instance_state(i));
	if (instance_runs(i))
		json_int(j, "pid", i->child.pid);
	json_int(j, "cpu_ns", i->cpu_ns);
	json_int(j, "memory_bytes", i->memory_bytes);
	json_int(j, "memory_peak_bytes", i->memory_peak_bytes);
	json_uint(j, "times_stopped", i->times_stopped);
	json_uint(j, "times_started", mi->times_started);
	json_string(j, "sandbox", sandbox_describe(i->layers, sandbox, sizeof(sandbox)));
	json_string(j, "reason", i->reason);
	json_close(j, '}');
}

static void tell_vnet(FILE *f, const struct mux_vnet *v)
{
	struct json j;

	json_init(&j, f);
	json_open(&j, NULL, '{');
	json_string(&j, "vnet", v->conf.vnet);
	json_string(&j, "node", v->conf.node);
	json_open(&j, "nics", '[');
	for (size_t i = 0; i < v->conf.n_nics; i++)
		tell_nic(&j, &v->nics[i]);
	json_close(&j, ']');
	json_open(&j, "bindings", '[');
	for (size_t i = 0; i < v->demux.bindings.n; i++)
		tell_binding(&j, (const struct mux_binding *)v->demux.bindings.at[i]);
	json_close(&j, ']');
	json_open(&j, "instances", '[');
	for (size_t i = 0; i < v->instances.n; i++)
		tell_instance(&j, v->instances.at[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	fputc('\n', f);
}

void mux_status_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct mux_vnet *v = container_of(w, struct mux_vnet, status);
	int fd = loop_accept(v->mux->loop, w);
	char *text = NULL;
	size_t len = 0;

	if (fd < 0)
		return;
	FILE *f = xmemstream(&text, &len);

	tell_vnet(f, v);
	fclose(f);
	/* A socket takes some hundred kilobytes at once; a longer answer is cut off. */
	send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	free(text);
	close(fd);
}
