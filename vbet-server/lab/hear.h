/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What substrate processes say without being asked. */
#ifndef VBET_SERVER_LAB_HEAR_H
#define VBET_SERVER_LAB_HEAR_H

struct carrier;

/* on_event and on_lost of a carrier whose ctx is the lab. */
void hear_event(struct carrier *s, const char *line);
void hear_lost(struct carrier *s);

#endif
