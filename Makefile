# feedwatch - see `make help`.
VERSION := 0.1.0
PREFIX  ?= /usr/local
B       ?= build
PYTHON  ?= /usr/bin/python3
ifeq ($(origin CC),default)
CC := gcc
endif

PKGS := glib-2.0 gio-2.0 gio-unix-2.0 libcurl libxml-2.0 libnotify inih sqlite3 jansson libutf8proc \
        libpcre2-8 libxxhash libsystemd libseccomp
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef \
        -Wpointer-arith -Wcast-qual -Wwrite-strings -Wnull-dereference -Wconversion
HARD := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fPIE -fcf-protection
OPT  := -O2 -g
# A sanitizer build says SAN=1: it goes to its own folder, without the fortified C library.
ifdef SAN
B    := build/asan
OPT  := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
HARD := -fPIE
LDSAN := -fsanitize=address,undefined
endif
ifdef FUZZ
B    := build/fuzz
CC   := clang
OPT  := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
HARD := -fPIE
LDSAN := -fsanitize=fuzzer,address,undefined
FUZZ_MAIN :=
endif
ifdef COV
B    := build/cov
OPT  := -O0 -g --coverage
HARD := -fPIE
LDSAN := --coverage
endif

PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lstemmer -lm
ALL_CFLAGS := -std=gnu17 -D_GNU_SOURCE -Isrc -I. -DFEEDWATCH_VERSION='"$(VERSION)"' \
              -DFEEDWATCH_SYSCONFDIR='"/etc"' $(PKG_CFLAGS) $(WARN) $(OPT) $(HARD) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDSAN) $(LDFLAGS)

FUZZ_MAIN  ?= $(B)/tests/fuzz/replay.o

