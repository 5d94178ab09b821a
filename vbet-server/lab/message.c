/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages to agents, as lines of a record: what was typed into a guest is part of a run.
 *
 * Text is kept as text, so that a record can be read, and searched; anything else is in
 * hexadecimal. Channels keep their numbers: later messages name them, and a repeated run must open
 * the same ones. Only what goes to a guest is recorded; what comes from it follows.
 */
#include "vbet-server/lab/message.h"

#include "lib/units.h"
#include "vbet-server/lab/lab.h"

#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {
	[WIRE_EXEC] = "exec",       [WIRE_PUT] = "put",       [WIRE_GET] = "get",
	[WIRE_DATA] = "data",       [WIRE_EOF] = "eof",       [WIRE_WINDOW_ADD] = "window",
	[WIRE_SIGNAL] = "signal",   [WIRE_RESIZE] = "resize", [WIRE_CLOSE] = "close",
	[WIRE_CONTROL] = "control", [WIRE_LOOK] = "look",
};

/* A NUL would end the text of a word, so such bytes are written in hexadecimal. */
void message_record(struct lab *lab, const char *node, uint32_t channel, uint8_t type,
		    const void *data, uint32_t len)
{
	struct arena a = {0};
	const uint8_t *p = data;
	char *words[5] = {"agent", (char *)node, arena_printf(&a, "%u", channel),
			  (char *)type_names[type]};
	bool is_text = type == WIRE_EXEC || type == WIRE_PUT || type == WIRE_GET ||
		       type == WIRE_DATA || type == WIRE_CONTROL || type == WIRE_LOOK;

	if (len && is_text && !memchr(data, '\0', len)) {
		words[4] = arena_printf(&a, "text=%.*s", (int)len, (const char *)data);
	} else if (len) {
		char *hex = arena_alloc(&a, 4 + 2 * (size_t)len + 1);

		memcpy(hex, "hex=", 5);
		for (uint32_t i = 0; i < len; i++)
			snprintf(hex + 4 + 2 * (size_t)i, 3, "%02x", p[i]);
		words[4] = hex;
	}
	input_record(lab, words, words[4] ? 5 : 4);
	arena_finish(&a);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* What follows the type: bytes in the arena. */
static int read_payload(struct arena *a, const struct words *w, const char **data, size_t *len,
			struct err *e)
{
	const char *text = words_get(w, "text");
	const char *hex = words_get(w, "hex");

	*data = text ? text : "";
	*len = strlen(*data);
	if (!hex)
		return 0;
	char *bytes = arena_alloc(a, strlen(hex) / 2 + 1);

	for (*len = 0; hex[0] && hex[1]; hex += 2) {
		int high = hex_digit(hex[0]);
		int low = hex_digit(hex[1]);

		if (high < 0 || low < 0)
			return err_set(e, ERR_USAGE, "these are no hexadecimal bytes");
		bytes[(*len)++] = (char)(high << 4 | low);
	}
	*data = bytes;
	return 0;
}

/* agent NODE CHANNEL TYPE [text=TEXT|hex=BYTES] */
int message_repeat(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	struct guest *gu = lab_find_guest(lab, w->at[1], e);
	struct arena a = {0};
	const char *data = NULL;
	size_t len = 0;
	int64_t channel;
	uint8_t type = 0;

	if (!gu || unit_parse(UNIT_COUNT, w->at[2], &channel, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
		if (type_names[i] && !strcmp(type_names[i], w->at[3]))
			type = (uint8_t)i;
	if (!type)
		return err_set(e, ERR_USAGE, "no message is called '%s'", w->at[3]);
	int rc = read_payload(&a, w, &data, &len, e);

	if (rc == 0 && !gu->agent.said_hello)
		rc = err_set(e, ERR_ENV, "%s is %s", gu->name, guest_state_name(gu->state));
	if (rc == 0 && len > WIRE_PAYLOAD_MAX)
		rc = err_set(e, ERR_USAGE, "the message is too long");
	if (rc == 0) {
		message_record(lab, gu->name, (uint32_t)channel, type, data, (uint32_t)len);
		agent_send(&gu->agent, (uint32_t)channel, type, data, (uint32_t)len);
		held_see(gu, (uint32_t)channel, type, data, len);
		/* Channels that are opened from now on must not have a number of the record's. */
		if (gu->agent.last_id < channel)
			gu->agent.last_id = (uint32_t)channel;
	}
	arena_finish(&a);
	return rc;
}
