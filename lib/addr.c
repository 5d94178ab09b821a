/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses of both families in one form: sixteen octets in network order, of which IPv4 uses the
 * first four and leaves the others zero. So comparing, masking and sorting are the same code for
 * both, and sorting by octets sorts by number.
 *
 * A prefix belongs to an address, since scripts, guests and routes nearly always have the two
 * together; ADDR_NO_PREFIX says that none was given, which differs from /32.
 *
 * What cannot be right as the address of a NIC is refused here with the reason
 * (addr_check_for_nic()), and a mistyped one with what is wrong in it: inet_pton() says only that
 * it is.
 */
#include "lib/addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

unsigned addr_bits(const struct addr *a)
{
	return a->family == AF_INET ? 32 : 128;
}

/*
 * Says what is wrong with an IPv4 address that inet_pton() refused. Only for the message: what is
 * right is decided by inet_pton(). The number stops growing at 1000, so a long one cannot wrap
 * around to a small one.
 */
static int explain_ipv4(const char *text, struct err *e)
{
	unsigned parts = 0;

	for (const char *p = text; *p; parts++) {
		unsigned v = 0;

		for (; isdigit((unsigned char)*p) && v < 1000; p++)
			v = v * 10 + (unsigned)(*p - '0');
		if (v > 255)
			return err_set(e, ERR_USAGE,
				       "'%s' is not an IPv4 address: no part is more than 255",
				       text);
		if (*p == '.')
			p++;
		else if (*p)
			break;
	}
	if (parts != 4)
		return err_set(e, ERR_USAGE, "'%s' is not an IPv4 address: it has four numbers",
			       text);
	return err_set(e, ERR_USAGE, "'%s' is not an IPv4 address", text);
}

/* No zero in front: what is taken is what addr_format() writes. */
static int parse_prefix(const char *text, struct addr *out, struct err *e)
{
	unsigned v = 0;
	const char *p = text;

	for (; isdigit((unsigned char)*p) && v < 1000; p++)
		v = v * 10 + (unsigned)(*p - '0');
	if (p == text || *p || (*text == '0' && text[1]))
		return err_set(e, ERR_USAGE, "'/%s' is not a prefix length", text);
	if (v > addr_bits(out))
		return err_set(e, ERR_USAGE, "bad prefix /%s: %s has only %u bits", text,
			       out->family == AF_INET ? "an IPv4 address" : "an IPv6 address",
			       addr_bits(out));
	out->prefix = v;
	return 0;
}

int addr_parse(const char *text, size_t len, struct addr *out, struct err *e)
{
	char buf[64];

	if (len >= sizeof(buf) || memchr(text, '\0', len))
		return err_set(e, ERR_USAGE, "'%.*s...' is not an address", 40, text);
	memcpy(buf, text, len);
	buf[len] = '\0';
	char *slash = strchr(buf, '/');

	if (slash)
		*slash++ = '\0';
	memset(out, 0, sizeof(*out));
	out->family = strchr(buf, ':') ? AF_INET6 : AF_INET;
	out->prefix = ADDR_NO_PREFIX;
	if (inet_pton(out->family, buf, out->bytes) != 1) {
		if (out->family == AF_INET && isdigit((unsigned char)*buf))
			return explain_ipv4(buf, e);
		return err_set(e, ERR_USAGE, "'%s' is not an %s address", buf,
			       out->family == AF_INET ? "IPv4" : "IPv6");
	}
	return slash ? parse_prefix(slash, out, e) : 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return p ? (int)(p - digits) : -1;
}

/*
 * NICs of a lab only: multicast addresses and the one of zeros cannot be a sender, and a guest's
 * kernel would refuse them later with less of a reason.
 */
int addr_parse_mac(const char *text, size_t len, uint8_t mac[6], struct err *e)
{
	bool ok = len == 17;
	uint8_t any = 0;

	for (size_t i = 0; ok && i < 6; i++) {
		int high = hex_digit(text[3 * i]);
		int low = hex_digit(text[3 * i + 1]);

		ok = high >= 0 && low >= 0 && (i == 5 || text[3 * i + 2] == ':');
		mac[i] = ok ? (uint8_t)(high * 16 + low) : 0;
		any |= mac[i];
	}
	if (!ok)
		return err_set(e, ERR_USAGE,
			       "'%.*s' is not a MAC address; one looks like 02:00:00:00:00:01",
			       len > 40 ? 40 : (int)len, text);
	if (mac[0] & 1)
		return err_set(e, ERR_USAGE, "'%.17s' is a multicast address, not the MAC of a NIC",
			       text);
	if (!any)
		return err_set(e, ERR_USAGE, "'%.17s' is not the MAC of a NIC", text);
	return 0;
}