LIB_SRC    := $(wildcard src/*/*.c)
LIB_OBJ    := $(LIB_SRC:%.c=$(B)/%.o)
LIB        := $(B)/libfeedwatch.a
CMD_OBJ    := $(patsubst %.c,$(B)/%.o,daemon/feedwatch.c $(wildcard daemon/cmd_*.c))
BOTH_OBJ   := $(patsubst %.c,$(B)/%.o,$(filter-out daemon/feedwatch.c daemon/feedwatchd.c daemon/cmd_%.c,\
              $(wildcard daemon/*.c)))
PROGRAMS   := $(B)/feedwatchd $(B)/feedwatch
UNIT       := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
SIM        := $(patsubst tests/sim/%.c,$(B)/sim/%,$(wildcard tests/sim/sim_*.c))
FUZZERS    := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: help all deps demo check unit lint bench fuzz torture coverage install uninstall clean tests print-cflags
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

all: $(PROGRAMS) ## build feedwatchd and feedwatch

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(AR) rcsP $@ $^
$(B)/feedwatchd: $(B)/daemon/feedwatchd.o $(BOTH_OBJ) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(B)/feedwatch: $(CMD_OBJ) $(BOTH_OBJ) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(B)/unit/%: $(B)/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka
$(B)/sim/%: $(B)/tests/sim/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(FUZZ_MAIN) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
# What the tests load into the daemon; no part of it.
$(B)/torture/fault.so: tests/torture/fault.c Makefile
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE -fsanitize%,$(ALL_CFLAGS)) -fPIC -shared -o $@ $< -ldl
tests: all $(UNIT) $(SIM) $(FUZZERS)

deps: ## install what building and testing needs (Debian; root or sudo)
	tests/tools/install-deps

demo: ## poll the bundled feeds with the shipped rules and show the alerts
	@$(MAKE) --no-print-directory -j$$(nproc) all # a make of its own: after deps, pkg-config knows more
	$(PYTHON) tests/tools/demo

check: ## build and run every test
	$(PYTHON) tests/tools/check

bench: all ## measure CPU and memory against peers (needs the peers' programs)
	@code=0; for b in tests/bench/*; do [ ! -f $$b ] || [ ! -x $$b ] || { echo "== $$b"; $(PYTHON) $$b || code=1; }; done; exit $$code

FUZZ_PAIRS ?= 1000000
fuzz: all ## look for breaking inputs (FUZZ_SECONDS each); compare FUZZ_PAIRS queries with the oracle
	$(PYTHON) tests/tools/fuzz
	$(PYTHON) tests/fuzz/oracle.py --pairs $(FUZZ_PAIRS) --seed $$(date +%s)

torture: all ## prove the alert path: 1,000 kills, power cuts, failing calls, a soak (over an hour)
	FEEDWATCH_TORTURE=full $(PYTHON) tests/tools/check torture

coverage: ## what the tests reach, in build/cov/html
	$(PYTHON) tests/tools/coverage

unit: $(UNIT) ## build and run the unit tests alone
	@for t in $(UNIT); do $$t || exit 1; done

lint: ## formatting, layers, headers, static analysis
	$(PYTHON) tests/tools/lint

# ---- installation: DESTDIR, PREFIX, and where a system wants it otherwise any of these ----
BINDIR     ?= $(PREFIX)/bin
DATADIR    ?= $(PREFIX)/share
DOCDIR     ?= $(DATADIR)/doc/feedwatch
SYSCONFDIR ?= /etc
UNITDIR    ?= $(PREFIX)/lib/systemd
# What a user installs for himself alone (PREFIX=$HOME/.local): his manager looks elsewhere, and the system gets nothing.
OWN        := $(filter $(HOME)/.local,$(PREFIX))
USERUNITDIR ?= $(if $(OWN),$(DATADIR)/systemd,$(UNITDIR))/user

# Each file as SOURCE:TARGET. In PLACES_TEXT, the programs' path is put right.
PLACES_BIN  := $(foreach p,$(PROGRAMS),$(p):$(BINDIR)/$(notdir $(p)))
PLACES_TEXT := systemd/feedwatchd.service:$(USERUNITDIR)/feedwatchd.service \
               etc/feedwatch.desktop:$(DATADIR)/applications/feedwatch.desktop \
               $(if $(OWN),,systemd/feedwatchd-system.service:$(UNITDIR)/system/feedwatchd.service)
PLACES_DATA := etc/feedwatch.svg:$(DATADIR)/icons/hicolor/scalable/apps/feedwatch.svg \
               $(foreach p,$(wildcard daemon/*.[18] etc/*.5),$(p):$(DATADIR)/man/man$(subst .,,$(suffix $(p)))/$(notdir $(p))) \
               $(foreach p,etc/feedwatch.conf $(wildcard etc/conf.d/*.example),$(p):$(DOCDIR)/examples/$(p:etc/%=%)) \
               README.md:$(DOCDIR)/README.md LICENSE:$(DOCDIR)/LICENSE \
               $(if $(OWN),,etc/feedwatch.logrotate:$(SYSCONFDIR)/logrotate.d/feedwatch)

install: all ## install everything (DESTDIR, PREFIX=/usr/local)
	@set -e; place() { mode=$$1; shift; for p; do install -D -m $$mode "$${p%%:*}" "$(DESTDIR)$${p#*:}"; done; }; \
	place 755 $(PLACES_BIN); place 644 $(PLACES_TEXT) $(PLACES_DATA); \
	for p in $(PLACES_TEXT); do sed -i 's|/usr/local/bin/|$(BINDIR)/|' "$(DESTDIR)$${p#*:}"; done
	@touch "$(DESTDIR)$(DATADIR)/icons/hicolor" # or desktops trust their cache of it

uninstall: ## remove what install placed, and nothing else
	@set -e; for p in $(PLACES_BIN) $(PLACES_TEXT) $(PLACES_DATA); do rm -f "$(DESTDIR)$${p#*:}"; done
	@for d in /examples/conf.d /examples ""; do rmdir "$(DESTDIR)$(DOCDIR)$$d" 2>/dev/null || true; done

print-cflags:
	@echo $(ALL_CFLAGS)

clean: ## remove what was built
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
