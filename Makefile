# Rota. On a fresh Debian 12 with git and make:
#
#     make demo     installs what is missing, builds, runs the main job on the sample organisation, shows what came of it
#     make check    installs what is missing, builds, passes every test
#
# Everything that is built goes to build/. `make help` lists the other targets.

BUILD   ?= build
ifeq ($(origin CC),default)
CC = gcc
endif
PREFIX  ?= /usr/local
VERSION := 0.1.0

# What the product and its tests use, all of it from Debian.
PACKAGES = gcc libc6-dev pkg-config libzmq3-dev libczmq-dev libsqlite3-dev libconfig-dev libmsgpack-dev libcmocka-dev \
           libssl-dev libjansson-dev libcurl4-openssl-dev tzdata procps graphviz
CHECK_PACKAGES = openssh-client clang clang-format cppcheck libclang-rt-14-dev binutils mandoc python3 python3-zmq python3-aiosmtpd \
                 perl libzmq-ffi-perl

STRICT = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes \
         -Wmissing-prototypes -Wswitch-enum -Wvla -Wformat=2 -Wundef -Wnull-dereference -Werror
HARDEN = -O2 -D_FORTIFY_SOURCE=3 -fstack-clash-protection -fstack-protector-strong -fcf-protection=full \
         -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
# Not -ftrivial-auto-var-init=zero: with it gcc 12.2 clears members that were initialised, of structs with padding in an array
# inside another struct (tests/checks/compiler.sh).
LINK   = -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed
# `make SANITIZE=1 ...` builds the same under AddressSanitizer and UndefinedBehaviorSanitizer.
ifdef SANITIZE
BUILD  := build/sanitize
HARDEN := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LINK   := -pie -fsanitize=address,undefined
endif

PKGS    = libzmq libczmq sqlite3 libconfig msgpack libcrypto jansson libcurl
CFLAGS  = $(STRICT) $(HARDEN) -fPIC -g $(VERSION_FLAG) $(PKG_CFLAGS) -Iengine -Iworkers -Itools -Itests -MMD -MP
# librota's header carries its own version; the programs are told the release.
VERSION_FLAG = -DROTA_VERSION='"$(VERSION)"'
$(BUILD)/workers/%.o: VERSION_FLAG =
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
lib     = $(shell pkg-config --libs $(1) 2>/dev/null)

# ---- floors: each is one archive of its folder; what a program links says what it may know ----

FLOORS := base core definition wire store net daemon
objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))
archive = $(BUILD)/lib$(1).a

define FLOOR
$(call archive,$(1)): $(call objects,engine/$(1))
	@mkdir -p $$(@D)
	@rm -f $$@  # else an object whose file has moved to another floor would stay in it
	$$(AR) rcsD $$@ $$^
endef
$(foreach floor,$(FLOORS),$(eval $(call FLOOR,$(floor))))

CORE_LIBS  = $(call archive,definition) $(call archive,core) $(call archive,base)
WIRE_LIBS  = $(call archive,wire) $(call archive,core) $(call archive,base)

PROGRAMS = rotad rota rota-verify rota-approval rota-communication rota-audit rota-exec
BINARIES = $(addprefix $(BUILD)/,$(PROGRAMS))

.PHONY: all help demo check check-sanitized build tests install deps demo-deps check-deps clean
all: build

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1\t\2/p' Makefile | expand -t 18

build: $(BINARIES) $(BUILD)/librota.a $(BUILD)/librota.so $(BUILD)/rota.1  ## every program and the library

# `make demo` and `make check` build on every processor, unless somebody said how many (-j N).
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

demo:  ## the main job on the sample organisation, told step by step
	+@$(MAKE) $(JOBS) --no-print-directory demo-deps build
	@bash tools/demo/demo.sh $(BUILD)

$(BUILD)/rotad: $(call objects,engine/daemon) $(call archive,net) $(call archive,store) $(call archive,definition) \
                $(call archive,wire) $(call archive,core) $(call archive,base)
	$(CC) $(LINK) -o $@ $^ $(call lib,libzmq sqlite3 libconfig libcrypto jansson msgpack)

$(BUILD)/rota: $(call objects,tools/rota) $(call objects,tools/simulate) $(call archive,definition) $(WIRE_LIBS)
	$(CC) $(LINK) -o $@ $^ $(call lib,libzmq libczmq libconfig libcrypto jansson msgpack)

$(BUILD)/rota-verify: $(call objects,tools/verify)
	$(CC) $(LINK) -o $@ $^ $(call lib,sqlite3 libcrypto jansson libconfig)

# ---- workers: on the library that any worker in C can use ----

SDK = $(call objects,workers/sdk)

$(BUILD)/librota.a: $(SDK) $(foreach f,wire core base,$(call objects,engine/$(f)))
	$(AR) rcsD $@ $^

