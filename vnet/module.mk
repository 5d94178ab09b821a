# SPDX-License-Identifier: GPL-3.0-or-later
# libvnet is for everybody's programs: one object that shows nothing but vnet_*, with what it needs of lib inside.
VNET_PUBLIC := $(wildcard vnet/*.c)
LIBVNET     := $(B)/vnet/libvnet.a
$(B)/vnet/all.o: $(VNET_PUBLIC:%.c=$(B)/%.o) $(LIBVBET)
	ld -r -o $@ $(VNET_PUBLIC:%.c=$(B)/%.o) $(LIBVBET)
	objcopy --wildcard --keep-global-symbol='vnet_*' $@
$(LIBVNET): $(B)/vnet/all.o

# The multiplexer: a program that uses what the library has inside.
LIBMUX := $(B)/vnet/libmux.a
$(LIBMUX): $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard vnet/mux/*.c)))

BINS += $(B)/vnet-mux
programs: $(LIBVNET)
$(B)/vnet-mux: $(B)/vnet/mux/main.o $(LIBMUX) $(VNET_PUBLIC:%.c=$(B)/%.o) $(LIBVBET)
$(B)/vnet-mux: LDLIBS += -lpcap -lseccomp

# Trellis, a network of its own: the control daemon, the library for applications, its programs.
TRELLIS_PUBLIC := $(addprefix vnet/trellis/,library.c library_stream.c stream.c stream_control.c node.c \
                  node_forward.c packet.c address.c state.c)
LIBTRELLIS     := $(B)/vnet/trellis/libtrellis-all.a
$(LIBTRELLIS): $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c %/trellisd.c,$(wildcard vnet/trellis/*.c)))

# As libvnet: nothing but trellis_* is seen, and libvnet is what it leaves open.
$(B)/vnet/trellis/all.o: $(TRELLIS_PUBLIC:%.c=$(B)/%.o) $(LIBVBET)
	ld -r -o $@ $(TRELLIS_PUBLIC:%.c=$(B)/%.o) $(LIBVBET)
	objcopy --wildcard --keep-global-symbol='trellis_*' $@
$(B)/vnet/trellis/libtrellis.a: $(B)/vnet/trellis/all.o
programs: $(B)/vnet/trellis/libtrellis.a

BINS += $(B)/trellisd $(B)/trellis
$(B)/trellisd: $(B)/vnet/trellis/trellisd.o $(LIBTRELLIS) $(LIBVNET) $(LIBVBET)
$(B)/trellis: $(B)/vnet/trellis/main.o $(LIBTRELLIS) $(LIBVNET) $(LIBVBET)
