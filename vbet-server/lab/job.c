/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A job is a command on a channel of its own to a guest's agent, as that of `vbet exec`, but
 * who speaks to the agent is the server. Starting it is an input (input.c): in virtual time the
 * command begins while the clock stands, at a time that is in the record, and a replay starts
 * it again without anybody asking.
 *
 * Whoever asked gets a number and asks for the result, as often as it likes, by a clock of its
 * own: so how fast the client is does not show in the lab. Of what the command prints the
 * beginning is kept, to TEXT_MAX bytes or what was asked for; the rest is taken from the guest and
 * forgotten, so that no command hangs because nobody reads it.
 *
 * A job is forgotten when its result has been fetched, and with the lab. If its guest goes, or
 * begins anew, it has ended with STATUS_NONE.
 */
#include "vbet-server/lab/job.h"

#include "lib/container_of.h"
#include "lib/units.h"
#include "lib/vec.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/plan/event.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 2000, STATUS_NONE = 255 };

/* A result is one line, of which the client's buffer has to hold the longest: quoting makes four of
 * one. */
enum { TEXT_MOST = 15000 };

struct job {
	struct agent_channel channel;
	struct guest *guest;
	unsigned id;
	bool done;
	int status;
	long timeout_ms; /* 0: none */
	uint32_t owed;   /* bytes that came since the window was last opened */
	size_t len, max;
	struct job *next;
	char text[]; /* max bytes, and a NUL */
};

static struct job *of_channel(struct agent_channel *ch)
{
	return container_of(ch, struct job, channel);
}

static void keep_text(struct job *j, const char *data, uint32_t len)
{
	size_t room = j->max - j->len;

	if (len > room)
		len = (uint32_t)room;
	memcpy(j->text + j->len, data, len);
	j->len += len;
	j->text[j->len] = '\0';
}

/* What we have to say of it is a line of its own, also if its output has filled the room. */
static void keep_line(struct job *j, const char *line)
{
	size_t len = strlen(line) + 2;

	if (j->len + len > j->max)
		j->len = j->max - len;
	if (j->len && j->text[j->len - 1] != '\n')
		keep_text(j, "\n", 1);
	keep_text(j, line, (uint32_t)strlen(line));
}

/* The words of WIRE_EXIT as a shell would put them: a status, or 128 and the signal. */
static void end(struct job *j, const char *data, uint32_t len)
{
	struct arena a = {0};
	struct words w;
	const char *v = NULL;

	j->done = true;
	j->status = STATUS_NONE;
	if (words_split(data, len, &a, &w, NULL) < 0)
		w.n = 0;
	if (w.n && (v = words_get(&w, "status")))
		j->status = atoi(v);
	else if (w.n && (v = words_get(&w, "signal")))
		j->status = 128 + atoi(v);
	else if (w.n && words_get(&w, "timeout"))
		keep_line(j, arena_printf(&a, "ended after its timeout of %g s",
					  (double)j->timeout_ms / 1000));
	else if (w.n && (v = words_get(&w, "error")))
		keep_text(j, v, (uint32_t)strlen(v));
	arena_finish(&a);
}

static void on_message(struct agent_channel *ch, uint8_t type, const void *data, uint32_t len)
{
	struct job *j = of_channel(ch);

	if (type == WIRE_EXIT) {
		end(j, data, len);
		return;
	}
	if (type != WIRE_DATA && type != WIRE_ERRDATA)
		return;
	keep_text(j, data, len);
	j->owed += len;
	/* The clock has to stand for each message, so grants are saved up. */
	if (j->owed >= WIRE_WINDOW / 2) {
		input_send(j->guest, ch->id, WIRE_WINDOW_ADD, &j->owed, sizeof(j->owed));
		j->owed = 0;
	}
}

static void on_gone(struct agent_channel *ch)
{
	struct job *j = of_channel(ch);

	j->done = true;
	j->status = STATUS_NONE;
	keep_text(j, "the node has gone down", 22);
}

