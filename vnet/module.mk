# SPDX-License-Identifier: GPL-3.0-or-later
# libvnet is for everybody's programs: one object that shows nothing but vnet_*, with what it needs of lib inside.
VNET_PUBLIC := vnet/nic.c vnet/conf.c vnet/table.c vnet/endpoint.c vnet/control.c
LIBVNET     := $(B)/vnet/libvnet.a
$(B)/vnet/all.o: $(VNET_PUBLIC:%.c=$(B)/%.o) $(LIBVBET)
	ld -r -o $@ $(VNET_PUBLIC:%.c=$(B)/%.o) $(LIBVBET)
	objcopy --wildcard --keep-global-symbol='vnet_*' $@
$(LIBVNET): $(B)/vnet/all.o

# The multiplexer: everything else of this room.
LIBMUX := $(B)/vnet/libmux.a
$(LIBMUX): $(patsubst %.c,$(B)/%.o,$(filter-out $(VNET_PUBLIC) vnet/main.c,$(wildcard vnet/*.c)))

BINS += $(B)/vnet-mux
programs: $(LIBVNET)
$(B)/vnet-mux: $(B)/vnet/main.o $(LIBMUX) $(VNET_PUBLIC:%.c=$(B)/%.o) $(LIBVBET)
$(B)/vnet-mux: LDLIBS += -lpcap
