/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command of the program is a struct: dispatch, help, completion and the manual come from it. */
#ifndef VBET_SERVER_COMMAND_CMD_H
#define VBET_SERVER_COMMAND_CMD_H

#include "lib/err.h"
#include "lib/vec.h"
#include "topo/warn.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What the options of a command line said. Unset ones are NULL, 0 or false. */
struct cmd_options {
	const char *lab, *kernel, *dump, *user, *clock, *seed, *write;
	const char *timeout, *jobs, *processes, *count, *duration, *keep, *comment;
	const char *record, *until, *back, *whatif, *spin, *at_once, *output, *keep_disks;
	const char *side_by_side, *limit, *filter, *repeat, *artifacts;
	const char *junit, *tap, *events; /* a file, or "-": standard output */
	bool until_fail, list, console_on_fail;
	bool step, share, watch, json, insecure, help, all, follow, raw, quiet, keep_going;
	struct warn_choice warn;
	struct strvec of_boot; /* those of a boot, as words for another vbet; owned */
};

enum cmd_option {
	OPT_LAB = 1 << 0,
	OPT_JSON = 1 << 1,
	OPT_KERNEL = 1 << 2,
	OPT_TIMEOUT = 1 << 3,
	OPT_INSECURE = 1 << 4,
	OPT_JOBS = 1 << 5,
	OPT_DUMP = 1 << 6,
	OPT_USER = 1 << 7,
	OPT_ALL = 1 << 8,
	OPT_FOLLOW = 1 << 9,
	OPT_COUNT = 1 << 10,
	OPT_QUIET = 1 << 11,
	OPT_CLOCK = 1 << 12,
	OPT_SEED = 1 << 13,
	OPT_STEP = 1 << 14,
	OPT_RAW = 1 << 15,
	OPT_SHARE = 1 << 16,
	OPT_BOOT = 1 << 17, /* what run, up and test take, and nothing else */
	OPT_OUTPUT = 1 << 18,
	OPT_COMMENT = 1 << 19,
	OPT_WRITE = 1 << 20,
	OPT_FOR = 1 << 21,
	OPT_KEEP = 1 << 22,
	OPT_PROCESSES = 1 << 23,
	OPT_RECORD = 1 << 24,
	OPT_UNTIL = 1 << 25,
	OPT_BACK = 1 << 26,
	OPT_WHATIF = 1 << 27,
	OPT_SPIN = 1 << 28,
	OPT_AT_ONCE = 1 << 29,
	OPT_WARN = 1 << 30,
	OPT_TEST = INT_MIN, /* the last bit: an enumerator is an int */
	OPT_UP = OPT_LAB | OPT_KERNEL | OPT_TIMEOUT | OPT_INSECURE | OPT_JOBS | OPT_QUIET |
		 OPT_CLOCK | OPT_SEED | OPT_PROCESSES | OPT_SPIN | OPT_AT_ONCE | OPT_WARN |
		 OPT_BOOT,
	OPT_REPLAY = OPT_LAB | OPT_TIMEOUT | OPT_INSECURE | OPT_QUIET | OPT_AT_ONCE,
};

struct cmd {
	const char *name;
	const char *args; /* for the usage line */
	const char *help; /* one line */
	unsigned options; /* enum cmd_option */
	int min, max;     /* number of arguments; max -1: any */
	/* argv[0] is the first argument. Returns the exit status; failures are in e. */
	int (*run)(const struct cmd_options *o, int argc, char **argv, struct err *e);
};

/* All commands in the order of the help; NULL past the end. */
const struct cmd *cmd_at(size_t i);
const struct cmd *cmd_find(const char *name);
/* Parses options and runs; prints the error. Returns the exit status. */
int cmd_run(int argc, char **argv);
void cmd_usage(FILE *out, const struct cmd *c);
/* The time of --timeout, or a default in seconds. 0 or -1. */
int cmd_timeout_ns(const struct cmd_options *o, int64_t default_s, int64_t *ns, struct err *e);

int cmd_packages(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_check(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_up(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_run_lab(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_test(const struct cmd_options *o, int argc, char **argv, struct err *e);
/* test of one script, in this process. */
int cmd_expect(const struct cmd_options *o, const char *file, struct err *e);
int cmd_replay(const struct cmd_options *o, int argc, char **argv, struct err *e);
/* up --whatif STATEMENT RUN@TIME */
int cmd_what_if(const struct cmd_options *o, const char *run, struct err *e);
int cmd_diff(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_down(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_ls(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_clean(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_substrate(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_status(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_wait(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_exec(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_console(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_outside(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_cp(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_log(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_start(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_stop(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_restart(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_kill(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_link(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_capture(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_clock(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_plug(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_unplug(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_ping(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_pingall(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_version(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_import(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_graph(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_help(const struct cmd_options *o, int argc, char **argv, struct err *e);

/* The interactive console of a running lab (console.c): returns the exit status. */
int console_run(const char *lab, struct err *e);
/* Of the library that it reads lines with. */
const char *console_readline_version(void);

#endif