/* "peer=NODE": that node's address, for the environment of the command. malloc'ed, or NULL. */
static int read_peer(const struct lab *lab, const struct guest *gu, const struct words *w,
		     char **peer, struct err *e)
{
	const char *name = words_get(w, "peer");
	char text[80];

	if (!name)
		return 0;
	int from = graph_find_node(lab->graph, gu->name);
	int to = graph_find_node(lab->graph, name);

	if (to < 0)
		return err_set(e, ERR_USAGE, "there is no node '%s'", name);
	struct addr a = learned_address_for(lab, (size_t)from, (size_t)to);

	if (!a.family)
		return err_set(e, ERR_ENV, "%s has no address in a network of %s", name, gu->name);
	*peer = xasprintf("env." EVENT_PEER "=%s", addr_format(&a, false, text, sizeof(text)));
	return 0;
}

/* text_max=N */
static size_t text_max(const struct words *w)
{
	const char *v = words_get(w, "text_max");
	long max = v ? strtol(v, NULL, 10) : TEXT_MAX;

	return max < TEXT_MAX ? TEXT_MAX : max > TEXT_MOST ? TEXT_MOST : (size_t)max;
}

static int start(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	struct guest *gu = lab_find_guest(lab, w->at[1], e);
	char *text = NULL;
	size_t len = 0;

	if (!gu)
		return -1;
	if (!guest_can_hear(gu, e))
		return -1;
	VEC(char *) v = {0};
	char *peer = NULL;

	if (read_peer(lab, gu, w, &peer, e) < 0)
		return -1;
	FILE *f = open_memstream(&text, &len);

	vec_push(&v, "exec");
	for (size_t i = 2; i < w->n; i++)
		if (!strncmp(w->at[i], "text_max=", 9))
			continue; /* ours */
		else if (!peer || strncmp(w->at[i], "peer=", 5) != 0)
			vec_push(&v, w->at[i]);
		else
			vec_push(&v, peer);
	words_put_line(f, v.at, v.n);
	vec_free(&v);
	free(peer);
	fclose(f);
	len--; /* the newline */
	int rc = len > WIRE_PAYLOAD_MAX ? err_set(e, ERR_USAGE, "the command is too long") : 0;

	if (rc == 0) {
		size_t max = text_max(w);
		struct job *j = xcalloc(1, sizeof(*j) + max + 1);

		j->max = max;
		j->id = ++lab->jobs.last_id;
		j->guest = gu;
		const char *timeout = words_get(w, "timeout_ms");

		j->timeout_ms = timeout ? strtol(timeout, NULL, 10) : 0;
		j->channel.on_message = on_message;
		j->channel.on_gone = on_gone;
		j->next = lab->jobs.first;
		lab->jobs.first = j;
		input_open_channel(gu, &j->channel, WIRE_EXEC, text, (uint32_t)len);
		input_send(gu, j->channel.id, WIRE_EOF, NULL, 0);
		fprintf(out, "%u\n", j->id);
	}
	free(text);
	return rc;
}

static int result(struct lab *lab, const char *number, FILE *out, struct err *e)
{
	struct job **p = &lab->jobs.first;
	int64_t id;

	if (unit_parse(UNIT_COUNT, number, &id, e) < 0)
		return -1;
	while (*p && (int64_t)(*p)->id != id)
		p = &(*p)->next;
	struct job *j = *p;

	if (!j)
		return err_set(e, ERR_USAGE, "no job %s", number);
	if (!j->done) {
		fputs("running\n", out);
		return 0;
	}
	fprintf(out, "done %d ", j->status);
	words_put(out, j->text);
	fputc('\n', out);
	*p = j->next;
	free(j);
	return 0;
}

int job_command(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	if (strcmp(w->at[0], "job") == 0)
		return start(lab, w, out, e);
	return result(lab, w->at[1], out, e);
}

void job_finish(struct lab *lab)
{
	while (lab->jobs.first) {
		struct job *j = lab->jobs.first;

		lab->jobs.first = j->next;
		free(j);
	}
}
