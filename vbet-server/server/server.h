/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server: one lab, its control socket and the clients on it. A client sends one line of words;
 * the answer is any number of "progress TEXT" and "out TEXT" lines, then "ok" or "error KIND TEXT".
 * After the "ok" of exec, put and get both sides speak wire messages (lib/agent_wire.h) on
 * channel 1.
 */
#ifndef VBET_SERVER_SERVER_SERVER_H
#define VBET_SERVER_SERVER_SERVER_H

#include "lib/conn.h"
#include "lib/words.h"
#include "vbet-server/lab/lab.h"

/* The end of what a terminal has shown, for who comes to it later. */
enum { CLIENT_SEEN_MAX = 4096 };

enum client_state { CLIENT_LINE, CLIENT_RELAY, CLIENT_WAIT };

struct server;
struct client {
	struct conn conn;
	struct server *server;
	uint64_t number; /* no two clients of a server have the same */
	enum client_state state;
	bool asks;                    /* its last line is not answered yet: the next one waits */
	struct agent_channel channel; /* of CLIENT_RELAY */
	struct guest *guest;          /* of CLIENT_RELAY, as long as the channel is open */
	char *awaited;                /* owned; CLIENT_WAIT: a guest; NULL: something else */
	uint32_t owed;                /* CLIENT_RELAY: bytes granted back, not told yet */
	uint32_t heard;    /* CLIENT_RELAY: bytes that came, and that the guest was not told of
			      as granted back */
	uint32_t repeated; /* CLIENT_RELAY: bytes it hears again, granted back before */
	struct loop_timer timeout; /* of CLIENT_WAIT */
	/* CLIENT_WAIT: true when what is waited for has come, or cannot come (e is set). */
	bool (*is_over)(const struct client *c, struct err *e);
	bool json;
	bool is_terminal;      /* CLIENT_RELAY: others may share it */
	struct client *shares; /* CLIENT_RELAY: whose terminal it is in; NULL: in its own */
	bool watches;          /* and only looks */
	char *seen;            /* owned: CLIENT_SEEN_MAX bytes at most; NULL: nothing */
	size_t seen_len;
	bool steps; /* CLIENT_RELAY: a clock that stands shall go on for it, and no longer */
	bool lent;  /* CLIENT_RELAY: the clock goes on for it (clock_lend()) */
	bool holds; /* the lab goes down with this client */
	struct client *next;
	bool dead;
};

struct server {
	struct loop *loop;
	struct lab *lab;
	struct loop_watch listener;
	struct loop_watch signals;
	struct client *clients;
	uint64_t last_client; /* its number */
	struct client *up;    /* who asked for the lab and waits until it is ready, or NULL */
	bool thawing;         /* it was restored, and not all of the lab is back */
	bool held;            /* the lab goes down with that client, also when it is ready */
	bool down_asked;
	char *heir; /* owned: who asked for the end wants the lab's name, and what it keeps to go
		     * back to, there; NULL: nobody does */
	struct err failure; /* why the lab did not come up */
	int exit_code;
};

/* What must be equal in a server's file and the program that restores it. */
extern const char server_imprint_note[];

/* Ends an answer. */
void client_ok(struct client *c);
void client_error(struct client *c, const struct err *e);
/* Sends each line of text as "out". */
void client_out(struct client *c, const char *text, size_t len);

/* Handles one line of a client. */
void request_handle(struct client *c, const char *line, size_t len);
/* Something changed: answers those that wait for it. */
void request_check_waiting(struct server *s);
/* A message of a client in CLIENT_RELAY: how many bytes were used, or -1 if it is none. */
long request_relay(struct client *c, const char *data, size_t len);
void request_client_gone(struct client *c);
/*
 * The client is none of ours any more, and a record says what it will do: its channel stays as it
 * is, a terminal is held (held.h).
 */
void request_client_in_record(struct client *c);
/* The client hears when all of a lab that was restored is back. */
void request_await_thaw(struct client *c);

/*
 * Runs the lab until it is taken down: script and graph are taken over, up_fd is a stream socket to
 * whoever waits for it. Returns the exit status for the process.
 */
int server_run(struct topo_script *script, struct graph *g, const struct lab_options *opt,
	       int up_fd);

#endif
