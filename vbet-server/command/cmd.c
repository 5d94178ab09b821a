/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line: which commands there are, and what they take.
 *
 * One table has the commands, one the options; what a command takes is a set of bits in its line.
 * Help, completion and parsing are made from the tables, and an option that a command does not have
 * is unknown to it. Options are written into struct cmd_options by their offset, so a command reads
 * fields and parses nothing; the meaning of a value is looked at where it is used.
 *
 * Commands return 0, -1 with an error, or an exit status of their own (exec passes on that of the
 * program).
 */
#include "vbet-server/command/cmd.h"

#include "lib/nearest.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "topo/topo.h"

#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct cmd commands[] = {
	{"run", "FILE|DIR", "up, then the console, then down", OPT_UP | OPT_RECORD, 1, 1,
	 cmd_run_lab},
	{"up", "FILE|DIR", "boot the lab of a script and leave it running",
	 OPT_UP | OPT_RECORD | OPT_WHATIF | OPT_UNTIL | OPT_KEEP, 1, 1, cmd_up},
	{"test", "FILE|DIR...",
	 "boot labs, do what their scripts say 'at' times, try what they expect",
	 OPT_UP | OPT_KEEP | OPT_TEST | OPT_LEVEL, 1, INT_MAX, cmd_test},
	{"expect", "[LAB] CHECK", "try a check, such as 'ping(a, b)', on a lab that is up",
	 OPT_LAB | OPT_WITHIN, 1, 2, cmd_expect_one},
	{"check-lab", "FILE|DIR", "try what a script expects on a lab that is up",
	 OPT_LAB | OPT_WITHIN | OPT_LEVEL, 1, 1, cmd_check_lab},
	{"explore", "FILE|DIR",
	 "from one moment of a lab, cut each link, or do whatever else, and see what becomes of it",
	 OPT_LAB | OPT_KERNEL | OPT_TIMEOUT | OPT_INSECURE | OPT_JOBS | OPT_QUIET | OPT_SEED |
		 OPT_AT_ONCE | OPT_WARN | OPT_WITHIN | OPT_KEEP | OPT_EXPLORE,
	 1, 1, cmd_explore},
	{"replay", "RUN", "repeat a run in virtual time, and stand at a moment of it",
	 OPT_REPLAY | OPT_UNTIL | OPT_BACK | OPT_KEEP | OPT_RECORD, 1, 1, cmd_replay},
	{"diff", "DIR1 DIR2", "the first frame, or line, in which two kept runs differ", 0, 2, 2,
	 cmd_diff},
	{"save", "NAME|DIR", "keep a lab, with all that goes on in it", OPT_LAB | OPT_STOP, 1, 1,
	 cmd_save},
	{"restore", "NAME|DIR", "go on with a lab that was saved", OPT_LAB, 1, 1, cmd_restore},
	{"snapshots", "", "list what was saved by name, or remove one", OPT_REMOVE | OPT_JSON, 0, 0,
	 cmd_snapshots},
	{"fork", "LAB[@TIME]|NAME",
	 "a second lab from this moment of one that is up, or an earlier one", OPT_LAB, 1, 1,
	 cmd_fork},
	{"down", "", "take a lab down", OPT_LAB | OPT_ALL, 0, 0, cmd_down},
	{"check", "FILE|DIR", "find what is wrong with a script; --dump prints it as vbet sees it",
	 OPT_DUMP | OPT_LAB | OPT_KERNEL | OPT_PROCESSES | OPT_WARN, 1, 1, cmd_check},
	{"packages", "FILE|NAME...",
	 "build the file systems with more packages that a script needs, while there is a network",
	 OPT_QUIET, 1, -1, cmd_packages},
	{"import", "FILE|DIR|NAME", "make a lab of that of another tool, and say what is not in it",
	 OPT_OUTPUT, 1, 1, cmd_import},
	{"export", "FILE|DIR|LAB",
	 "write a lab as another program understands it, and say what is not in it",
	 OPT_OUTPUT | OPT_TO, 1, 1, cmd_export},
	{"graph", "FILE|DIR|LAB", "draw a script's lab, or one that is up, by Graphviz", OPT_OUTPUT,
	 1, 1, cmd_graph},
	{"ls", "", "list the labs", OPT_JSON, 0, 0, cmd_ls},
	{"status", "", "nodes, NICs, cables and counters of a lab", OPT_LAB | OPT_JSON, 0, 0,
	 cmd_status},
	{"substrate", "", "what passes over substrate links, by virtual link, and what is promised",
	 OPT_LAB | OPT_JSON, 0, 0, cmd_substrate},
	{"console", "[NODE]", "a terminal in a node (leave it with Ctrl-]), or the lab's console",
	 OPT_LAB | OPT_USER | OPT_STEP | OPT_SHARE, 0, 1, cmd_console},
	{"exec", "NODE -- COMMAND...", "run a command in a node; its exit status is passed on",
	 OPT_LAB | OPT_USER | OPT_TIMEOUT | OPT_STEP, 2, -1, cmd_exec},
	{"outside", "-- COMMAND...",
	 "run a command of this machine where the lab's interfaces are (its outside nodes)",
	 OPT_LAB, 0, -1, cmd_outside},
	{"cp", "FROM TO", "copy a file or tree into or out of a node (NODE:PATH)", OPT_LAB, 2, 2,
	 cmd_cp},
	{"log", "NODE", "what the node's kernel and init have printed",
	 OPT_LAB | OPT_FOLLOW | OPT_RAW, 1, 1, cmd_log},
	{"start", "NODE...", "start nodes that are down", OPT_LAB | OPT_TIMEOUT, 1, -1, cmd_start},
	{"stop", "NODE...", "power nodes off; their links stay", OPT_LAB, 1, -1, cmd_stop},
	{"restart", "NODE...", "power off and boot again", OPT_LAB | OPT_TIMEOUT, 1, -1,
	 cmd_restart},
	{"kill", "NODE...", "end nodes at once, as a power cut does", OPT_LAB, 1, -1, cmd_kill},
	{"move", "NODE", "let another substrate process carry a node, while it runs",
	 OPT_LAB | OPT_TO, 1, 1, cmd_move},
	{"link", "A B up|down|show|reset [--plain]|set KEY=VALUE... [--one-way | end=NODE]",
	 "cut, mend or impair the cable between two nodes; reset: as the script has it; --plain: a "
	 "wire",
	 OPT_LAB, 2, -1, cmd_link},
	{"plug", "NODE:NIC [NODE:NIC]", "mend the cable at a NIC, or lay a new one", OPT_LAB, 1, 2,
	 cmd_plug},
	{"unplug", "NODE:NIC", "cut the cable at a NIC: both ends lose carrier", OPT_LAB, 1, 1,
	 cmd_unplug},
	{"ping", "A B", "does A reach B?", OPT_LAB | OPT_COUNT | OPT_STEP, 2, 2, cmd_ping},
	{"pingall", "", "does every node reach every other?", OPT_LAB | OPT_COUNT | OPT_STEP, 0, 0,
	 cmd_pingall},
	{"capture", "NODE:NIC [FIFO] [FILTER]",
	 "frames that pass a NIC, as pcapng (tcpdump's filters)",
	 OPT_LAB | OPT_WRITE | OPT_COUNT | OPT_FOR | OPT_COMMENT, 1, 3, cmd_capture},
	{"wait", "[NODE|CHECK]", "wait until the lab, or a node, is ready, or a check holds",
	 OPT_LAB | OPT_TIMEOUT, 0, 1, cmd_wait},
	{"clock", "[pace N|max] [pause] [run] [step TIME] [until TIME|CHECK]",
	 "show or move the virtual clock; a check is 'ping(a, b)', 'not route(...)' ...",
	 OPT_LAB | OPT_TIMEOUT, 0, 32, cmd_clock},
	{"clean", "", "remove what a killed server left behind", OPT_CLEAN, 0, 0, cmd_clean},
	{"version", "", "the versions of all parts of this installation", 0, 0, 0, cmd_version},
	{"help", "[COMMAND]", "this list, or more about a command", 0, 0, 1, cmd_help},
};

