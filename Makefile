# SPDX-License-Identifier: GPL-3.0-or-later
# vbet: one non-recursive Makefile. Each room adds itself through its module.mk:
#   LIB_<room> := objects of its archive     BINS += programs     TESTS += unit test programs
# `make SAN=address,undefined ...` builds the same into a tree of its own.

MAKEFLAGS += --no-builtin-rules
SHELL     := /bin/bash
comma     := ,
B         := build$(if $(SAN),/$(subst $(comma),-,$(SAN)))$(if $(filter clang,$(CC)),/clang)
ifeq ($(origin CC),default)
CC        := gcc
endif
PREFIX    ?= /usr/local
WARN      := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
 -Wvla -Wundef -Wformat=2 -Wno-unused-parameter
WERROR    ?= -Werror
OPT       ?= -O2 -g
CPPFLAGS  += -I. -I$(B) -D_GNU_SOURCE -DVBET_PREFIX='"$(PREFIX)"'
CFLAGS    += -std=c11 $(OPT) $(WARN) $(WERROR) -fno-strict-aliasing \
             $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
LDFLAGS   += $(if $(SAN),-fsanitize=$(SAN))

BINS  :=
TESTS :=

.PHONY: all
all: programs

.SECONDEXPANSION:
include $(sort $(wildcard */module.mk))

.PHONY: programs
programs: $(BINS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/%.o: $(B)/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# An archive of a room: its objects are the prerequisites.
$(B)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $(filter %.o,$^)

$(BINS) $(TESTS):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o %.a,$^) -o $@ $(LDLIBS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf build vbet
