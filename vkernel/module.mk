# SPDX-License-Identifier: GPL-3.0-or-later
# Process 1 of guests and the jail that starts them: both static, and small. With a sanitizer they
# are ordinary programs, for the tests on the host.
VKERNEL_INIT_OBJS   := $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard vkernel/init/*.c)))
VKERNEL_LAUNCH_OBJS := $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard vkernel/launch/*.c)))
VKERNEL_BINS        := $(B)/vbet-init $(B)/vbet-launch
LIBVKERNEL          := $(B)/vkernel/libvkernel.a
BINS                += $(VKERNEL_BINS)

$(LIBVKERNEL): $(VKERNEL_INIT_OBJS) $(VKERNEL_LAUNCH_OBJS)
$(B)/vbet-init: $(B)/vkernel/init/main.o $(LIBVKERNEL) $(LIBVBET)
$(B)/vbet-launch: $(B)/vkernel/launch/main.o $(LIBVKERNEL) $(LIBVBET)
$(VKERNEL_BINS): LDFLAGS += $(if $(SAN),,-static -Wl,--gc-sections -s)