struct option_spec {
	uint64_t bit;
	char letter;                   /* 0: none */
	const char *name, *arg, *help; /* arg "[=...]": may be left out, and is "-" then;
					  "X...": it may be given many times */
	size_t offset; /* in struct cmd_options: of a const char * (with arg), a struct strvec (many
			  times), or a bool */
};

#define FIELD(f) offsetof(struct cmd_options, f)
static const struct option_spec options[] = {
	{OPT_LAB, 'n', "name", "LAB", "the lab (default: $VBET_LAB, else the only one running)",
	 FIELD(lab)},
	{OPT_JSON, 'j', "json", NULL, "print JSON", FIELD(json)},
	{OPT_KERNEL, 'k', "kernel", "PATH", "another User-Mode Linux kernel", FIELD(kernel)},
	{OPT_TIMEOUT, 't', "timeout", "TIME", "give up after this time (60s; exec, clock: none)",
	 FIELD(timeout)},
	{OPT_INSECURE, 0, "insecure", NULL, "run guests even where they cannot be confined",
	 FIELD(insecure)},
	{OPT_JOBS, 'J', "jobs", "N", "boot at most N guests at once", FIELD(jobs)},
	{OPT_PROCESSES, 0, "substrate-processes", "N|auto",
	 "let N processes share the work of the substrate (as few as can)", FIELD(processes)},
	{OPT_BOOT, 0, "keep-going", NULL, "be ready without the nodes whose start fails",
	 FIELD(keep_going)},
	{OPT_BOOT, 0, "warm", NULL, "keep this boot, so that the next one is restored from it",
	 FIELD(warm)},
	{OPT_CLEAN, 0, "warm", NULL, "also all boots that were kept (up --warm)", FIELD(warm)},
	{OPT_BOOT, 0, "cold", NULL, "boot, also if an earlier boot was kept", FIELD(cold)},
	{OPT_BOOT, 0, "memory", "SIZE", "the lab may take no more of this machine's memory",
	 FIELD(memory)},
	{OPT_BOOT, 0, "cpu", "SHARE",
	 "the lab may take no more of its processors' time (150%: of one and a half)", FIELD(cpu)},
	{OPT_QUIET, 'q', "quiet", NULL, "no progress", FIELD(quiet)},
	{OPT_DUMP, 'd', "dump", "tree|graph|plan", "print that value", FIELD(dump)},
	{OPT_USER, 'u', "user", "NAME", "as this user of the node (root)", FIELD(user)},
	{OPT_USER, 0, "vnet", "NAME", "in this vNet, of a node that is in several", FIELD(vnet)},
	{OPT_STEP, 0, "step", NULL, "a virtual clock that stands goes on for this, and no longer",
	 FIELD(step)},
	{OPT_SHARE, 0, "share", NULL, "see and type in the terminal that somebody has open there",
	 FIELD(share)},
	{OPT_SHARE, 0, "watch", NULL, "see it only", FIELD(watch)},
	{OPT_ALL, 'a', "all", NULL, "all labs", FIELD(all)},
	{OPT_FOLLOW, 'f', "follow", NULL, "go on as more is printed", FIELD(follow)},
	{OPT_RAW, 0, "raw", NULL, "as it was printed: escapes are not shown as text", FIELD(raw)},
	{OPT_COUNT, 'c', "count", "N", "number of pings (1), or frames", FIELD(count)},
	{OPT_WRITE, 'w', "write", "FILE|-", "where the frames go", FIELD(write)},
	{OPT_FOR, 0, "for", "TIME", "end after this time", FIELD(duration)},
	{OPT_COMMENT, 0, "comment", "TEXT", "a comment of the whole capture", FIELD(comment)},
	{OPT_CLOCK, 0, "clock", "real|virtual", "which clock the lab runs by", FIELD(clock)},
	{OPT_SEED, 0, "seed", "N", "seed of everything random", FIELD(seed)},
	{OPT_KEEP, 0, "keep", "DIR", "keep captures of all cables and the consoles there",
	 FIELD(keep)},
	{OPT_BOOT, 0, "keep-disks", "DIR",
	 "take the nodes' disks from there, and leave there what is written to them",
	 FIELD(keep_disks)},
	{OPT_SPIN, 0, "spin", "report|stop|charge",
	 "virtual clock: what becomes of a guest that computes without end", FIELD(spin)},
	{OPT_AT_ONCE, 0, "guests-at-once", "N",
	 "virtual clock: let at most N guests run side by side (8)", FIELD(at_once)},
	{OPT_RECORD, 0, "record", "DIR", "keep there what it takes to replay this run",
	 FIELD(record)},
	{OPT_WARN, 'W', "warn", "NAME|no-NAME|error",
	 "which warnings are shown (all); error: any of them is an error", FIELD(warn)},
	{OPT_UNTIL, 0, "until", "TIME", "stand at this time of the lab (the end of the run)",
	 FIELD(until)},
	{OPT_BACK, 0, "back", "TIME", "stand that long before the end of the run, or before now",
	 FIELD(back)},
	{OPT_BACKS, 0, "back-every", "TIME",
	 "virtual clock: keep snapshots so often, for --back; TIME,SIZE: in so much room; or off",
	 FIELD(back_every)},
	{OPT_WHATIF, 0, "whatif", "STATEMENT",
	 "FILE is RUN@TIME: repeat that run, but do this then, and show what differs",
	 FIELD(whatif)},
	{OPT_OUTPUT, 'o', "output", "DIR|FILE",
	 "import: write the lab and its files into this new directory; export: write to this file; "
	 "graph: the picture, X.svg, X.png or X.pdf",
	 FIELD(output)},
	{OPT_TO, 0, "to", "FORMAT|PROCESS",
	 "export: containerlab, graphml, dot, mermaid or json; move: substrate.2, or 2", FIELD(to)},
	{OPT_WITHIN, 0, "within", "TIME", "try for so long (as the check says)", FIELD(within)},
	{OPT_LEVEL, 0, "level", "LEVELS", "only expectations of these: required, warning, bonus",
	 FIELD(level)},
	{OPT_STOP, 0, "stop", NULL, "take the lab down when it is saved", FIELD(stop)},
	{OPT_REMOVE, 0, "remove", "NAME", "remove this snapshot", FIELD(remove)},
	{OPT_EXPLORE, 0, "from", "TIME|CHECK",
	 "the moment that all begin at ('converges() stays 60s')", FIELD(from)},
	{OPT_EXPLORE, 0, "each", "STATEMENT...",
	 "do this; LINK, NODE, ROUTER, HOST, SWITCH ... stand for each of these (cut(LINK))",
	 FIELD(each)},
	{OPT_EXPLORE, 0, "pairs", NULL, "also each two of them at the same time", FIELD(pairs)},
	{OPT_EXPLORE, 0, "only", "TEXT", "only what has this in it: 'cut(r1, r2)'", FIELD(only)},
	{OPT_EXPLORE, 0, "expect", "CHECK...", "what must hold once the network is quiet again",
	 FIELD(expects)},
	{OPT_EXPLORE, 0, "rest", "TIME",
	 "the network is quiet when no routing table changes for so long (1s)", FIELD(rest)},
	{OPT_EXPLORE, 0, "json", NULL, "print a line of JSON for each", FIELD(json)},
	{OPT_TEST | OPT_EXPLORE, 'j', "side-by-side", "N",
	 "run at most N labs at once (one per processor)", FIELD(side_by_side)},
	{OPT_TEST, 'T', "limit", "TIME", "end a lab that takes longer, in time of the wall (10min)",
	 FIELD(limit)},
	{OPT_TEST, 0, "filter", "PATTERNS",
	 "only scripts or labs with such names; !PATTERN: not these", FIELD(filter)},
	{OPT_TEST, 0, "repeat", "N", "run each N times; with --seed S: seeds S, S+1, ...",
	 FIELD(repeat)},
	{OPT_TEST, 0, "until-fail", NULL,
	 "begin no more once one has not passed; without --repeat, go on for ever",
	 FIELD(until_fail)},
	{OPT_TEST, 0, "list", NULL, "say what would be run", FIELD(list)},
	{OPT_TEST, 0, "console-on-fail", NULL,
	 "one script: stop at what does not hold first, and open the lab's console there",
	 FIELD(console_on_fail)},
	{OPT_TEST, 0, "snapshots-at", "TIMES",
	 "one script: save the lab then, take it down, and go on with what is restored",
	 FIELD(snapshots_at)},
	{OPT_TEST, 0, "stands-at", "TIMES", "one script: let the virtual clock stand then",
	 FIELD(stands_at)},
	{OPT_TEST, 0, "junit", "FILE", "write the results there as JUnit's XML", FIELD(junit)},
	{OPT_TEST, 0, "tap", "[=FILE]", "write them as TAP, to standard output or there",
	 FIELD(tap)},
	{OPT_TEST, 0, "json", "[=FILE]", "write events as they happen, as lines of JSON",
	 FIELD(events)},
	{OPT_TEST, 0, "artifacts", "DIR", "keep there what is left of labs that do not pass",
	 FIELD(artifacts)},
	{OPT_TEST, 0, "artifacts-all", NULL, "with --artifacts: keep it of those that pass, too",
	 FIELD(artifacts_all)},
	{UINT64_MAX, 'h', "help", NULL, "this text", FIELD(help)},
};

