/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Assignments that say something about the whole lab: "lab", "clock", "seed", ... */
#ifndef TOPO_SETTINGS_H
#define TOPO_SETTINGS_H

#include "topo/eval.h"

/* Sets one. False if `name` is no setting, or v no value for it, which has been reported. */
bool setting_assign(struct eval *ev, const char *name, struct loc loc, const struct value *v);
/* The words that a setting takes (perhaps none); NULL if `name` is no setting. */
eval_words *setting_words(const char *name);

#endif
