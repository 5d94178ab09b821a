# SPDX-License-Identifier: GPL-3.0-or-later
LIBSUBSTRATE := $(B)/substrate/libsubstrate.a
$(LIBSUBSTRATE): $(patsubst %.c,$(B)/%.o,$(wildcard substrate/*/*.c))

# Tests of devices drive them with the other side of the protocol.
$(B)/tests/unit/substrate_vhost_test $(B)/tests/unit/substrate_vhost_config_test \
$(B)/tests/unit/substrate_vhost_segment_test $(B)/tests/unit/substrate_vhost_sleep_test \
$(B)/tests/unit/substrate_rx_filter_test: $(B)/tests/support/vuser.o $(B)/tests/support/tcpframe.o
$(B)/tests/unit/substrate_trunk_test $(B)/tests/unit/substrate_lent_test \
$(B)/tests/unit/substrate_lent_ends_test: $(B)/tests/support/tcpframe.o
$(B)/tests/unit/substrate_offload_test $(B)/tests/unit/substrate_frame_test: $(B)/tests/support/tcpframe.o
$(B)/tests/unit/substrate_lent_test $(B)/tests/unit/substrate_lent_ends_test \
$(B)/tests/unit/substrate_disk_test $(B)/tests/unit/substrate_channel_test \
$(B)/tests/unit/substrate_vclock_guest_test: $(B)/tests/support/vuser.o
$(B)/tests/unit/substrate_snapshot_test: $(B)/tests/support/vuser.o $(B)/tests/support/vguest.o $(B)/tests/support/vlab.o \
 | $(B)/vsubstrate

$(B)/tests/unit/substrate_slirp_test: LDLIBS += -lslirp
# These drive all of the control table.
$(B)/tests/unit/substrate_overlay_test $(B)/tests/unit/substrate_overlay_lan_test $(B)/tests/unit/substrate_isolation_test \
$(B)/tests/unit/substrate_control_test $(B)/tests/fuzz/substrate_overlay_fuzz: LDLIBS += -lslirp -lpcap

# `make bench-substrate`: frames per second through NICs, cables and a switch, without guests.
TESTS += $(B)/tests/bench/substrate_frames
$(B)/tests/bench/substrate_frames: $(B)/tests/bench/substrate_frames.o $(B)/tests/support/vuser.o \
	$$(LIBVSWITCH) $$(LIBSUBSTRATE) $$(LIBVBET)
.PHONY: bench-substrate
bench-substrate: $(B)/tests/bench/substrate_frames
	$<
$(B)/tests/fuzz/substrate_vhost_fuzz: $(B)/tests/support/vuser.o $(B)/tests/support/tcpframe.o
$(B)/tests/fuzz/substrate_disk_fuzz: $(B)/tests/support/vuser.o

# `make bench-htb`: what the scheduler in front of a substrate interface costs.
TESTS += $(B)/tests/bench/substrate_htb
$(B)/tests/bench/substrate_htb: $(B)/tests/bench/substrate_htb.o $$(LIBSUBSTRATE) $$(LIBVBET)
.PHONY: bench-htb
bench-htb: $(B)/tests/bench/substrate_htb
	$<