const struct cmd *cmd_at(size_t i)
{
	return i < ARRAY_LEN(commands) ? &commands[i] : NULL;
}

const struct cmd *cmd_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

void cmd_usage(FILE *out, const struct cmd *c)
{
	fprintf(out, "usage: vbet %s [options] %s\n%s\n", c->name, c->args, c->help);
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option_spec *o = &options[i];
		char left[48];

		if (!(o->bit & (c->options | (o->bit == UINT64_MAX))))
			continue;
		snprintf(left, sizeof(left), "%c%c --%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ', o->name, o->arg && *o->arg != '[' ? " " : "",
			 o->arg ? o->arg : "");
		fprintf(out, "  %-26s %s\n", left, o->help);
	}
}

static void list_commands(FILE *out)
{
	fprintf(out, "usage: vbet COMMAND [options] ...\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].help);
	fprintf(out,
		"\n'vbet help COMMAND' tells more. Without -n a command means the only running "
		"lab.\n");
}

int cmd_help(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	const struct cmd *c = argc ? cmd_find(argv[0]) : NULL;

	if (argc && !c)
		return err_set(e, ERR_USAGE, "no command '%s'", argv[0]);
	if (c)
		cmd_usage(stdout, c);
	else
		list_commands(stdout);
	return 0;
}

int cmd_timeout_ns(const struct cmd_options *o, int64_t default_s, int64_t *ns, struct err *e)
{
	*ns = default_s * 1000000000;
	return o->timeout ? unit_parse(UNIT_TIME, o->timeout, ns, e) : 0;
}

static bool is_list(const char *arg)
{
	size_t len = strlen(arg);

	return len > 3 && !strcmp(arg + len - 3, "...");
}

/* -W may be given many times, each for one warning; of all others the last one holds. */
static int take_option(struct cmd_options *out, const struct option_spec *o, const char *arg)
{
	void *field = (char *)out + o->offset;
	struct err e = {0};

	if ((o->bit & ((OPT_UP & ~OPT_LAB) | OPT_LEVEL)) && o->bit != UINT64_MAX)
		vec_push(&out->of_boot,
			 arg ? xasprintf("--%s=%s", o->name, arg) : xasprintf("--%s", o->name));
	if (o->bit == OPT_WARN) {
		if (warn_choose(field, arg, &e) == 0)
			return 0;
		fprintf(stderr, "vbet: -W: %s\n", e.text);
		return -1;
	}
	if (o->arg && is_list(o->arg))
		vec_push((struct strvec *)field, arg);
	else if (o->arg)
		*(const char **)field = arg ? arg : "-";
	else
		*(bool *)field = true;
	return 0;
}

static int takes_argument(const struct option_spec *o)
{
	return !o->arg ? no_argument : *o->arg == '[' ? optional_argument : required_argument;
}

/*
 * getopt's tables from ours, for the options that the command takes. For long options getopt gives
 * back a number past all letters, from which the row is found.
 */
static int parse_options(const struct cmd *c, int argc, char **argv, struct cmd_options *out)
{
	struct option longs[ARRAY_LEN(options) + 1] = {{0}};
	const struct option_spec *spec[ARRAY_LEN(options)];
	char letters[2 * ARRAY_LEN(options) + 2] = "+";
	int n = 0;
	int opt;
	int index;

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option_spec *o = &options[i];
		char s[3] = {o->letter, o->arg ? ':' : '\0', '\0'};

		if (o->bit != UINT64_MAX && !(o->bit & c->options))
			continue;
		spec[n] = o;
		longs[n] = (struct option){o->name, takes_argument(o), NULL, 256 + n};
		strcat(letters, s);
		n++;
	}
	optind = 1;
	while ((opt = getopt_long(argc, argv, letters, longs, &index)) != -1) {
		const struct option_spec *o = opt >= 256 ? spec[opt - 256] : NULL;

		for (int i = 0; i < n && !o; i++)
			if (spec[i]->letter == opt)
				o = spec[i];
		if (!o || take_option(out, o, optarg) < 0)
			return -1;
	}
	return optind;
}

