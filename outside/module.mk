# SPDX-License-Identifier: GPL-3.0-or-later
# What the lab has of the host: interfaces, in a namespace of their own where the user has no rights.
LIBOUTSIDE := $(B)/outside/liboutside.a
$(LIBOUTSIDE): $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard outside/*.c)))

BINS += $(B)/vbet-outside
$(B)/vbet-outside: $(B)/outside/main.o $(LIBOUTSIDE) $$(LIBVBET)