$(BUILD)/librota.so: $(SDK) $(WIRE_LIBS)
	$(CC) -shared -Wl,-soname,librota.so.0 -Wl,--version-script=workers/sdk/rota.map $(filter-out -pie,$(LINK)) -o $@ $^ $(call lib,libzmq libczmq jansson libcrypto msgpack)

WORKER_PARTS = $(call objects,workers/common) $(SDK) $(WIRE_LIBS)
WORKER_LIBS  = $(call lib,libzmq libczmq jansson libcrypto msgpack libconfig libcurl)

$(BUILD)/rota-approval: $(call objects,workers/approval) $(call objects,workers/post) $(WORKER_PARTS)
	$(CC) $(LINK) -o $@ $^ $(WORKER_LIBS)
$(BUILD)/rota-communication: $(call objects,workers/communication) $(call objects,workers/post) $(WORKER_PARTS)
	$(CC) $(LINK) -o $@ $^ $(WORKER_LIBS)
$(BUILD)/rota-audit: $(call objects,workers/audit) $(WORKER_PARTS)
	$(CC) $(LINK) -o $@ $^ $(WORKER_LIBS)
$(BUILD)/rota-exec: $(call objects,workers/exec) $(WORKER_PARTS)
	$(CC) $(LINK) -o $@ $^ $(WORKER_LIBS)

$(BUILD)/%.o: %.c | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

# ---- installed: PREFIX says where it will stand, DESTDIR where it is put meanwhile ----

MANUALS = $(filter-out tools/rota/rota.1,$(shell find engine workers tools -name '*.1')) $(BUILD)/rota.1
INTO    = "$(DESTDIR)$(PREFIX)"

# What a person asks with --help and what the manual says is one text: the table of commands.
$(BUILD)/rota.1: tools/rota/rota.1 $(BUILD)/rota
	@$(BUILD)/rota help --man >$@.commands
	@sed -e '/made from the table of commands/{r $@.commands' -e 'd}' $< >$@
	@rm -f $@.commands

install: build $(BUILD)/rota.1  ## programs, librota, manual pages, completion and the shipped definitions, to PREFIX (default /usr/local)
	@install -d $(INTO)/bin $(INTO)/lib/pkgconfig $(INTO)/include $(INTO)/share/rota $(INTO)/share/man/man1
	@install -m 755 $(BINARIES) $(INTO)/bin
	@install -m 644 $(BUILD)/librota.a $(INTO)/lib
	@install -m 644 $(BUILD)/librota.so $(INTO)/lib/librota.so.$(VERSION)
	@ln -sf librota.so.$(VERSION) $(INTO)/lib/librota.so.0
	@ln -sf librota.so.0 $(INTO)/lib/librota.so
	@install -m 644 workers/sdk/rota.h $(INTO)/include
	@sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$${prefix}/lib|; s|@INCLUDEDIR@|$${prefix}/include|; s|@VERSION@|$(VERSION)|' \
	    workers/sdk/rota.pc.in >$(INTO)/lib/pkgconfig/rota.pc
	@chmod 644 $(INTO)/lib/pkgconfig/rota.pc
	@find workflows config -type f -exec sh -c 'for f; do install -D -m 644 "$$f" $(INTO)/share/rota/"$$f" || exit 1; done' sh {} +
	@install -m 644 $(MANUALS) $(INTO)/share/man/man1
	@install -d $(INTO)/share/bash-completion/completions
	@$(BUILD)/rota completion bash >$(INTO)/share/bash-completion/completions/rota
	@chmod 644 $(INTO)/share/bash-completion/completions/rota

# ---- what is missing on this machine ----

# Installs with apt-get what dpkg does not know; on a system without apt, says what is needed.
install-missing = \
	missing=""; for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	  as_root=""; [ "$$(id -u)" = 0 ] || as_root=sudo; \
	  $$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq && \
	  $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi

deps: $(BUILD)/.deps
$(BUILD)/.deps:
	@mkdir -p $(BUILD)
	@$(call install-missing,$(PACKAGES))
	@touch $@

# The sample organisation's own worker is written in Python.
demo-deps: deps
	@$(call install-missing,python3 python3-zmq)
check-deps: demo-deps
	@$(call install-missing,$(CHECK_PACKAGES))

.PHONY: print-flags
print-flags:
	@echo '-std=c11 $(HARDEN)'

clean:
	rm -rf build

# ---- tests ----

# tests/PART/test_*.c are programs; the other files of the folder are shared by them. What a part may link is what it tests.
# Parts that take long come first: tests run side by side, and none should be left alone at the end.
TEST_PARTS = engine pack core simulate definition base wire store net daemon workers tools verify fuzz
without-main = $(filter-out %/main.o,$(call objects,$(1)))
ENGINE_ALL = $(call without-main,engine/daemon) $(call archive,net) $(call archive,store) $(call archive,definition) \
             $(call archive,wire) $(call archive,core) $(call archive,base)
