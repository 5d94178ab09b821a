/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets of VLANs as people write them ("10,20-29"), and frames with a tag put in or taken out.
 *
 * A tag is four octets between the addresses and the type (802.1Q-2018, 9.3): 81-00, then priority
 * and VLAN. Frames have many references and may not be changed, so a tag costs a copy.
 */
#include "vswitch/vlan.h"

#include <stdlib.h>
#include <string.h>

/*
 * A number from 1 to VLAN_MAX at *at, which is moved behind it; 0: there is none. It stops as soon
 * as the number is too large, so no number wraps around into a right one.
 */
static uint16_t read_vid(const char **at)
{
	unsigned v = 0;
	const char *s = *at;

	for (; *s >= '0' && *s <= '9' && v <= VLAN_MAX; s++)
		v = v * 10 + (unsigned)(*s - '0');
	*at = s;
	return v <= VLAN_MAX ? (uint16_t)v : 0;
}

int vlan_parse(const char *text, bool none, uint16_t *vid, struct err *e)
{
	const char *at = text;
	uint16_t v = read_vid(&at);

	if (none && !strcmp(text, "none"))
		v = 0;
	else if (!v || *at)
		return err_set(e, ERR_USAGE, "'%s' is not a VLAN from 1 to %d%s", text, VLAN_MAX,
			       none ? " or none" : "");
	*vid = v;
	return 0;
}

int vlan_parse_set(const char *text, struct vlan_set *s, struct err *e)
{
	const char *at = text;

	*s = (struct vlan_set){0};
	if (!strcmp(text, "all"))
		at = "1-4094";
	do {
		uint16_t from = read_vid(&at);
		uint16_t to = from;

		if (*at == '-') {
			at++;
			to = read_vid(&at);
		}
		if (!from || to < from || (*at && *at != ','))
			return err_set(e, ERR_USAGE, "'%s' is not a list of VLANs such as 10,20-29",
				       text);
		for (; from <= to; from++)
			vlan_add(s, from);
	} while (*at++ == ',');
	return 0;
}

/* Others may have references to f: it is not changed. A copy whose tag has `new_len` bytes, not yet
 * written, instead of old_len. */
static struct frame *copy_around_tag(const struct frame *f, uint32_t old_len, uint32_t new_len)
{
	struct frame *c = frame_get(f->pool, f->len - old_len + new_len);

	if (!c)
		return NULL;
	memcpy(c->data, f->data, VLAN_TAG_AT);
	memcpy(c->data + VLAN_TAG_AT + new_len, f->data + VLAN_TAG_AT + old_len,
	       f->len - VLAN_TAG_AT - old_len);
	return c;
}

struct frame *vlan_with_tag(const struct frame *f, uint16_t tci)
{
	struct frame *c = copy_around_tag(f, vlan_is_tagged(f) ? VLAN_TAG : 0, VLAN_TAG);

	if (!c)
		return NULL;
	c->data[VLAN_TAG_AT] = 0x81;
	c->data[VLAN_TAG_AT + 1] = 0x00;
	c->data[VLAN_TAG_AT + 2] = (uint8_t)(tci >> 8);
	c->data[VLAN_TAG_AT + 3] = (uint8_t)tci;
	return c;
}

struct frame *vlan_without_tag(const struct frame *f)
{
	return copy_around_tag(f, vlan_is_tagged(f) ? VLAN_TAG : 0, 0);
}
