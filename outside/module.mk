# SPDX-License-Identifier: GPL-3.0-or-later
# What the lab has of the host: interfaces, in a namespace of their own where the user has no rights.
BINS += $(B)/vbet-outside
$(B)/vbet-outside: $(patsubst %.c,$(B)/%.o,$(wildcard outside/*.c)) $$(LIBVBET)
