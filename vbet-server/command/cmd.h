/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command of the program is a struct: dispatch, help, completion and the manual come from it. */
#ifndef VBET_SERVER_COMMAND_CMD_H
#define VBET_SERVER_COMMAND_CMD_H

#include "lib/err.h"
#include "lib/vec.h"
#include "topo/warn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What the options of a command line said. Unset ones are NULL, 0 or false. */
struct cmd_options {
	const char *lab, *kernel, *dump, *user, *vnet, *clock, *seed, *write;
	const char *timeout, *jobs, *processes, *count, *duration, *keep, *comment;
	const char *record, *until, *back, *back_every, *whatif, *spin, *at_once, *output,
		*keep_disks;
	const char *side_by_side, *limit, *filter, *repeat, *artifacts;
	const char *within, *to, *level, *remove;
	const char *from, *rest, *only;
	struct strvec each, expects; /* owned; the strings are the command line's */
	const char *snapshots_at, *stands_at;
	const char *memory, *cpu;         /* of the lab as a whole */
	const char *junit, *tap, *events; /* a file, or "-": standard output */
	bool until_fail, list, console_on_fail, pairs, artifacts_all;
	bool step, share, watch, json, insecure, help, all, follow, raw, quiet, keep_going, stop;
	bool warm, cold;
	struct warn_choice warn;
	struct strvec of_boot; /* those of a boot and --level, as words for another vbet; owned */
};

/* Which options a command takes: a set of bits. Enumerators would be ints, and there are more
 * than 31. */
#define OPT_BIT(n)    (UINT64_C(1) << (n))
#define OPT_LAB       OPT_BIT(0)
#define OPT_JSON      OPT_BIT(1)
#define OPT_KERNEL    OPT_BIT(2)
#define OPT_TIMEOUT   OPT_BIT(3)
#define OPT_INSECURE  OPT_BIT(4)
#define OPT_JOBS      OPT_BIT(5)
#define OPT_DUMP      OPT_BIT(6)
#define OPT_USER      OPT_BIT(7)
#define OPT_ALL       OPT_BIT(8)
#define OPT_FOLLOW    OPT_BIT(9)
#define OPT_COUNT     OPT_BIT(10)
#define OPT_QUIET     OPT_BIT(11)
#define OPT_CLOCK     OPT_BIT(12)
#define OPT_SEED      OPT_BIT(13)
#define OPT_STEP      OPT_BIT(14)
#define OPT_RAW       OPT_BIT(15)
#define OPT_SHARE     OPT_BIT(16)
#define OPT_BOOT      OPT_BIT(17) /* what run, up and test take, and nothing else */
#define OPT_OUTPUT    OPT_BIT(18)
#define OPT_COMMENT   OPT_BIT(19)
#define OPT_WRITE     OPT_BIT(20)
#define OPT_FOR       OPT_BIT(21)
#define OPT_KEEP      OPT_BIT(22)
#define OPT_PROCESSES OPT_BIT(23)
#define OPT_RECORD    OPT_BIT(24)
#define OPT_UNTIL     OPT_BIT(25)
#define OPT_BACK      OPT_BIT(26)
#define OPT_WHATIF    OPT_BIT(27)
#define OPT_SPIN      OPT_BIT(28)
#define OPT_AT_ONCE   OPT_BIT(29)
#define OPT_WARN      OPT_BIT(30)
#define OPT_TEST      OPT_BIT(31)
#define OPT_WITHIN    OPT_BIT(32)
#define OPT_TO        OPT_BIT(33)
#define OPT_LEVEL     OPT_BIT(34)
#define OPT_STOP      OPT_BIT(35)
#define OPT_EXPLORE   OPT_BIT(36)
#define OPT_REMOVE    OPT_BIT(37)
#define OPT_BACKS     OPT_BIT(38)
#define OPT_CLEAN     OPT_BIT(39)
#define OPT_UP                                                                                  \
	(OPT_LAB | OPT_KERNEL | OPT_TIMEOUT | OPT_INSECURE | OPT_JOBS | OPT_QUIET | OPT_CLOCK | \
	 OPT_SEED | OPT_PROCESSES | OPT_SPIN | OPT_AT_ONCE | OPT_WARN | OPT_BOOT | OPT_BACKS)
#define OPT_REPLAY (OPT_LAB | OPT_TIMEOUT | OPT_INSECURE | OPT_QUIET | OPT_AT_ONCE | OPT_BACKS)

struct cmd {
	const char *name;
	const char *args; /* for the usage line */
	const char *help; /* one line */
	uint64_t options; /* OPT_* */
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
int cmd_expect_one(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_check_lab(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_replay(const struct cmd_options *o, int argc, char **argv, struct err *e);
/* up --whatif STATEMENT RUN@TIME */
int cmd_what_if(const struct cmd_options *o, const char *run, struct err *e);
/* fork RUN@TIME */
int cmd_fork_at(const struct cmd_options *o, const char *run, struct err *e);
int cmd_diff(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_explore(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_save(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_restore(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_snapshots(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_move(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_fork(const struct cmd_options *o, int argc, char **argv, struct err *e);
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
int cmd_export(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_graph(const struct cmd_options *o, int argc, char **argv, struct err *e);
int cmd_help(const struct cmd_options *o, int argc, char **argv, struct err *e);

/* The interactive console of a running lab (console.c): returns the exit status. */
int console_run(const char *lab, struct err *e);
/* Of the library that it reads lines with. */
const char *console_readline_version(void);

#endif
