/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a lab of another tool is, in terms of ours, and what of it has no place here. The readers of
 * formats fill it, model_settle() decides what can be said in our language, and script.h writes it
 * down. Pure: files are read through struct import_source.
 *
 * All strings live in the arena of the model. Whatever the input says, a model stays within the
 * limits below: past one of them the model is `full`, further things are dropped, and
 * model_check_size() tells the user.
 */
#ifndef VBET_SERVER_IMPORT_MODEL_H
#define VBET_SERVER_IMPORT_MODEL_H

#include "lib/addr.h"
#include "lib/arena.h"
#include "lib/err.h"
#include "lib/vec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	IMPORT_MAX_NODES = 10000,
	IMPORT_MAX_NICS = 64,      /* of a guest */
	IMPORT_MAX_PORTS = 1024,   /* of a switch */
	IMPORT_MAX_LINKS = 200000, /* cables of a lab */
	IMPORT_MAX_ITEMS = 100000, /* files, commands, settings of all nodes together */
	IMPORT_MAX_OF_NODE = 5000, /* files of a node, and commands of a node */
	IMPORT_MAX_NOTES = 500,    /* different ones */
	IMPORT_MAX_FILE = 4 << 20, /* bytes of a file that is read */
};

/* The files of a lab. Paths are relative to the directory of the lab, or absolute. */
struct import_source {
	/*
	 * The whole of a regular file of at most IMPORT_MAX_FILE bytes, malloc'ed and
	 * NUL-terminated (the NUL is not in *len). NULL with the reason in e.
	 */
	char *(*read)(void *ctx, const char *path, size_t *len, struct err *e);
	/*
	 * The names in a directory, sorted; those of directories end in '/'. Strings in the arena;
	 * the caller frees the vector. -1: this is no directory.
	 */
	int (*list)(void *ctx, const char *path, struct arena *a, struct strvec *names);
	/* May the file be executed? */
	bool (*is_executable)(void *ctx, const char *path);
	void *ctx;
};

enum import_kind { IMPORT_HOST, IMPORT_ROUTER, IMPORT_FIREWALL, IMPORT_SWITCH };

struct import_nic {
	const char *was; /* the name of the interface there, if it is not ours; or NULL */
	const char *mac; /* or NULL */
	unsigned mtu;    /* 0: the default */
	bool is_plugged;
	VEC(struct addr) addrs; /* set by model_settle() */
};

/* A command for the shell, and what it means in our language, if that could be told. */
enum import_meaning { IMPORT_RUN, IMPORT_ADDRESS, IMPORT_ROUTE, IMPORT_SYSCTL };
struct import_command {
	enum import_meaning meaning;
	const char *text;        /* as it was written */
	size_t nic;              /* IMPORT_ADDRESS: from 0 */
	struct addr addr;        /* the address; IMPORT_ROUTE: the network */
	bool is_default;         /* IMPORT_ROUTE: the default route */
	struct addr via;         /* IMPORT_ROUTE */
	const char *key, *value; /* IMPORT_SYSCTL */
};

/* A file laid into the guest: from a file of the lab, or with a text of ours. */
struct import_file {
	const char *path;   /* in the guest */
	const char *daemon; /* it is the configuration of this service; or NULL */
	const char *source; /* path as struct import_source takes it, or NULL: text */
	const char *text;   /* with a source: what its text is changed to; or NULL */
	bool is_executable;
};

struct import_node {
	const char *was;      /* its name there */
	const char *name;     /* ours: legal and unique; set by model_settle() */
	const char *variable; /* the same in the script */
	const char *comment;  /* one line beside it, or NULL */
	enum import_kind kind;
	int64_t memory_bytes; /* 0: the default of its kind */
	bool has_frr;         /* FRR is started in it */
	bool has_rstp;        /* a switch in a loop */
	VEC(struct import_nic) nics;
	VEC(struct import_file) files;
	VEC(const char *) services; /* started without a configuration of the lab's */
	VEC(struct import_command) commands;
};

struct import_end {
	size_t node, nic;
};

struct import_link {
	struct import_end a, b;
	int64_t rate_bps, delay_ns; /* 0: none */
	const char *comment;        /* or NULL */
};

/* Something that was not carried over, and of which nodes. */
struct import_note {
	const char *text;
	struct strvec nodes; /* names there; may be empty */
};

struct import_model {
	struct arena arena;
	const char *lab;        /* legal name of the lab */
	const char *what;       /* "a topology of containerlab", ... */
	const char *file;       /* what was imported, as the user named it */
	const char *comment;    /* a description that the lab has, or NULL */
	const char *remark;     /* on the cables: one line, or NULL */
	bool keep_auto_address; /* nothing in the lab gives addresses: vbet does */
	bool has_duplicates;    /* an address is used more than once, on purpose */
	VEC(struct import_node) nodes;
	VEC(struct import_link) links;
	VEC(struct import_note) notes;
	bool is_next_nic;   /* each link takes the next NIC of its nodes: its number says nothing */
	const char *list;   /* name of a list of all guests that the script makes, or NULL */
	const char *epilog; /* lines of the script after all nodes, or NULL */
	size_t n_items;
	bool full;
	uint32_t *by_name; /* places of nodes + 1, by the hash of their names; owned */
	size_t by_name_cap;
};

void model_init(struct import_model *m, const char *file, const char *what);
void model_finish(struct import_model *m);
/* A lab's name of any text. */
void model_set_lab(struct import_model *m, const char *name);

/* Adds a node; returns its place. When the model is full, that of the last one. */
size_t model_add_node(struct import_model *m, const char *was, enum import_kind kind);
/* The place of the node that had this name, or -1. */
long model_find_node(const struct import_model *m, const char *was);
/* The NIC with this number (from 0), with all before it. NULL: a node has not so many. */
struct import_nic *model_nic(struct import_model *m, size_t node, size_t nic);
/* The place of the next NIC that is in no cable, at least `from`. */
size_t model_free_nic(struct import_model *m, size_t node, size_t from);
/* Both ends must exist. The link is valid until the next one. */
struct import_link *model_add_link(struct import_model *m, struct import_end a,
				   struct import_end b);
/* A later file of the same path takes the place of an earlier one. */
void model_add_file(struct import_model *m, size_t node, const struct import_file *f);
void model_add_command(struct import_model *m, size_t node, const struct import_command *c);
void model_add_service(struct import_model *m, size_t node, const char *name);
/* `was`: the node of which it is said, or NULL. Equal texts become one note of several nodes. */
void model_note(struct import_model *m, const char *was, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Chooses names, and takes those addresses, routes and sysctls out of the commands that the
 * language can say: what it would refuse (an address twice, a gateway in no network) stays a
 * command.
 */
void model_settle(struct import_model *m);
/* 0, or -1: the lab is larger than a lab of ours can be. */
int model_check_size(const struct import_model *m, struct err *e);

#endif