WORKER_ALL = $(foreach d,sdk common post approval communication audit exec,$(call without-main,workers/$(d)))
LINK_core    = $(call objects,tools/simulate) $(ENGINE_ALL)
LINK_verify  = $(call without-main,tools/verify)
LINK_workers = $(WORKER_ALL) $(WIRE_LIBS)
LINK_tools   = $(call without-main,tools/rota) $(call objects,tools/simulate) $(call objects,workers/audit/none) $(ENGINE_ALL)
LINK_engine  = $(WIRE_LIBS)
TEST_LIBS = $(call lib,cmocka $(PKGS)) -lm

# Walks are stories.
HELP_WITH_pack = $(patsubst %,$(BUILD)/tests/core/%.o,story story_client story_people story_proof)
LINK_pack    = $(LINK_core)
LINK_simulate = $(LINK_core)

define TEST_PART
HELP_$(1) := $$(patsubst %.c,$$(BUILD)/%.o,$$(filter-out tests/$(1)/test_%,$$(wildcard tests/$(1)/*.c)))
TESTS_$(1) := $$(patsubst tests/%.c,$$(BUILD)/tests/%,$$(wildcard tests/$(1)/test_*.c))
TESTS += $$(TESTS_$(1))
$$(TESTS_$(1)): $$(BUILD)/tests/%: $$(BUILD)/tests/%.o $$(HELP_$(1)) $$(HELP_WITH_$(1)) $$(or $$(LINK_$(1)),$$(ENGINE_ALL))
	$$(CC) $$(LINK) -o $$@ $$^ $$(TEST_LIBS)
endef
$(foreach part,$(TEST_PARTS),$(eval $(call TEST_PART,$(part))))

# A worker of the Guide's: it links libzmq and nothing of ours.
PEERS := $(BUILD)/tests/engine/peers/mdworker
$(PEERS): $(BUILD)/%: $(BUILD)/%.o
	$(CC) $(LINK) -o $@ $^ $(call lib,libzmq)
# Preloaded into an engine: its ZAP handler seems to be bound and is not there; the journal's disk fails to keep what is written.
PRELOADS := $(BUILD)/tests/engine/peers/no_zap.so $(BUILD)/tests/engine/peers/no_sync.so
$(PRELOADS): %.so: %.o
	$(CC) -shared -o $@ $^
$(TESTS_engine): | $(PEERS) $(PRELOADS)

tests: $(TESTS)  ## every test program, without running it

# Each a script of tests/checks that prints every breach; README.md there says what each proves.
CHECKS = compiler floors headers layout codes format warnings core_purity

check: check-deps  ## everything that must hold, in one go
	+@$(MAKE) $(JOBS) --no-print-directory build tests
	@for c in $(CHECKS); do echo "check: $$c"; sh tests/checks/$$c.sh $(BUILD) || exit 1; done
	@echo "check: hardening"; sh tests/checks/hardening.sh $(BINARIES)
	@sh tests/run.sh $(BUILD) $(TESTS) $(wildcard tests/stories/*.sh)
	+@$(MAKE) $(JOBS) --no-print-directory SANITIZE=1 check-sanitized

# The same tests, and the whole demo on real processes, with every program under AddressSanitizer (leaks too) and UBSan.
# The engine is killed fewer times here: what that proves was proven above, at full speed.
check-sanitized: build tests
	@echo "under AddressSanitizer and UndefinedBehaviorSanitizer:"
	@ASAN_OPTIONS=detect_leaks=1 ROTA_ROUNDS=20 sh tests/run.sh $(BUILD) $(TESTS) tests/stories/demo.sh

# ---- bench ----

# The limit and the engine side by side on this machine; tests/bench/README.md says what is measured. Asserts no time.
BENCH      = $(BUILD)/tests/bench
BENCH_LIBS = $(call archive,store) $(call archive,wire) $(call archive,core) $(call archive,base)

.PHONY: bench
bench: build $(BENCH)/drive $(BENCH)/limit $(BENCH)/syncs.so  ## what the engine costs, beside the least that would do
	@$(BENCH)/drive $(BUILD) tests/bench/pack $(BENCH_ARGS)

$(BENCH)/drive: $(patsubst %,$(BENCH)/%.o,drive load park report start worker world) $(BENCH_LIBS)
	$(CC) $(LINK) -o $@ $^ $(call lib,libzmq sqlite3 libcrypto jansson msgpack)
$(BENCH)/limit: $(BENCH)/limit.o
	$(CC) $(LINK) -o $@ $^ $(call lib,libzmq sqlite3 libcrypto)
$(BENCH)/syncs.so: $(BENCH)/syncs.o
	$(CC) -shared $(filter-out -pie,$(LINK)) -o $@ $^ -ldl

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