bool addr_same(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* Whole octets first, then the bits of the one in which the prefix ends. */
static bool same_bits(const struct addr *a, const struct addr *b, unsigned bits)
{
	if (a->family != b->family)
		return false;
	if (memcmp(a->bytes, b->bytes, bits / 8) != 0)
		return false;
	unsigned mask = 0xff00u >> (bits % 8) & 0xff;

	return !(bits % 8) || !((a->bytes[bits / 8] ^ b->bytes[bits / 8]) & mask);
}

bool addr_in_net(const struct addr *a, const struct addr *net)
{
	return same_bits(a, net, net->prefix);
}

bool addr_nets_overlap(const struct addr *a, const struct addr *b)
{
	return same_bits(a, b, a->prefix < b->prefix ? a->prefix : b->prefix);
}

bool addr_is_link_local(const struct addr *a)
{
	return a->family == AF_INET ? a->bytes[0] == 169 && a->bytes[1] == 254
				    : a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

struct addr addr_network(const struct addr *a)
{
	struct addr net = *a;

	for (unsigned bit = a->prefix; bit < addr_bits(a); bit++)
		net.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return net;
}

bool addr_has_host_bits(const struct addr *a)
{
	struct addr net = addr_network(a);

	return !addr_same(a, &net);
}

bool addr_is_last(const struct addr *a)
{
	for (unsigned bit = a->prefix; bit < addr_bits(a); bit++)
		if (!(a->bytes[bit / 8] & 0x80u >> bit % 8))
			return false;
	return true;
}

/*
 * Adds n << shift and refuses what goes past the family's last address. 128 bits hold any address
 * as a number; that n << shift fits is checked before it is computed, as is the sum.
 */
int addr_add_shifted(struct addr *a, uint64_t n, unsigned shift)
{
	unsigned __int128 v = 0;
	unsigned bytes = addr_bits(a) / 8;
	unsigned __int128 top = bytes == 4 ? UINT32_MAX : ~(unsigned __int128)0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | a->bytes[i];
	if (n && (shift >= addr_bits(a) || n > top >> shift))
		return -1;
	unsigned __int128 add = shift < 128 ? (unsigned __int128)n << shift : 0;

	if (add > top - v)
		return -1;
	v += add;
	for (unsigned i = bytes; i-- > 0; v >>= 8)
		a->bytes[i] = (uint8_t)v;
	return 0;
}

/* Subtracts n; -1 if that goes below zero. */
static int subtract(struct addr *a, uint64_t n)
{
	unsigned __int128 v = 0;
	unsigned bytes = addr_bits(a) / 8;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | a->bytes[i];
	if (n > v)
		return -1;
	v -= n;
	for (unsigned i = bytes; i-- > 0; v >>= 8)
		a->bytes[i] = (uint8_t)v;
	return 0;
}

/*
 * The n-th neighbour. With a prefix it must stay in its network: "the next address" past the end of
 * a subnet is a mistake in a script, not the first one of the next subnet.
 */
int addr_add(struct addr *a, int64_t n)
{
	struct addr before = *a;
	int rc = n < 0 ? subtract(a, -(uint64_t)n) : addr_add_shifted(a, (uint64_t)n, 0);

	if (rc < 0)
		return -1;
	return a->prefix == ADDR_NO_PREFIX || addr_in_net(a, &before) ? 0 : -1;
}

/* IPv4 before IPv6, then by number, then the wider network first. */
int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family == AF_INET ? -1 : 1;
	int c = memcmp(a->bytes, b->bytes, sizeof(a->bytes));

	return c ? c : (int)a->prefix - (int)b->prefix;
}

/*
 * A prefix of /31 (RFC 3021), /127 (RFC 6164) or a single address has neither network nor broadcast
 * address, so the checks for those end before. IPv6 has no broadcast, but its subnet-router anycast
 * address (RFC 4291, section 2.6.1) is the network itself, too.
 */
int addr_check_for_nic(const struct addr *a, struct err *e)
{
	static const uint8_t zero[16];
	char text[64];
	bool v4 = a->family == AF_INET;

	addr_format(a, a->prefix != ADDR_NO_PREFIX, text, sizeof(text));
	if (a->prefix == ADDR_NO_PREFIX)
		return err_set(e, ERR_USAGE, "%s needs a prefix length here, such as %s/%d", text,
			       text, v4 ? 24 : 64);
	if (!memcmp(a->bytes, zero, sizeof(zero)))
		return err_set(e, ERR_USAGE, "%s cannot be the address of a NIC", text);
	if (v4 && a->bytes[0] == 127)
		return err_set(e, ERR_USAGE, "%s is a loopback address", text);
	if (v4 ? a->bytes[0] >= 224 : a->bytes[0] == 0xff)
		return err_set(e, ERR_USAGE, "%s is not a unicast address", text);
	if (a->prefix == 0)
		return err_set(e, ERR_USAGE, "%s has the prefix /0, which covers everything", text);
	if (a->prefix >= addr_bits(a) - 1)
		return 0;
	if (!addr_has_host_bits(a))
		return err_set(e, ERR_USAGE, "%s is the network itself, not an address in it",
			       text);
	if (v4 && addr_is_last(a))
		return err_set(e, ERR_USAGE, "%s is the broadcast address of its network", text);
	return 0;
}

const char *addr_format(const struct addr *a, bool with_prefix, char *buf, size_t size)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(a->family, a->bytes, text, sizeof(text));
	if (with_prefix)
		snprintf(buf, size, "%s/%u", text, a->prefix);
	else
		snprintf(buf, size, "%s", text);
	return buf;
}

const char *addr_format_mac(const uint8_t mac[6], char *buf, size_t size)
{
	snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	return buf;
}
