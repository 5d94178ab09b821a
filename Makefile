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
VERSION   := $(shell cat VERSION)
WARN      := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
 -Wvla -Wundef -Wformat=2 -Wno-unused-parameter
WERROR    ?= -Werror
OPT       ?= -O2 -g
CPPFLAGS  += -I. -I$(B) -D_GNU_SOURCE -DVBET_PREFIX='"$(PREFIX)"' -DVBET_VERSION='"$(VERSION)"'
CFLAGS    += -std=c11 -ffile-prefix-map=$(CURDIR)=. $(OPT) $(WARN) $(WERROR) -fno-strict-aliasing \
             $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
LDFLAGS   += $(if $(SAN),-fsanitize=$(SAN))
# The frame path runs through many small functions of several rooms: what carries it is optimised as one when it is
# linked (docs/benchmarks.md). The objects hold ordinary code, too, for the tests, which are many and link quickly. Not lib:
# libvnet has it inside, and ar would list what the compiler left there for the linker instead of vnet_*.
LTO       := $(if $(SAN)$(findstring clang,$(CC)),,-flto=auto -ffat-lto-objects -frandom-seed=vbet)
LDFLAGS   += $(if $(LTO),-fno-lto)
LTO_ROOMS := substrate obj/vhub obj/vswitch obj/vsubstrate

BINS  :=
TESTS :=

# The first target: everything that is needed to run a lab.
.PHONY: all
all: programs $(if $(SAN),,guest)

.SECONDEXPANSION:
include $(sort $(wildcard */module.mk))

$(LTO_ROOMS:%=$(B)/%/%.o): CFLAGS += $(LTO)
$(B)/vsubstrate $(filter $(B)/tests/bench/%,$(TESTS)): LDFLAGS += $(LTO)

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

-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)

# The guest's kernel and file systems: built once, kept in ~/.cache/vbet (or $VBET_CACHE), found again
# at once. Both scripts need no rights.
.PHONY: guest tree
guest:
	@vkernel/build.sh build/linux
	@$(MAKE) --no-print-directory -s tree
tree:
	@rootfs/build.sh debian build/rootfs/debian
	@ln -sfn ../../rootfs build/rootfs/build

# What people type first.
.PHONY: setup run
setup:
	@tools/setup.sh build
run: setup
	@tools/run.sh $(ARGS)

.PHONY: check check-lab
check: setup
	@tools/setup.sh build check
	@$(MAKE) --no-print-directory -s all
	@$(MAKE) --no-print-directory check-unit
	@$(MAKE) --no-print-directory check-golden
	@$(MAKE) --no-print-directory check-lab

check-lab: all
	@VBET_TEST_SAN=$(SAN) tests/lab/run.sh $(LAB)

# With sanitizers: all unit tests, and labs in which each room has its part. For all labs: make SAN=address,undefined check-lab.
.PHONY: check-sanitizers
SAN_LABS ?= capture console expect-ways hostile-peer hosts-live hotplug hub link-set outside-sockets random-kills replay \
 replay-console storms substrate-live test-suite tunnels vlan wait
check-sanitizers: all
	@$(MAKE) --no-print-directory -j $$(nproc) SAN=address,undefined check-unit
	@$(MAKE) --no-print-directory -j $$(nproc) SAN=address,undefined check-lab LAB="$(SAN_LABS)"

# Every example 20 times in virtual time, on an idle and on a busy machine: each time the same run.
.PHONY: check-repeat
REPEAT ?= 20
check-repeat: all
	@VBET_REPEAT=$(REPEAT) tests/lab/run.sh -v repeat

# Every example, and a lab of everything a little, 20 times with snapshots at random moments: each time the run without.
.PHONY: snapshots
SNAPSHOT_TRIES ?= 20
snapshots: all
	@VBET_SNAPSHOTS=$(SNAPSHOT_TRIES) tests/lab/run.sh -v snapshots

# The peer-to-peer network of the paper, with all of its 50 nodes; the lab test p2p has 12.
.PHONY: p2p
p2p: all
	@VBET_P2P_NODES=50 tests/lab/run.sh -v p2p

# FRR's topotests, as labs in virtual time; the lab test topotests has three of them.
.PHONY: topotests
topotests: all
	@./vbet test -j2 $(ARGS) tests/topotests

# An hour of full load on 20 guests, with links changing under it: only counted frames may be missing.
.PHONY: soak
SOAK_SECONDS ?= 3600
soak: all
	@VBET_SOAK_SECONDS=$(SOAK_SECONDS) tests/lab/run.sh -v soak

