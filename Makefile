# SPDX-License-Identifier: Apache-2.0
# make           build/deploy-action, the static program        make help   what else there is
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif

PREFIX ?= /usr/local
STRATEGY ?= canary
SECONDS ?= 60
V ?= 0
quiet = $(if $(filter 0,$(V)),@echo "$(1)	$(2)"; )

# Everything that is not only about this folder needs Debian's packages; silent when they are there.
ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),all)),)
$(if $(shell .ci/packages build >&2 || echo failed),$(error packages are missing))
musl := $(shell .ci/where musl)
asan := $(shell .ci/where asan)
glibc := $(shell .ci/where glibc)
endif

# --- flags ---------------------------------------------------------------------------------------
warnings := -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wmissing-prototypes \
	-Wstrict-prototypes -Wold-style-definition -Wvla -Walloca -Wwrite-strings -Wpointer-arith -Wundef \
	-Wformat=2 -Wcast-qual
common := -std=c17 -D_GNU_SOURCE -fno-common -iquote include -include src/base/banned.h $(warnings) -MMD -MP
harden := -fstack-protector-strong -fstack-clash-protection $(if $(filter x86_64,$(shell uname -m)),-fcf-protection)
libs := -lcurl -lmbedtls -lz -lyaml -lcjson -lexpat -ljq -lm -lpthread

static.cc = $(musl)/musl-cc
static.flags = $(common) -isystem $(musl)/include -Os -g0 -fPIE -ffunction-sections -fdata-sections $(harden) \
	-fno-asynchronous-unwind-tables -ffile-prefix-map=$(CURDIR)/= -ffile-prefix-map=$(musl)=deps
static.link = -L$(musl)/lib $(libs) -s \
	-Wl,--gc-sections,--build-id=none,-z,relro,-z,now,-z,noexecstack,-z,pack-relative-relocs

# The release flavour with the points at which the tests kill us.
fault.flags = $(static.flags) -DFAULT_POINTS=1

asan.cc = gcc
asan.flags = $(common) -isystem $(asan)/include -O1 -g -fPIE -fno-omit-frame-pointer -DFAULT_POINTS=1 \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined
asan.link = -L$(asan)/lib $(libs) -pie -fsanitize=address,undefined -Wl,-z,relro,-z,now

# For valgrind, which sees what it runs and the libraries below it only without a sanitizer in between.
memcheck.cc = gcc
memcheck.flags = $(common) -isystem $(glibc)/include -O1 -g -fPIE -fno-omit-frame-pointer -DFAULT_POINTS=1 \
	-DMEMCHECK=1 -DSLOWLY=20
memcheck.link = -L$(glibc)/lib $(libs) -pie -Wl,-z,relro,-z,now

# To find inputs: clang's instrumentation of our code; the libraries are those of asan. Clang does
# not say as gcc does that AddressSanitizer is on.
fuzz.cc = clang
fuzz.flags = $(common) -isystem $(asan)/include -O1 -g -fPIE -fno-omit-frame-pointer -D__SANITIZE_ADDRESS__ \
	-fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow -fno-sanitize-recover=all
fuzz.link = -L$(asan)/lib $(libs) -pie -fsanitize=fuzzer,address,undefined,float-cast-overflow

# The simulator is the release with its own outside; fast, for there are many seeds.
sim.flags = $(static.flags) -O2 -Wno-missing-prototypes
sim.wrap = file_append file_read file_give file_exists getrandom session_config journal_save journal_load
sim.without = src/main.c src/catalog.c src/cli/progress.c src/cli/publish.c

# Which branches the simulator and the cases take.
cover.flags = $(filter-out -fsanitize% -fno-sanitize% -O1,$(asan.flags)) -O0 -D__SANITIZE_ADDRESS__ --coverage
# The flavour asan, in which any one call can be made to fail.
torture.wrap := $(shell sed -n 's/^[A-Z][A-Z]*.\([a-z0-9_]*\),.*/\1/p' test/torture/calls.h)

clang.cc = clang
clang.flags = $(common) -isystem $(asan)/include -O1 -fPIE $(harden) -D_FORTIFY_SOURCE=2

