/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent protocol between the server and process 1 of a guest (docs/protocols.md): messages on a
 * byte stream, each a 12-byte head and a payload. One stream carries many channels (one per
 * command, terminal or file). Every channel direction has a window: a sender may have at most
 * WIRE_WINDOW payload bytes of DATA/ERRDATA that the receiver has not granted back, so that one
 * busy channel never fills the memory of either side or starves another.
 */
#ifndef LIB_AGENT_WIRE_H
#define LIB_AGENT_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum {
	WIRE_HEAD = 12,
	WIRE_PAYLOAD_MAX = 65536,
	WIRE_WINDOW = 262144,
	WIRE_VERSION = 1,
};

/* Direction: S from the server, G from the guest. Payloads called "words" are lib/words lines. */
enum wire_type {
	WIRE_HELLO = 1, /* G, channel 0: words "version=1" "kernel=..." ; sent once at start */
	WIRE_EXEC, /* S: words "exec" key=value... "--" argv...: starts a command on a new channel
		    */
	WIRE_PUT,  /* S: words "put" "mode=0644" PATH; then DATA.., EOF; answered by EXIT */
	WIRE_GET,  /* S: words "get" PATH; answered by STAT, DATA.., EOF, EXIT */
	WIRE_DATA, /* both: stdin, stdout, terminal or file bytes */
	WIRE_ERRDATA,    /* G: stderr bytes */
	WIRE_EOF,        /* both: no more DATA in this direction */
	WIRE_WINDOW_ADD, /* both: payload u32: bytes granted back */
	WIRE_SIGNAL,     /* S: payload u32: signal number to the command's process group */
	WIRE_RESIZE,     /* S: payload u16 columns, u16 rows */
	WIRE_EXIT,       /* G: words "status=N" | "signal=N" | "timeout=1" | "error=TEXT"; ends the
			    channel */
	WIRE_CLOSE,      /* S: gives the channel up: the command is killed; answered by EXIT */
	WIRE_STAT,       /* G: words "mode=0644" "size=N" */
	WIRE_EVENT,   /* G, channel 0: words, e.g. "ready" "zebra" / "ready-all" / "failed" NAME WHY
		       */
	WIRE_CONTROL, /* S, channel 0: words, e.g. "poweroff", "nic" ...: see docs/protocols.md */
	WIRE_LOOK, /* S: words "look" [timeout_ms=N] "routes" 4|6 DEST [vnet=NAME], "fib" all all,
		      or "vty" DAEMON COMMAND: what the guest's kernel or a daemon knows, with no
		      process started; answered by DATA.., EXIT */
	WIRE_TYPES,
};

/* All numbers little-endian (guest and host are the same machine: x86-64). */
struct wire_head {
	uint32_t len;     /* of the payload, at most WIRE_PAYLOAD_MAX */
	uint32_t channel; /* chosen by the server, from 1; 0 is the agent itself */
	uint8_t type;     /* enum wire_type */
	uint8_t zero[3];
};

#endif
