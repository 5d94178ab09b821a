/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * EXEC's words: "exec" KEY=VALUE... "--" PROGRAM ARGUMENT... The environment is that of a login,
 * with the message's own entries over it, and nothing of ours: process 1 has the kernel's arguments
 * in its environment.
 */
#include "vkernel/init/exec_request.h"

#include "vkernel/init/agent.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long number_of(const struct words *w, const char *key, long otherwise)
{
	const char *v = words_get(w, key);

	return v ? strtol(v, NULL, 10) : otherwise;
}

static bool names(const char *entry, const char *other)
{
	size_t len = strcspn(other, "=");

	return !strncmp(entry, other, len) && entry[len] == '=';
}

/* A later entry replaces an earlier one of the same name. */
static void set_env(struct exec_request *r, char *entry)
{
	for (size_t i = 0; i < r->env.n; i++) {
		if (!names(r->env.at[i], entry))
			continue;
		r->env.at[i] = entry;
		return;
	}
	vec_push(&r->env, entry);
}

/* What the script says, else bash, else what every system has. */
static const char *shell_of(const struct exec_request *r)
{
	static const char *const others[] = {"/bin/bash", "/usr/bin/bash"};

	if (agent_shell() && access(agent_shell(), X_OK) == 0)
		return agent_shell();
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (access(others[i], X_OK) == 0)
			return others[i];
	return "/bin/sh";
}

/* The order is that of importance, the last wins: what a login has, then what the message says. */
static void fill_env(struct exec_request *r)
{
	struct arena *a = &r->arena;
	const char *term = words_get(&r->keys, "term");

	set_env(r, (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	set_env(r, (char *)"LANG=C.UTF-8");
	set_env(r, arena_printf(a, "HOME=%s", r->user.home));
	set_env(r, arena_printf(a, "USER=%s", r->user.name));
	set_env(r, arena_printf(a, "LOGNAME=%s", r->user.name));
	set_env(r, arena_printf(a, "SHELL=%s", shell_of(r)));
	if (r->tty)
		set_env(r, arena_printf(a, "TERM=%s", term ? term : "xterm"));
	for (size_t i = 1; i < r->keys.n; i++)
		if (!strncmp(r->keys.at[i], "env.", 4) && strchr(r->keys.at[i], '='))
			set_env(r, r->keys.at[i] + 4);
	vec_push(&r->env, NULL);
}

int exec_request_read(struct exec_request *r, const struct words *w, struct err *e)
{
	size_t dashes = 1;
	const char *user;

	while (dashes < w->n && strcmp(w->at[dashes], "--") != 0)
		dashes++;
	r->keys = *w;
	r->keys.n = dashes;
	r->argv = w->at + (dashes < w->n ? dashes + 1 : w->n);
	r->tty = number_of(&r->keys, "tty", 0) > 0;
	r->cols = (unsigned)number_of(&r->keys, "cols", 80);
	r->rows = (unsigned)number_of(&r->keys, "rows", 24);
	r->timeout_ms = number_of(&r->keys, "timeout_ms", 0);
	user = words_get(&r->keys, "user");
	if (proc_find_user(user ? user : "root", &r->user, e) < 0)
		return -1;
	fill_env(r);
	if (!r->argv[0]) { /* the shell, as at a login */
		r->argv = arena_alloc(&r->arena, 3 * sizeof(char *));
		r->argv[0] = arena_strdup(&r->arena, shell_of(r));
		r->argv[1] = (char *)"-l";
	}
	return 0;
}

void exec_request_finish(struct exec_request *r)
{
	vec_free(&r->env);
	arena_finish(&r->arena);
}
