/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The format is in message.h. Nothing of a message is acted on before its authenticator is right;
 * the version and the id of the key are looked at before that, but only to say why it is refused:
 * two sites with different keys is a mistake that people make.
 */
#include "substrate/overlay/message.h"

#include "lib/octets.h"
#include "lib/rng.h"
#include "lib/xalloc.h"

#include <assert.h>
#include <string.h>

enum { AT_AUTHENTICATOR = 44 };

static const bool is_answer[MESSAGE_TYPES] = {
	[MESSAGE_WORKING] = true,  [MESSAGE_REFUSED] = true,      [MESSAGE_SETUP_OK] = true,
	[MESSAGE_RELEASED] = true, [MESSAGE_FAILED_OK] = true,    [MESSAGE_MTU_OK] = true,
	[MESSAGE_RATE_OK] = true,  [MESSAGE_AGGREGATE_OK] = true, [MESSAGE_JOIN_OK] = true,
	[MESSAGE_LEFT] = true,
};

static const char *const drop_names[] = {
	[MESSAGE_GOOD] = "good",
	[MESSAGE_DROP_SHORT] = "short",
	[MESSAGE_DROP_VERSION] = "version",
	[MESSAGE_DROP_KEY] = "unknown-key",
	[MESSAGE_DROP_AUTHENTICATOR] = "forged",
	[MESSAGE_DROP_RECEIVER] = "not-for-us",
	[MESSAGE_DROP_REPLAY] = "replay",
	[MESSAGE_DROP_BODY] = "bad-words",
	[MESSAGE_DROP_STATE] = "unexpected",
};
static_assert(ARRAY_LEN(drop_names) == MESSAGE_DROPS,
	      "drop_names out of step with enum message_drop");

const char *message_drop_name(enum message_drop why)
{
	return drop_names[why];
}

bool message_is_answer(enum message_type type)
{
	return is_answer[type];
}

bool message_name_fits(const char *name)
{
	return strlen(name) <= MESSAGE_NAME_MAX;
}

/* Names are hashed, so that a head has a fixed length. 0 stands for nobody. */
uint64_t message_id(const char *name)
{
	uint64_t h = hash_fnv1a(name, strlen(name), HASH_FNV1A_START);

	return h ? h : 1;
}

void message_key_init(struct message_key *k, const uint8_t octets[SIPHASH_KEY])
{
	memcpy(k->octets, octets, SIPHASH_KEY);
	k->id = (uint16_t)siphash24(octets, "key id", 6);
}

int message_key_parse(struct message_key *k, const char *hex, struct err *e)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t octets[SIPHASH_KEY] = {0};

	for (size_t i = 0; i < 2 * sizeof(octets); i++) {
		const char *d = hex[i] ? strchr(digits, hex[i] | 0x20) : NULL;

		if (!d)
			return err_set(e, ERR_USAGE, "a key is 32 hexadecimal digits");
		octets[i / 2] = (uint8_t)(octets[i / 2] << 4 | (d - digits));
	}
	if (hex[2 * sizeof(octets)])
		return err_set(e, ERR_USAGE, "a key is 32 hexadecimal digits");
	message_key_init(k, octets);
	return 0;
}

/* Of head and body, with zeroes where the authenticator itself stands. */
static uint64_t authenticate(const uint8_t *data, size_t len, const struct message_key *k)
{
	uint8_t copy[MESSAGE_MAX]; /* data may be a frame that others read */

	memcpy(copy, data, len);
	memset(copy + AT_AUTHENTICATOR, 0, 8);
	return siphash24(k->octets, copy, len);
}

size_t message_write(uint8_t buf[MESSAGE_MAX], const struct message *m, const struct message_key *k)
{
	size_t len = MESSAGE_HEAD + m->body_len;

	if (m->body_len > MESSAGE_BODY_MAX)
		return 0;
	memset(buf, 0, MESSAGE_HEAD);
	buf[0] = MESSAGE_VERSION;
	buf[1] = (uint8_t)m->type;
	put_be16(buf + 2, k->id);
	put_be32(buf + 4, m->sequence);
	put_be64(buf + 8, m->sender);
	put_be64(buf + 16, m->receiver);
	put_be64(buf + 24, m->link);
	put_be64(buf + 32, m->number);
	put_be16(buf + 40, (uint16_t)m->body_len);
	if (m->body_len)
		memcpy(buf + MESSAGE_HEAD, m->body, m->body_len);
	put_be64(buf + AT_AUTHENTICATOR, authenticate(buf, len, k));
	return len;
}

/*
 * Lengths first, then what is cheap to look at, then the sum over all: garbage costs little, and
 * nothing of a message that is not authentic leaves this function.
 */
enum message_drop message_read(const uint8_t *data, size_t len, const struct message_key *k,
			       struct message *m)
{
	if (len < MESSAGE_HEAD || get_be16(data + 40) > MESSAGE_BODY_MAX ||
	    get_be16(data + 40) > len - MESSAGE_HEAD)
		return MESSAGE_DROP_SHORT;
	len = MESSAGE_HEAD + get_be16(data + 40);
	if (data[0] != MESSAGE_VERSION || data[1] < MESSAGE_HELLO || data[1] >= MESSAGE_TYPES)
		return MESSAGE_DROP_VERSION;
	if (get_be16(data + 2) != k->id)
		return MESSAGE_DROP_KEY;
	if (get_be64(data + AT_AUTHENTICATOR) != authenticate(data, len, k))
		return MESSAGE_DROP_AUTHENTICATOR;
	*m = (struct message){
		.type = (enum message_type)data[1],
		.sequence = get_be32(data + 4),
		.sender = get_be64(data + 8),
		.receiver = get_be64(data + 16),
		.link = get_be64(data + 24),
		.number = get_be64(data + 32),
		.body = (const char *)data + MESSAGE_HEAD,
		.body_len = len - MESSAGE_HEAD,
	};
	return MESSAGE_GOOD;
}

enum message_type message_type_of(const uint8_t *data)
{
	return (enum message_type)data[1];
}

bool message_is_to_strangers(const uint8_t *data, size_t len)
{
	return len >= MESSAGE_HEAD && data[1] == MESSAGE_HELLO && get_be32(data + 4) != 0;
}

/*
 * A first octet that is no version ends a stream at once, before a head is complete: whoever
 * connects and talks another protocol is not waited for.
 */
int message_stream_length(const uint8_t *data, size_t len)
{
	if (len < MESSAGE_HEAD)
		return len && data[0] != MESSAGE_VERSION ? -1 : 0;
	int total = MESSAGE_HEAD + get_be16(data + 40);

	if (data[0] != MESSAGE_VERSION || total > MESSAGE_MAX)
		return -1;
	return len < (size_t)total ? 0 : total;
}

/*
 * The window of RFC 4303, section 3.4.3: bit i stands for the number that is i below the top.
 * Messages may overtake each other by less than 64; what is older cannot be told from a repetition.
 */
bool message_window_take(struct message_window *w, uint64_t number)
{
	if (number > w->top) {
		uint64_t ahead = number - w->top;

		/* A shift by 64 or more is undefined in C. */
		w->seen = ahead < 64 ? w->seen << ahead | 1 : 1;
		w->top = number;
		return true;
	}
	uint64_t behind = w->top - number;

	if (behind >= 64 || w->seen >> behind & 1)
		return false;
	w->seen |= UINT64_C(1) << behind;
	return true;
}