/*
 * Options may also follow the first argument ("vbet up FILE -n x"), so getopt, which stops at
 * the first word that is none, is called again behind each. Where a command takes any words
 * (exec), what follows the first is the words' own.
 */
static int parse_all(const struct cmd *c, int *argc, char **argv, struct cmd_options *o)
{
	int kept = 1;
	int at = 0;

	for (;;) {
		int used = parse_options(c, *argc - at, argv + at, o);

		if (used < 0)
			return -1;
		at += used;
		bool dashes = at > 1 && !strcmp(argv[at - 1], "--");

		if (at >= *argc)
			break;
		if (dashes || (c->max < 0 && kept > 1)) {
			while (at < *argc)
				argv[kept++] = argv[at++];
			break;
		}
		argv[kept++] = argv[at];
		/* getopt skips the word just kept: it takes it for the program's name. */
	}
	*argc = kept;
	return 0;
}

static int usage_error(const struct cmd *c)
{
	fprintf(stderr, "usage: vbet %s [options] %s\n", c->name, c->args);
	return ERR_USAGE;
}

/* The lab's name is checked here once for all commands, since it becomes part of paths. */
static int run_command(const struct cmd *c, int argc, char **argv, struct cmd_options *o,
		       struct err *e)
{
	const char *lab = getenv("VBET_LAB");

