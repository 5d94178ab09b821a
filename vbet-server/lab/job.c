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
 * A look (look.h) is a job, too: process 1 of each guest that it is about answers by itself, and
 * what they say together decides.
 *
 * A job is forgotten when its result has been fetched, and with the lab. If its guest goes, or
 * begins anew, it has ended with STATUS_NONE.
 */
#include "vbet-server/lab/job.h"

#include "lib/container_of.h"
#include "lib/units.h"
#include "lib/vec.h"
#include "lib/visible.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/lab/look.h"
#include "vbet-server/plan/address.h"
#include "vbet-server/plan/event.h"
#include "vbet-server/plan/judge_answer.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 2000, LOOK_TEXT_MAX = 1 << 20, STATUS_NONE = 255 };

/* A result is one line, of which the client's buffer has to hold the longest: quoting makes four of
 * one. */
enum { TEXT_MOST = 15000 };

/* What one guest is asked: a command, or a look at what it knows. */
struct job_part {
	struct agent_channel channel;
	struct job *job;
	struct guest *guest;
	bool done;
	int status;
	uint32_t owed; /* bytes that came since the window was last opened */
	size_t len;
	char *text; /* owned: at most job.text_max octets and a NUL */
	size_t error_len;
	char *errors; /* owned: of a judged command, what is no part of the answer; TEXT_MAX octets
		       */
};

struct job {
	unsigned id;
	long timeout_ms;    /* 0: none */
	size_t text_max;    /* of each part */
	struct look *look;  /* owned; NULL: it is a command */
	struct arena arena; /* of want */
	struct words want; /* what the answer of a command is judged by; n 0: by its status alone */
	struct job_part *parts;
	size_t n_parts;
	struct job *next;
};

static struct job_part *of_channel(struct agent_channel *ch)
{
	return container_of(ch, struct job_part, channel);
}

static void keep_error(struct job_part *p, const char *data, size_t len)
{
	size_t room = TEXT_MAX - p->error_len;

	if (len > room)
		len = room;
	p->errors = xrealloc(p->errors, p->error_len + len + 1);
	if (len)
		memcpy(p->errors + p->error_len, data, len);
	p->error_len += len;
	p->errors[p->error_len] = '\0';
}

static void keep_text(struct job_part *p, const char *data, size_t len)
{
	size_t room = p->job->text_max - p->len;

	if (len > room)
		len = room;
	p->text = xrealloc(p->text, p->len + len + 1);
	if (len)
		memcpy(p->text + p->len, data, len);
	p->len += len;
	p->text[p->len] = '\0';
}

/* What we have to say of it is a line of its own, also if its output has filled the room. */
static void keep_line(struct job_part *p, const char *line)
{
	size_t len = strlen(line) + 2;

	if (p->len + len > p->job->text_max)
		p->len = p->job->text_max - len;
	if (p->len && p->text[p->len - 1] != '\n')
		keep_text(p, "\n", 1);
	keep_text(p, line, strlen(line));
}

/* Of a look, what came so far is no answer. */
static void end_without(struct job_part *p, const char *why)
{
	p->done = true;
	p->status = STATUS_NONE;
	if (p->job->look)
		p->len = 0;
	keep_text(p, why, strlen(why));
}

/* The words of WIRE_EXIT as a shell would put them: a status, or 128 and the signal. */
static void end(struct job_part *p, const char *data, uint32_t len)
{
	struct arena a = {0};
	struct words w;
	const char *v = NULL;

	p->done = true;
	p->status = STATUS_NONE;
	if (words_split(data, len, &a, &w, NULL) < 0)
		w.n = 0;
	if (w.n && (v = words_get(&w, "status")))
		p->status = atoi(v);
	else if (w.n && (v = words_get(&w, "signal")))
		p->status = 128 + atoi(v);
	else if (w.n && words_get(&w, "timeout"))
		keep_line(p, arena_printf(&a, "ended after its timeout of %g s",
					  (double)p->job->timeout_ms / 1000));
	else if (w.n && (v = words_get(&w, "error")))
		end_without(p, v);
	arena_finish(&a);
}

static void on_message(struct agent_channel *ch, uint8_t type, const void *data, uint32_t len)
{
	struct job_part *p = of_channel(ch);

	if (type == WIRE_EXIT) {
		end(p, data, len);
		return;
	}
	if (type != WIRE_DATA && type != WIRE_ERRDATA)
		return;
	if (type == WIRE_ERRDATA && p->job->want.n)
		keep_error(p, data, len);
	else
		keep_text(p, data, len);
	p->owed += len;
	/* The clock has to stand for each message, so grants are saved up. */
	if (p->owed >= WIRE_WINDOW / 2) {
		input_send(p->guest, ch->id, WIRE_WINDOW_ADD, &p->owed, sizeof(p->owed));
		p->owed = 0;
	}
}

