# Recurra's commands. Each target does the set-up it needs (a virtual environment, the install) and then its work.
#
#   make demo          train on real data, print the scores beside the naive rules, draw the forecast into demo/
#   make test          the fast test suite
#   make lint          style, types and the import ladder
#   make conformance   the long suites, and what others wrote
#   make bench         every benchmark, into benchmarks/results/ (hours)
#   make docs          the documentation, into docs/_build/html/
#   make clean         remove what was built; make distclean removes the virtual environment too
#
# PYTHON=python3.12 chooses the interpreter, VENV=folder the virtual environment, PIP_ARGS="..." adds arguments to pip.

PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
PYTEST_ARGS ?=

RUN := $(VENV)/bin
DEMO := $(VENV)/.installed-demo
DEV := $(VENV)/.installed-dev
# What an installation is made from: when one of these changes, it is made again.
SOURCES := pyproject.toml constraints.txt CMakeLists.txt $(wildcard csrc/*)
BENCHMARKS = $(patsubst benchmarks/%.py,%,$(filter-out benchmarks/_%.py benchmarks/conftest.py,$(wildcard benchmarks/*.py)))

export PYTHONUTF8 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The constraints hold in the isolated build too: older pips read the first name there, newer ones the second.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt

.PHONY: help install venv demo test lint format conformance bench docs clean distclean
.DELETE_ON_ERROR:

help:
	@sed -n '3,11s/^# \{0,1\}//p' Makefile

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
&& echo "[set-up] installed: $$("$(RUN)/python" -c 'import recurra, torch; print("recurra", recurra.__version__, "with torch", torch.__version__)')"
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

docs: $(DEV)
	@echo "[docs] building docs/_build/html ..."
	@$(RUN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "[docs] open docs/_build/html/index.html"

clean:
	rm -rf build dist demo docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find $(wildcard src tests benchmarks docs) -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf "$(VENV)"
