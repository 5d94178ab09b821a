# SPDX-License-Identifier: GPL-3.0-or-later
# Process 1 of guests and the jail that starts them: static, and small, as every guest has one of
# each. With musl (Debian: musl-tools) process 1 is an eighth of what it is with glibc, and a guest
# 0.7 MB smaller; both work. With a sanitizer they are ordinary programs, for tests on the host.
VKERNEL_INIT_SRCS   := $(wildcard vkernel/init/*.c)
VKERNEL_LAUNCH_SRCS := $(wildcard vkernel/launch/*.c)
VKERNEL_LIB_SRCS    := $(addprefix lib/,addr.c arena.c base64.c console_log.c err.c loop.c netlink.c slice.c sock.c userns.c words.c xalloc.c)
VKERNEL_BINS        := $(B)/vbet-init $(B)/vbet-launch
BINS                += $(VKERNEL_BINS)

LIBVKERNEL := $(B)/vkernel/libvkernel.a
$(LIBVKERNEL): $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(VKERNEL_INIT_SRCS) $(VKERNEL_LAUNCH_SRCS)))

SMALL_CC := $(if $(SAN),$(CC),$(shell command -v musl-gcc || echo $(CC)))
# The headers of the kernel lie with those of glibc: looked at last.
SMALL_FLAGS = -std=c11 $(if $(SAN),$(OPT),-Os -g) $(filter-out -std=% -O% -g,$(CFLAGS)) -ffunction-sections \
              -fdata-sections -include vkernel/init/compat.h \
              $(if $(findstring musl,$(SMALL_CC)),-idirafter /usr/include \
              -idirafter /usr/include/$(shell $(CC) -print-multiarch))
$(B)/small/%.o: %.c
	@mkdir -p $(@D)
	$(SMALL_CC) $(CPPFLAGS) $(SMALL_FLAGS) -MMD -MP -c $< -o $@

$(B)/vbet-init: $(patsubst %.c,$(B)/small/%.o,$(VKERNEL_INIT_SRCS) $(VKERNEL_LIB_SRCS))
$(B)/vbet-launch: $(patsubst %.c,$(B)/small/%.o,$(VKERNEL_LAUNCH_SRCS) $(VKERNEL_LIB_SRCS))
$(VKERNEL_BINS): private CC = $(SMALL_CC)
$(VKERNEL_BINS): LDFLAGS += $(if $(SAN),,-static -Wl,--gc-sections -s)
