# SPDX-License-Identifier: GPL-3.0-or-later
LIBTOPO  := $(B)/topo/libtopo.a
TOPO_GEN := $(B)/topo/parse.tab.c
$(LIBTOPO): $(patsubst %.c,$(B)/%.o,$(wildcard topo/*.c)) $(TOPO_GEN:.c=.o)

# -Wcounterexamples only adds text to an error; -Werror makes every conflict one.
$(B)/topo/parse.tab.c: topo/parse.y
	@mkdir -p $(@D)
	bison -Wall -Werror -Wcounterexamples -o $@ --header=$(@:.c=.h) $<

$(B)/topo/parse.tab.h: $(TOPO_GEN)
$(B)/topo/lex.o $(B)/topo/lex_text.o $(B)/topo/parse.o $(TOPO_GEN:.c=.o): | $(B)/topo/parse.tab.h