	if (parse_all(c, &argc, argv, o) < 0)
		return usage_error(c);
	if (o->help) {
		cmd_usage(stdout, c);
		return 0;
	}
	if (argc - 1 < c->min || (c->max >= 0 && argc - 1 > c->max))
		return usage_error(c);
	if (!o->lab && lab && *lab && (c->options & OPT_LAB))
		o->lab = lab;
	if (o->lab && !topo_is_lab_name(o->lab)) {
		fprintf(stderr,
			"vbet: '%s' is no name of a lab: that is at most %d small letters, digits "
			"and '-'\n",
			o->lab, TOPO_MAX_LAB);
		return ERR_USAGE;
	}
	return c->run(o, argc - 1, argv + 1, e);
}

int cmd_run(int argc, char **argv)
{
	struct cmd_options o = {0};
	struct err e = {0};
	const struct cmd *c = argc > 1 ? cmd_find(argv[1]) : NULL;

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		list_commands(argc < 2 ? stderr : stdout);
		return argc < 2 ? ERR_USAGE : 0;
	}
	if (argc == 2 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")))
		c = cmd_find("version");
	if (!c) {
		struct nearest near;

		nearest_init(&near, argv[1]);
		for (size_t i = 0; i < ARRAY_LEN(commands); i++)
			nearest_offer(&near, commands[i].name);
		fprintf(stderr, "vbet: no command '%s'%s\n", argv[1], nearest_hint(&near));
		return ERR_USAGE;
	}
	argc--;
	argv++;
	argv[0] = (char *)c->name;
	int rc = run_command(c, argc, argv, &o, &e);

	for (size_t i = 0; i < o.of_boot.n; i++)
		free((char *)o.of_boot.at[i]);
	vec_free(&o.of_boot);
	vec_free(&o.each);
	vec_free(&o.expects);
	if (rc < 0 || e.kind) {
		fprintf(stderr, "vbet: %s\n", e.text);
		return e.kind ? (int)e.kind : ERR_ENV;
	}
	return rc;
}
