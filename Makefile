# The front door. Each target installs what is missing, so that a fresh Debian 12 needs nothing else.
#   make          build build/saker
#   make run      build, then watch this machine (asks for root when it is not)
#   make test     data-driven suite, conformance, hostile input, unit tests, fuzzers with sanitizers
#   make test-full   the same, and everything with sanitizers, the program live under TSan
#   make bench    the measurements of docs/performance.md
#   make fuzz     every fuzz target for a short while
#   make tidy     clang-format and clang-tidy over everything
.PHONY: all packages run test test-full bench fuzz tidy clean

SUDO := $(shell [ "$$(id -u)" -eq 0 ] || echo sudo)

all: build/build.ninja
	cmake --build build --target saker

packages:
	tools/install_packages

build/build.ninja: | packages
	cmake --preset release

run: all
	$(SUDO) build/saker run $(ARGS)

test: build/build.ninja
	tools/run_tests

test-full: build/build.ninja
	FULL=1 tools/run_tests

bench: all
	bench/run

fuzz: packages
	tools/run_fuzz

tidy: packages
	tools/run_tidy

clean:
	rm -rf build