static void on_gone(struct agent_channel *ch)
{
	end_without(of_channel(ch), "the node has gone down");
}

/* text_max=N */
static size_t text_max(const struct words *w)
{
	const char *v = words_get(w, "text_max");
	long max = v ? strtol(v, NULL, 10) : TEXT_MAX;

	return max < TEXT_MAX ? TEXT_MAX : max > TEXT_MOST ? TEXT_MOST : (size_t)max;
}

/* The words before "--" that say what is wanted of the answer. */
static void keep_want(struct job *j, const struct words *w)
{
	j->want.at = arena_alloc(&j->arena, (w->n + 1) * sizeof(char *));
	for (size_t i = 2; i < w->n; i++)
		if (!strncmp(w->at[i], JUDGE_WANT, strlen(JUDGE_WANT)))
			j->want.at[j->want.n++] = arena_strdup(&j->arena, w->at[i]);
}

static struct job *create(struct lab *lab, const struct words *w, struct look *look, size_t n_parts)
{
	struct job *j = xcalloc(1, sizeof(*j));
	const char *timeout = words_get(w, "timeout_ms");

	if (!look)
		keep_want(j, w);

	j->id = ++lab->jobs.last_id;
	j->timeout_ms = timeout ? strtol(timeout, NULL, 10) : 0;
	j->text_max = look || j->want.n ? LOOK_TEXT_MAX : text_max(w);
	j->look = look;
	j->n_parts = n_parts;
	j->parts = xcalloc(n_parts + 1, sizeof(*j->parts));
	for (size_t i = 0; i < n_parts; i++)
		j->parts[i].job = j;
	j->next = lab->jobs.first;
	lab->jobs.first = j;
	return j;
}

static void destroy(struct job *j)
{
	for (size_t i = 0; i < j->n_parts; i++) {
		free(j->parts[i].text);
		free(j->parts[i].errors);
	}
	free(j->parts);
	arena_finish(&j->arena);
	look_destroy(j->look);
	free(j);
}

static void start_part(struct job_part *p, struct guest *gu, uint8_t type, const char *text,
		       size_t len)
{
	p->guest = gu;
	p->channel.on_message = on_message;
	p->channel.on_gone = on_gone;
	input_open_channel(gu, &p->channel, type, text, (uint32_t)len);
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
	const char *vnet = words_get(w, "vnet");
	struct addr a = learned_address_in(lab, (size_t)from, (size_t)to,
					   vnet ? graph_find_vnet(lab->graph, vnet) : ADDRESS_ANY);

	if (!a.family)
		return err_set(e, ERR_ENV, "%s has no address in a network of %s", name, gu->name);
	*peer = xasprintf("env." EVENT_PEER "=%s", addr_format(&a, false, text, sizeof(text)));
	return 0;
}

/* No word for the guest. */
static bool is_ours(const char *word)
{
	return !strncmp(word, "text_max=", 9) || !strncmp(word, "serve", 5) ||
	       !strncmp(word, JUDGE_WANT, strlen(JUDGE_WANT));
}

/* A command's own words may look like ours. */
static struct words before_command(const struct words *w)
{
	struct words head = {w->at, 0};

	while (head.n < w->n && strcmp(w->at[head.n], "--") != 0)
		head.n++;
	return head;
}

/* "server=NODE": who takes what the command sends. */
static int find_server(struct lab *lab, const struct words *w, struct guest **server, struct err *e)
{
	const char *name = words_get(w, "server");

	*server = name ? lab_find_guest(lab, name, e) : NULL;
	return name && (!*server || !guest_can_hear(*server, e)) ? -1 : 0;
}

/* "serve=COMMAND": ends by itself. */
static void serve(struct job_part *p, struct guest *server, const struct words *w)
{
	const char *command = words_get(w, "serve");
	char *const argv[] = {"exec", "--", "/bin/sh", "-c", (char *)(command ? command : ":")};
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	words_put_line(f, argv, ARRAY_LEN(argv));
	fclose(f);
	start_part(p, server, WIRE_EXEC, text, len - 1);
	input_send(server, p->channel.id, WIRE_EOF, NULL, 0);
	free(text);
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

	struct guest *server = NULL;

	struct words head = before_command(w);

	if (find_server(lab, &head, &server, e) < 0 || read_peer(lab, gu, &head, &peer, e) < 0)
		return -1;
	FILE *f = xmemstream(&text, &len);

	bool is_command = false;

	vec_push(&v, "exec");
	for (size_t i = 2; i < w->n; i++) {
		is_command |= !strcmp(w->at[i], "--");
		if (!is_command && is_ours(w->at[i]))
			continue;
		if (!is_command && peer && !strncmp(w->at[i], "peer=", 5))
			vec_push(&v, peer);
		else
			vec_push(&v, w->at[i]);
	}
	words_put_line(f, v.at, v.n);
	vec_free(&v);
	free(peer);
	fclose(f);
	len--; /* the newline */
	int rc = len > WIRE_PAYLOAD_MAX ? err_set(e, ERR_USAGE, "the command is too long") : 0;

	if (rc == 0) {
		struct job *j = create(lab, &head, NULL, server ? 2 : 1);

		if (server)
			serve(&j->parts[1], server, &head);
		start_part(&j->parts[0], gu, WIRE_EXEC, text, len);
		input_send(gu, j->parts[0].channel.id, WIRE_EOF, NULL, 0);
		fprintf(out, "%u\n", j->id);
	}
	free(text);
	return rc;
}

