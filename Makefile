# Recurra's commands. Each target does the set-up it needs (a virtual environment, the install) and then its work.
#
#   make demo          train on real data, print the scores beside the naive rules, draw the forecast into demo/
#   make test          the fast test suite
#   make lint          style, types and the import ladder
#   make conformance   the long suites, and what others wrote
#   make bench         every benchmark, into benchmarks/results/ (hours)
#   make peers         JAX, into .venvs/jax, for the benchmark that runs beside it
#   make rivals        NeuralForecast, into .venvs/neuralforecast, likewise
#   make selftest      the kernels' own test, on every instruction set that this machine has
#   make sanitize      the same with the address, undefined-behaviour and thread sanitizers
#   make clang         the same built with Clang, and the Python module's sources compiled with it
#   make neon          the same cross-compiled for AArch64 and run under emulation
#   make docs          the documentation, into docs/_build/html/
#   make clean         remove what was built; make distclean removes the virtual environments too
#
# PYTHON=python3.12 chooses the interpreter, VENV=folder the virtual environment, PIP_ARGS="..." adds arguments to pip.

PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
PYTEST_ARGS ?=

RUN := $(VENV)/bin
DEMO := $(VENV)/.installed-demo
DEV := $(VENV)/.installed-dev
JAX := .venvs/jax/.installed
RIVALS := .venvs/neuralforecast/.installed
# What an installation is made from: when one of these changes, it is made again.
SOURCES := pyproject.toml constraints.txt CMakeLists.txt $(wildcard csrc/*)
BENCHMARKS = $(patsubst benchmarks/%.py,%,$(filter-out benchmarks/_%.py benchmarks/conftest.py,$(wildcard benchmarks/*.py)))

export PYTHONUTF8 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The constraints hold in the isolated build too: older pips read the first name there, newer ones the second.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt

.PHONY: help install venv demo test lint format conformance bench peers rivals selftest sanitize clang neon docs clean distclean
.DELETE_ON_ERROR:

help:
	@sed -n '3,17s/^# \{0,1\}//p' Makefile

install: $(DEV)
venv: $(RUN)/python

$(RUN)/python:
	@echo "[set-up] making a virtual environment in $(VENV) ..."
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Recurra is tested with Python 3.11 and newer, this is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12 ...")'
	@"$(PYTHON)" -m venv "$(VENV)" || { rm -rf "$(VENV)"; echo "[set-up] Python's venv module is missing: on Debian or Ubuntu, apt-get install python3-venv" >&2; exit 1; }

# What development needs includes what the demo needs, so a fresh development install serves both.
$(DEMO): $(RUN)/python $(SOURCES)
	@if [ -e "$(DEV)" ] && [ -z "$$(find $(SOURCES) -newer "$(DEV)")" ]; then touch "$@"; else \
	  $(call pip,plots$(comma)samples) && touch "$@"; fi

$(DEV): $(RUN)/python $(SOURCES)
	@$(call pip,dev) && touch "$@"

comma := ,
define pip
echo "[set-up] installing Recurra with [$(1)] into $(VENV); the first time this fetches PyTorch and takes some minutes ..." \
&& "$(RUN)/python" -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e ".[$(1)]" \
&& echo "[set-up] installed: $$("$(RUN)/python" -c 'import recurra, torch; from recurra.kernels import native_is_built; print("recurra", recurra.__version__, "with torch", torch.__version__ + ",", "native kernels built" if native_is_built() else "WITHOUT the native kernels: no C++17 compiler served, see docs/building.md")')"
endef

demo: $(DEMO)
	@$(RUN)/recurra demo

test: $(DEV)
	@echo "[test] the fast suite ..."
	@$(RUN)/python -m pytest -q $(PYTEST_ARGS)

lint: $(DEV)
	@echo "[lint] ruff check ..."
	@$(RUN)/ruff check .
	@echo "[lint] ruff format --check ..."
	@$(RUN)/ruff format --check .
	@echo "[lint] mypy --strict src ..."
	@$(RUN)/mypy --strict src
	@echo "[lint] lint-imports --no-cache ..."
	@$(RUN)/lint-imports --no-cache

format: $(DEV)
	@$(RUN)/ruff check --fix .
	@$(RUN)/ruff format .

# pytest ends with code 5 when it finds no test: said aloud, and no failure while there is no long suite yet.
conformance: $(DEV)
	@echo "[conformance] the long suites ..."
	@$(RUN)/python -m pytest -q -m conformance $(PYTEST_ARGS); code=$$?; \
	if [ $$code -eq 5 ]; then echo "[conformance] there are no conformance tests yet"; else exit $$code; fi

bench: $(DEV)
	@for name in $(BENCHMARKS); do \
	  if grep -q '__main__' "benchmarks/$$name.py"; then echo "[bench] $$name ..." && $(RUN)/python -m "benchmarks.$$name" || exit 1; fi; done

peers: $(JAX)

$(JAX): constraints.txt | $(RUN)/python
	@echo "[peers] installing JAX into .venvs/jax ..."
	@"$(RUN)/python" -m venv .venvs/jax
	@.venvs/jax/bin/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt jax numpy && touch "$@"

rivals: $(RIVALS)

# PyTorch at the version of the constraints; what NeuralForecast brings besides is its own affair.
$(RIVALS): constraints.txt | $(RUN)/python
	@echo "[rivals] installing NeuralForecast into .venvs/neuralforecast ..."
	@"$(RUN)/python" -m venv .venvs/neuralforecast
	@.venvs/neuralforecast/bin/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt torch numpy pandas neuralforecast==3.3.0 && touch "$@"

# The kernels' own test: $(call selftest,folder,CMake's arguments), built without Python.
CMAKE ?= cmake
# Without AVX-512 in this processor its kernels, half of the compiler's work, are left out of what only runs here.
HERE := $(shell grep -q avx512dq /proc/cpuinfo 2> /dev/null || echo -DRECURRA_AVX512=OFF)
define selftest
"$(CMAKE)" -S . -B build/$(1) -DRECURRA_PYTHON=OFF -DRECURRA_SELFTEST=ON $(2) > build/$(1).log 2>&1 \
&& "$(CMAKE)" --build build/$(1) --parallel 2 >> build/$(1).log 2>&1 || { tail -n 40 build/$(1).log >&2; exit 1; }
endef
# Runs it on each instruction set named; one that the processor lacks is said aloud and left out.
define on_each
for isa in $(2); do RECURRA_CPU_ISA=$$isa build/$(1)/recurra_selftest $(3) > build/$(1).out 2>&1; code=$$?; \
  if grep -q "this processor does not have it" build/$(1).out; then echo "$$isa: this processor does not have it"; \
  else cat build/$(1).out; if [ $$code -ne 0 ]; then exit 1; fi; fi; done
endef

selftest:
	@mkdir -p build && echo "[selftest] building ..."
	@$(call selftest,selftest,$(HERE))
	@$(call on_each,selftest,avx512 avx2 baseline,)

sanitize:
	@mkdir -p build && echo "[sanitize] address and undefined-behaviour sanitizers ..."
	@$(call selftest,sanitize-address,-DRECURRA_SANITIZE=address$(comma)undefined $(HERE))
	@$(call on_each,sanitize-address,avx512 avx2 baseline,--quick)
	@echo "[sanitize] thread sanitizer ..."
	@$(call selftest,sanitize-thread,-DRECURRA_SANITIZE=thread $(HERE))
	@$(call on_each,sanitize-thread,auto,--quick)

clang:
	@command -v clang++ > /dev/null || { echo "[clang] clang++ is missing: on Debian or Ubuntu, apt-get install clang" >&2; exit 1; }
	@mkdir -p build && echo "[clang] building ..."
	@$(call selftest,clang,-DCMAKE_CXX_COMPILER=clang++)
	@$(call on_each,clang,avx512 avx2 baseline,)

NEON_CXX ?= aarch64-linux-gnu-g++
neon:
	@command -v $(NEON_CXX) > /dev/null && command -v qemu-aarch64 > /dev/null || { echo "[neon] a cross compiler or the emulator is missing: on Debian or Ubuntu, apt-get install g++-aarch64-linux-gnu qemu-user" >&2; exit 1; }
	@mkdir -p build && echo "[neon] building ..."
	@$(call selftest,neon,-DCMAKE_CXX_COMPILER=$(NEON_CXX) -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64)
	@qemu-aarch64 -L /usr/aarch64-linux-gnu build/neon/recurra_selftest --quick --emulated

docs: $(DEV)
	@echo "[docs] building docs/_build/html ..."
	@$(RUN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "[docs] open docs/_build/html/index.html"

clean:
	rm -rf build dist demo docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find $(wildcard src tests benchmarks docs) -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf "$(VENV)" .venvs