# --- files ---------------------------------------------------------------------------------------
sources := $(sort $(wildcard src/*.c src/*/*.c))
written := build/embedded.c build/version.c
objects = $(patsubst %.c,build/$(1)/%.o,$(sources) $(written))
programs = $(patsubst test/$(1)/%.c,build/asan/$(1)/%,$(sort $(wildcard test/$(1)/$(2)_*.c)))
helpers = $(patsubst %.c,build/$(3)/%.o,$(filter-out test/$(1)/$(2)_%,$(wildcard test/$(1)/*.c)))
unit := $(call programs,unit,test)
cases := $(call programs,cases,case)
targets := $(filter-out fuzz replay,$(patsubst test/fuzz/%.c,%,$(sort $(wildcard test/fuzz/*.c))))
replays := $(addprefix build/asan/fuzz/,$(targets))
fuzzers := $(addprefix build/fuzz/,$(or $(TARGET),$(targets)))
covered := $(patsubst test/%.c,build/cover/%,$(wildcard test/cases/case_*.c test/unit/test_*.c))
walk := $(sort $(wildcard test/exhaustive/*.c))
memchecked := $(patsubst build/asan/%,build/memcheck/%,build/asan/deploy-action build/asan/sim/simulate \
	$(unit) $(cases) $(replays))
simulator := $(sort $(wildcard test/sim/*.c))
comma := ,
service := $(if $(wildcard test/service/go.mod),build/service)

.PHONY: all static deps test test-asan unit cases bats suites fuzz sim mutants walk coverage simulate torture demo bench asan lint analyze docs
.PHONY: reproducible image install clean help clang tidy format programs memchecked valgrind force

all: static
static: build/deploy-action
asan: build/asan/deploy-action
clang: $(call objects,clang)
tidy: $(patsubst %.c,build/tidy/%.ok,$(sources))
programs: static asan build/fault/deploy-action build/torture/deploy-action build/sim/simulate build/sim/walk build/asan/sim/simulate $(unit) $(cases) $(replays) $(service)

memchecked: $(memchecked) static $(service)

# --- third-party libraries and tools, in the cache -------------------------------------------------
$(musl):
	@.ci/deps/build musl
$(asan):
	@.ci/deps/build asan
$(glibc):
	@.ci/deps/build glibc
deps:
	@.ci/packages all
	@.ci/deps/build musl asan
	@.ci/tools

# --- objects and programs --------------------------------------------------------------------------
build/static/%.o: %.c Makefile build/libraries | $(musl)
	$(call quiet,CC,$<)mkdir -p $(@D) && $(static.cc) $(static.flags) -c $< -o $@
build/fault/%.o: %.c Makefile build/libraries | $(musl)
	$(call quiet,FAULT,$<)mkdir -p $(@D) && $(static.cc) $(fault.flags) -c $< -o $@
build/asan/%.o: %.c Makefile build/libraries | $(asan)
	$(call quiet,ASAN,$<)mkdir -p $(@D) && $(asan.cc) $(asan.flags) -c $< -o $@
build/cover/%.o: %.c Makefile build/libraries | $(asan)
	$(call quiet,COVER,$<)mkdir -p $(@D) && $(asan.cc) $(cover.flags) -c $< -o $@
build/memcheck/%.o: %.c Makefile build/libraries | $(glibc)
	$(call quiet,CHECK,$<)mkdir -p $(@D) && $(memcheck.cc) $(memcheck.flags) -c $< -o $@
build/clang/%.o: %.c Makefile build/libraries | $(asan)
	$(call quiet,CLANG,$<)mkdir -p $(@D) && $(clang.cc) $(clang.flags) -c $< -o $@

build/fuzz/%.o: %.c Makefile build/libraries | $(asan)
	$(call quiet,FUZZ,$<)mkdir -p $(@D) && $(fuzz.cc) $(fuzz.flags) -c $< -o $@

build/tidy/%.ok: build/clang/%.o .clang-tidy .ci/analyzer.h
	$(call quiet,TIDY,$*.c)mkdir -p $(@D) && clang-tidy --quiet $*.c -- $(filter-out -MMD -MP,$(clang.flags)) \
		$(if $(filter-out src/base/error,$*),-include .ci/analyzer.h) && touch $@

build/sim/%.o: %.c Makefile build/libraries | $(musl)
	$(call quiet,SIM,$<)mkdir -p $(@D) && $(static.cc) $(sim.flags) -c $< -o $@

build/embedded.c: force
	@.ci/embed templates $@
build/version.c: force
	@.ci/stamp $@
# Other libraries, of other pins or of another recipe, are not mixed with what was compiled for these.
build/libraries: force
	@mkdir -p $(@D) && echo $(musl) $(asan) $(glibc) | cmp -s - $@ || echo $(musl) $(asan) $(glibc) >$@

build/deploy-action: $(call objects,static)
	$(call quiet,LINK,$@)$(static.cc) $^ -o $@ $(static.link)
build/fault/deploy-action: $(call objects,fault)
	$(call quiet,LINK,$@)$(static.cc) $^ -o $@ $(static.link)
build/sim/simulate: $(patsubst %.c,build/sim/%.o,$(filter-out $(sim.without),$(sources)) $(written) $(simulator))
	$(call quiet,LINK,$@)$(static.cc) $^ -o $@ $(filter-out -s,$(static.link)) $(addprefix -Wl$(comma)--wrap=,$(sim.wrap))
# What is looked at from inside, once for each way to look.
define watched
build/$(1)/deploy-action: $(call objects,$(1))
	$$(call quiet,LINK,$$@)$$($(1).cc) $$^ -o $$@ $$($(1).link)
build/$(1)/sim/simulate: $(patsubst %.c,build/$(1)/%.o,$(filter-out $(sim.without),$(sources)) $(written) $(simulator))
	$$(call quiet,LINK,$$@)mkdir -p $$(@D) && $$($(1).cc) $$^ -o $$@ $$($(1).link) \
		$(addprefix -Wl$(comma)--wrap=,$(sim.wrap))
build/$(1)/deploy-action.a: $(filter-out build/$(1)/src/main.o,$(call objects,$(1)))
	@rm -f $$@ && ar qcsD $$@ $$^
$(unit:build/asan/%=build/$(1)/%): build/$(1)/unit/%: build/$(1)/test/unit/%.o $(call helpers,unit,test,$(1)) \
		build/$(1)/deploy-action.a
	$$(call quiet,LINK,$$@)mkdir -p $$(@D) && $$($(1).cc) $$^ -o $$@ -lcmocka $$($(1).link)
$(cases:build/asan/%=build/$(1)/%): build/$(1)/cases/%: build/$(1)/test/cases/%.o $(call helpers,cases,case,$(1)) \
		build/$(1)/deploy-action.a
	$$(call quiet,LINK,$$@)mkdir -p $$(@D) && $$($(1).cc) $$^ -o $$@ -lcmocka $$($(1).link)
$(replays:build/asan/%=build/$(1)/%): build/$(1)/fuzz/%: build/$(1)/test/fuzz/%.o build/$(1)/test/fuzz/fuzz.o \
		build/$(1)/test/fuzz/replay.o build/$(1)/deploy-action.a
	$$(call quiet,LINK,$$@)mkdir -p $$(@D) && $$($(1).cc) $$^ -o $$@ $$($(1).link)
endef
$(foreach flavour,asan memcheck,$(eval $(call watched,$(flavour))))
build/torture/deploy-action: $(call objects,asan) build/asan/test/torture/inject.o
	$(call quiet,LINK,$@)mkdir -p $(@D) && $(asan.cc) $^ -o $@ $(asan.link) $(addprefix -Wl$(comma)--wrap=,$(torture.wrap))
# The journal over a disk that loses what was not synced.
build/sim/walk: $(patsubst %.c,build/sim/%.o,$(filter-out src/main.c,$(sources)) $(written) $(walk))
	$(call quiet,LINK,$@)$(static.cc) $^ -o $@ $(filter-out -s,$(static.link)) \
		$(addprefix -Wl$(comma)--wrap=,openat write fsync renameat unlinkat close)
build/cover/sim/simulate: $(patsubst %.c,build/cover/%.o,$(filter-out $(sim.without),$(sources)) $(written) $(simulator))
	$(call quiet,LINK,$@)mkdir -p $(@D) && $(asan.cc) $^ -o $@ $(asan.link) --coverage $(addprefix -Wl$(comma)--wrap=,$(sim.wrap))
build/cover/deploy-action.a: $(filter-out build/cover/src/main.o,$(call objects,cover))
	@rm -f $@ && ar qcsD $@ $^
$(covered): build/cover/%: build/cover/test/%.o build/cover/deploy-action.a
	$(call quiet,LINK,$@)mkdir -p $(@D) && $(asan.cc) $^ -o $@ -lcmocka $(asan.link) --coverage
build/fuzz/deploy-action.a: $(filter-out build/fuzz/src/main.o,$(call objects,fuzz))
	@rm -f $@ && ar qcsD $@ $^
$(fuzzers): build/fuzz/%: build/fuzz/test/fuzz/%.o build/fuzz/test/fuzz/fuzz.o build/fuzz/deploy-action.a
	$(call quiet,LINK,$@)$(fuzz.cc) $^ -o $@ $(fuzz.link)
build/service: $(wildcard test/service/*.go test/service/go.mod)
	$(call quiet,GO,$@)mkdir -p build && cd test/service && CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false \
		"$$($(CURDIR)/.ci/where go)" build -trimpath -o $(CURDIR)/build/service .

-include $(shell find build -name '*.d' 2>/dev/null)

# --- checks ------------------------------------------------------------------------------------------
test:
	@.ci/test
unit cases bats suites:
	@.ci/test $@
test-asan:
	@.ci/test asan
valgrind:
	@.ci/test valgrind
fuzz:
	@.ci/packages test
	@env -u MAKEFLAGS -u MFLAGS $(MAKE) $(fuzzers)
	@.ci/fuzz $(SECONDS) $(notdir $(fuzzers))
sim:
	@.ci/test sim
mutants: build/sim/simulate build/sim/walk $(unit)
	@env -u MAKEFLAGS -u MFLAGS test/mutants/run
walk: build/sim/walk
	@build/sim/walk
coverage: build/cover/sim/simulate $(covered)
	@.ci/coverage $(or $(SEEDS),20000)
simulate: build/sim/simulate
	@build/sim/simulate --seeds $(or $(SEEDS),10000) --from $(or $(FROM),0)
torture: static build/torture/deploy-action
	@DEPLOY_ACTION=$(CURDIR)/build/deploy-action TORTURE_ALL=1 test/suites/torture
lint:
	@.ci/packages test
	@.ci/lint
analyze:
	@.ci/packages test
	@.ci/analyze
format:
	@clang-format -i $(wildcard src/*.[ch] src/*/*.[ch] include/*.h test/*/*.[ch] .ci/*/*.c)
docs: static
	@.ci/docs
reproducible:
	@.ci/reproducible

# --- uses --------------------------------------------------------------------------------------------
with_tools = DEPLOY_ACTION=$(CURDIR)/build/deploy-action SERVICE=$(CURDIR)/build/service \
	STRATEGY=$(STRATEGY) PATH="$$PATH:$$(.ci/where tools)/bin:/usr/sbin"
demo: deps static $(service)
	@$(with_tools) test/demo/demo
bench: deps static $(service)
	@$(with_tools) test/bench/run
image: static
	@.ci/mkimage build/deploy-action build/image
install: static
	install -D -m 755 build/deploy-action $(DESTDIR)$(PREFIX)/bin/deploy-action
clean:
	rm -rf build
help:
	@sed -n 's/^#: //p' Makefile

#: make             build/deploy-action: one static program (builds its libraries on first use)
#: make deps        packages, libraries and tools for everything below; afterwards no network is needed
#: make test        everything that is checked; the last line is "N passed, N failed"
#: make lint | unit | cases | sim | bats | suites      one part of it
#: make test-asan   bats, schema and a short kill suite once more, with the sanitizers' program
#: make valgrind    unit, cases, fuzz corpus, simulator and bats under valgrind: no error, no leak
#: make simulate    rollouts in a simulated, hostile world: SEEDS=10000 FROM=0
#: make walk        the journal cut off at every call, by a kill or a loss of power, and once more after it
#: make coverage    which branches of engine, plan and stats simulator, cases and units take
#: make mutants     deliberate defects, one after the other: each must be seen
#: make torture     every call that can fail fails once, each in a deployment of its own; make test draws some
#: make fuzz        hostile input for every parser: SECONDS=60 each, or of TARGET=name only
#: make analyze     clang-tidy over all sources
#: make format      clang-format over all sources, in place
#: make demo        a real deployment on this machine: STRATEGY=canary, blue-green or rolling
#: make bench       measure it
#: make asan        build/asan/deploy-action, with sanitizers and fault points
#: make docs        refresh what the documents quote from the program
#: make image       build/image/deploy-action.tar, for docker load
#: make reproducible   build twice in two folders and compare
#: make install     to $(PREFIX)/bin, /usr/local/bin by default
#: make clean       remove build/; the cache of libraries stays
#: V=1 shows the commands