# Ends whatever a lab consists of, at random, for so long.
.PHONY: faults
FAULT_SECONDS ?= 600
FAULTS        ?= $(patsubst tests/faults/%.sh,%,$(wildcard tests/faults/*.sh))
faults: all
	@VBET_FAULT_SECONDS=$(FAULT_SECONDS) tests/lab/run.sh -v $(FAULTS)

# `make bench [BENCH="boot tcp"]`; bench-clock and bench-fidelity are those of the virtual clock.
.PHONY: bench bench-clock bench-fidelity
bench:
	@tools/setup.sh build bench
	@$(MAKE) --no-print-directory -s all $(BENCH_PROGS)
	@tests/bench/run.sh $(BENCH)
bench-clock bench-fidelity: bench-%:
	@$(MAKE) --no-print-directory bench BENCH=$*

ROOMS   := lib imprint topo vbet-server vkernel vhub vswitch vsubstrate substrate vnet outside
SOURCES := $(shell find $(ROOMS) tests/unit tests/fuzz tests/bench tests/support -name '*.c' | sort)
HEADERS := $(shell find $(ROOMS) tests/support -name '*.h' | sort)
SCRIPTS := $(wildcard tools/*.sh rootfs/*.sh vkernel/*.sh tests/*/*.sh) .ci/run

.PHONY: lint format
lint:
	@tools/setup.sh build check
	@$(MAKE) --no-print-directory -s programs
	@tools/lint.sh "$(SOURCES)" "$(HEADERS)" "$(SCRIPTS)"
format:
	clang-format -i $(SOURCES) $(HEADERS)

# A picture of the rooms and of who includes whom.
.PHONY: house
house:
	@mkdir -p build
	tools/arrows.sh --dot | dot -Tsvg >build/house.svg

LIBDIR := $(DESTDIR)$(PREFIX)/lib/vbet
# Equal files give an equal archive: names in order, one owner, one time.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y VERSION)
TAR_REPRODUCIBLE   = tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(SOURCE_DATE_EPOCH) --format=gnu
.PHONY: install uninstall
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(LIBDIR)/rootfs $(DESTDIR)$(PREFIX)/share/doc/vbet/examples \
		$(DESTDIR)$(PREFIX)/share/vbet/wireshark
	install vbet $(DESTDIR)$(PREFIX)/bin/vbet
	ln -sf vbet $(DESTDIR)$(PREFIX)/bin/vbet-extcap
	install build/vsubstrate build/vbet-init build/vbet-launch build/vbet-outside $(LIBDIR)
	install $(wildcard build/vhub build/vswitch) $(DESTDIR)$(PREFIX)/bin
	install "$$(readlink -f build/linux)" $(LIBDIR)/linux
	rm -rf $(LIBDIR)/rootfs/debian
	$(if $(TREE_AS_FILE),$(TAR_REPRODUCIBLE) -C build/rootfs/debian/ -c . | zstd -q -12 -T0 >$(LIBDIR)/rootfs/debian.tar.zst,\
		cp -a "$$(readlink -f build/rootfs/debian)" $(LIBDIR)/rootfs/debian)
	install -d $(LIBDIR)/rootfs/build/profiles
	install rootfs/packages.sh rootfs/nest.sh rootfs/check.sh $(LIBDIR)/rootfs/build
	install -m 644 rootfs/common.sh rootfs/profile.sh rootfs/extras $(LIBDIR)/rootfs/build
	install -m 644 rootfs/profiles/* $(LIBDIR)/rootfs/build/profiles
	install build/vnet-mux build/trellisd build/trellis $(DESTDIR)$(PREFIX)/bin
	install -d $(DESTDIR)$(PREFIX)/include
	install -m 644 vnet/vnet.h vnet/trellis/trellis.h $(DESTDIR)$(PREFIX)/include
	install -m 644 build/vnet/libvnet.a build/vnet/trellis/libtrellis.a $(DESTDIR)$(PREFIX)/lib
	install -m 644 README.md docs/*.md $(DESTDIR)$(PREFIX)/share/doc/vbet
	install -m 644 examples/*.vbet examples/*.inc $(DESTDIR)$(PREFIX)/share/doc/vbet/examples
	cp -r --no-preserve=ownership $(patsubst %/,%,$(wildcard examples/*/)) $(DESTDIR)$(PREFIX)/share/doc/vbet/examples
	install -m 644 share/wireshark/vbet.lua $(DESTDIR)$(PREFIX)/share/vbet/wireshark
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(wildcard docs/man/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
	tools/man.sh ./vbet $(VERSION) >$(DESTDIR)$(PREFIX)/share/man/man1/vbet.1
uninstall:
	rm -rf $(LIBDIR) $(DESTDIR)$(PREFIX)/share/doc/vbet $(DESTDIR)$(PREFIX)/share/vbet
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,vbet vbet-extcap vhub vswitch vnet-mux trellisd trellis)
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/man/man1/,vbet.1 $(notdir $(wildcard docs/man/*.1)))
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,include/vnet.h include/trellis.h lib/libvnet.a lib/libtrellis.a)

# What is installed, with kernel and tree, as one archive to unpack at / ; the same inputs give the same bytes.
.PHONY: dist deb
DIST := build/dist/vbet-$(VERSION)-linux-x86_64
dist:
	@$(MAKE) --no-print-directory -s all
	@rm -rf $(DIST) $(DIST).tar.zst
	@$(MAKE) --no-print-directory -s -o all install DESTDIR=$(abspath $(DIST)) PREFIX=/usr/local
	@# The number of a build also counts debugging information, in which gcc (LTO) keeps the path of the sources.
	@strip -R .note.gnu.build-id $(DIST)/usr/local/lib/vbet/v* $(addprefix $(DIST)/usr/local/bin/,$(DIST_PROGRAMS))
	@strip -g $(DIST)/usr/local/lib/*.a
	@$(TAR_REPRODUCIBLE) -C $(DIST) -c . | zstd -q -12 -T0 >$(DIST).tar.zst
	@rm -rf $(DIST)
	@sha256sum $(DIST).tar.zst
DIST_PROGRAMS := vbet vhub vswitch vnet-mux trellisd trellis

# Debian packages, made of a copy of the sources. Kernel and tree come from the cache.
deb:
	@tools/setup.sh build deb
	@tools/deb.sh

.PHONY: clean
clean:
	rm -rf build vbet vbet-extcap
