/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/overlay/message.h"

#include "lib/octets.h"
#include "lib/rng.h"
#include "lib/xalloc.h"

#include <assert.h>
#include <string.h>

enum { AT_AUTHENTICATOR = 44 };

static const struct {
	const char *name;
	bool is_answer;
} types[] = {
	[SMSG_HELLO] = {"hello", false},
	[SMSG_WORKING] = {"working", true},
	[SMSG_REFUSED] = {"refused", true},
	[SMSG_SETUP] = {"setup", false},
	[SMSG_SETUP_OK] = {"setup-ok", true},
	[SMSG_RELEASE] = {"release", false},
	[SMSG_RELEASED] = {"released", true},
	[SMSG_FAILED] = {"failed", false},
	[SMSG_FAILED_OK] = {"failed-ok", true},
	[SMSG_MTU] = {"mtu", false},
	[SMSG_MTU_OK] = {"mtu-ok", true},
	[SMSG_RATE] = {"rate", false},
	[SMSG_RATE_OK] = {"rate-ok", true},
	[SMSG_AGGREGATE] = {"aggregate", false},
	[SMSG_AGGREGATE_OK] = {"aggregate-ok", true},
	[SMSG_JOIN] = {"join", false},
	[SMSG_JOIN_OK] = {"join-ok", true},
	[SMSG_LEAVE] = {"leave", false},
	[SMSG_LEFT] = {"left", true},
};
static_assert(ARRAY_LEN(types) == SMSG_TYPES, "types out of step with enum smsg_type");

static const char *const drop_names[] = {
	[SMSG_GOOD] = "good",
	[SMSG_DROP_SHORT] = "short",
	[SMSG_DROP_VERSION] = "version",
	[SMSG_DROP_KEY] = "unknown-key",
	[SMSG_DROP_AUTHENTICATOR] = "forged",
	[SMSG_DROP_RECEIVER] = "not-for-us",
	[SMSG_DROP_REPLAY] = "replay",
	[SMSG_DROP_BODY] = "bad-words",
	[SMSG_DROP_STATE] = "unexpected",
};
static_assert(ARRAY_LEN(drop_names) == SMSG_DROPS, "drop_names out of step with enum smsg_drop");

const char *smsg_type_name(unsigned type)
{
	return type > 0 && type < SMSG_TYPES ? types[type].name : "?";
}

const char *smsg_drop_name(enum smsg_drop why)
{
	return drop_names[why];
}

bool smsg_is_answer(enum smsg_type type)
{
	return types[type].is_answer;
}

uint64_t smsg_id(const char *name)
{
	uint64_t h = hash_fnv1a(name, strlen(name), HASH_FNV1A_START);

	return h ? h : 1;
}

void smsg_key_init(struct smsg_key *k, const uint8_t octets[SIPHASH_KEY])
{
	memcpy(k->octets, octets, SIPHASH_KEY);
	k->id = (uint16_t)siphash24(octets, "key id", 6);
}

int smsg_key_parse(struct smsg_key *k, const char *hex, struct err *e)
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
	smsg_key_init(k, octets);
	return 0;
}

/* Over head and body, the place of the authenticator itself as zeroes. */
static uint64_t authenticate(const uint8_t *data, size_t len, const struct smsg_key *k)
{
	uint8_t copy[SMSG_MAX];

	memcpy(copy, data, len);
	memset(copy + AT_AUTHENTICATOR, 0, 8);
	return siphash24(k->octets, copy, len);
}

size_t smsg_write(uint8_t buf[SMSG_MAX], const struct smsg *m, const struct smsg_key *k)
{
	size_t len = SMSG_HEAD + m->body_len;

	if (m->body_len > SMSG_BODY_MAX)
		return 0;
	memset(buf, 0, SMSG_HEAD);
	buf[0] = SMSG_VERSION;
	buf[1] = (uint8_t)m->type;
	put_be16(buf + 2, k->id);
	put_be32(buf + 4, m->sequence);
	put_be64(buf + 8, m->sender);
	put_be64(buf + 16, m->receiver);
	put_be64(buf + 24, m->link);
	put_be64(buf + 32, m->number);
	put_be16(buf + 40, (uint16_t)m->body_len);
	if (m->body_len)
		memcpy(buf + SMSG_HEAD, m->body, m->body_len);
	put_be64(buf + AT_AUTHENTICATOR, authenticate(buf, len, k));
	return len;
}

enum smsg_drop smsg_read(const uint8_t *data, size_t len, const struct smsg_key *k, struct smsg *m)
{
	if (len < SMSG_HEAD || get_be16(data + 40) > SMSG_BODY_MAX ||
	    get_be16(data + 40) > len - SMSG_HEAD)
		return SMSG_DROP_SHORT;
	len = SMSG_HEAD + get_be16(data + 40);
	if (data[0] != SMSG_VERSION || data[1] < SMSG_HELLO || data[1] >= SMSG_TYPES)
		return SMSG_DROP_VERSION;
	if (get_be16(data + 2) != k->id)
		return SMSG_DROP_KEY;
	if (get_be64(data + AT_AUTHENTICATOR) != authenticate(data, len, k))
		return SMSG_DROP_AUTHENTICATOR;
	*m = (struct smsg){
		.type = (enum smsg_type)data[1],
		.sequence = get_be32(data + 4),
		.sender = get_be64(data + 8),
		.receiver = get_be64(data + 16),
		.link = get_be64(data + 24),
		.number = get_be64(data + 32),
		.body = (const char *)data + SMSG_HEAD,
		.body_len = len - SMSG_HEAD,
	};
	return SMSG_GOOD;
}

enum smsg_type smsg_type_of(const uint8_t *data)
{
	return (enum smsg_type)data[1];
}

bool smsg_is_to_strangers(const uint8_t *data, size_t len)
{
	return len >= SMSG_HEAD && data[1] == SMSG_HELLO && get_be32(data + 4) != 0;
}

int smsg_stream_length(const uint8_t *data, size_t len)
{
	if (len < SMSG_HEAD)
		return len && data[0] != SMSG_VERSION ? -1 : 0;
	int total = SMSG_HEAD + get_be16(data + 40);

	if (data[0] != SMSG_VERSION || total > SMSG_MAX)
		return -1;
	return len < (size_t)total ? 0 : total;
}

bool smsg_window_take(struct smsg_window *w, uint64_t number)
{
	if (number > w->top) {
		uint64_t ahead = number - w->top;

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