/* A guest that cannot hear is part of the answer, not of the question. */
static int start_look(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	struct look *look = look_create(lab, w, e);

	if (!look)
		return -1;
	struct job *j = create(lab, w, look, look_n_nodes(look));
	struct arena a = {0};

	for (size_t i = 0; i < j->n_parts; i++) {
		struct guest *gu = lab_find_guest(lab, look_node(look, i), NULL);
		const char *question = look_question(look, &a);
		struct err why;

		if (gu && guest_can_hear(gu, &why))
			start_part(&j->parts[i], gu, WIRE_LOOK, question, strlen(question));
		else
			end_without(&j->parts[i], gu ? why.text : "there is no such node");
	}
	arena_finish(&a);
	fprintf(out, "%u\n", j->id);
	return 0;
}

/* What the parts say together: the status, and the text. */
static int judge(struct lab *lab, const struct job *j, FILE *out)
{
	struct look_answer *answers = xcalloc(j->n_parts + 1, sizeof(*answers));

	for (size_t i = 0; i < j->n_parts; i++)
		answers[i] = (struct look_answer){
			.text = j->parts[i].text ? j->parts[i].text : "",
			.is_whole = j->parts[i].status == 0 && j->parts[i].len < j->text_max,
		};
	int status = look_judge(lab, j->look, answers, out) ? 0 : 1;

	free(answers);
	return status;
}

/* A command that has failed has no answer, only reasons. */
static int judge_command(const struct job *j, FILE *out)
{
	const struct job_part *p = &j->parts[0];

	if ((p->status == 0 || judge_reads_failures(&j->want)) && p->len < j->text_max &&
	    (p->status < 2 || !p->errors))
		return judge_answer(&j->want, p->text ? p->text : "", out) ? 0 : 1;
	if (p->status == 0)
		fputs("so much was printed that it was not kept\n", out);
	else
		visible_put_lines(out, "", p->text ? p->text : "");
	if (p->status && p->errors)
		visible_put_lines(out, "", p->errors);
	return p->status ? p->status : 1;
}

/* The text is cut to what a client has room for: its last lines sum up. */
static const char *last_of(const char *text, size_t len)
{
	const char *from = len > TEXT_MAX ? text + len - TEXT_MAX : text;
	const char *line = from > text ? strchr(from, '\n') : NULL;

	return line && line[1] ? line + 1 : from;
}

static void print_result(struct lab *lab, const struct job *j, FILE *out)
{
	const char *text = j->n_parts && j->parts[0].text ? j->parts[0].text : "";
	int status = j->n_parts ? j->parts[0].status : 0;
	char *judged = NULL;
	size_t len = 0;

	if (j->look || j->want.n) {
		FILE *f = xmemstream(&judged, &len);

		status = j->look ? judge(lab, j, f) : judge_command(j, f);
		fclose(f);
		text = j->look ? judged : last_of(judged, len);
	}
	fprintf(out, "done %d ", status);
	words_put(out, text);
	fputc('\n', out);
	free(judged);
}

static bool is_done(const struct job *j)
{
	for (size_t i = 0; i < j->n_parts; i++)
		if (!j->parts[i].done)
			return false;
	return true;
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
	if (!is_done(j)) {
		fputs("running\n", out);
		return 0;
	}
	print_result(lab, j, out);
	*p = j->next;
	destroy(j);
	return 0;
}

int job_command(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	if (strcmp(w->at[0], "job") == 0)
		return start(lab, w, out, e);
	if (strcmp(w->at[0], "look") == 0)
		return start_look(lab, w, out, e);
	return result(lab, w->at[1], out, e);
}

void job_forget(struct lab *lab)
{
	for (struct job *j = lab->jobs.first; j; j = j->next)
		for (size_t i = 0; i < j->n_parts; i++)
			if (j->parts[i].channel.id)
				agent_remove_channel(&j->parts[i].guest->agent,
						     &j->parts[i].channel);
	job_finish(lab);
}

void job_finish(struct lab *lab)
{
	while (lab->jobs.first) {
		struct job *j = lab->jobs.first;

		lab->jobs.first = j->next;
		destroy(j);
	}
}
