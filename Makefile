# `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON312 := $(shell for p in python3.12 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null && { echo "$$p"; break; }; done)

.PHONY: help setup demo test browser interop check format bench bench-full soak docs lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## make .venv with everything imgguard needs

$(VENV)/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON312)" || { echo "imgguard needs Python 3.12; none was found on the PATH." >&2; exit 3; }
	test -x $(BIN)/python || $(PYTHON312) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## register the sample originals, check the sample listings, write a report
	$(BIN)/imgguard demo

test: setup ## run the tests, but those of the pages in a browser and those against other programs
	$(BIN)/python -m pytest -n 2 -m "not browser and not interop"

browser: setup ## try the pages in Chromium (which has to be installed)
	$(BIN)/python -m pytest -n 2 -m browser tests/browser

interop: $(VENV)/.interop ## compare proofs with other programs (Debian: openssl poppler-utils golang-go golang-golang-x-mod-dev)
	$(BIN)/python -m pytest -m interop tests/interop

$(VENV)/.interop: $(VENV)/.ready tests/interop/peers.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tests/interop/peers.lock
	@touch $@

check: setup ## lint, types, layers, formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## measure accuracy and speed on a fixed sample (minutes; needs the development images)
	$(BIN)/python -m imgguard.bench

bench-full: setup ## measure on everything and write docs/benchmarks.md (an hour or more)
	$(BIN)/python -m imgguard.bench --full --write docs

soak: setup ## put the service under mixed load for ten minutes (MINUTES=n); fails when something fails or grows
	$(BIN)/python -m imgguard.bench.soak --minutes $(or $(MINUTES),10)

docs: setup ## write the documents that are generated from the code
	$(BIN)/python scripts/make_docs.py

lock: setup ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --extra dev --python-version 3.12 \
		pyproject.toml -o requirements.lock
	uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --no-deps --python-version 3.12 \
		tests/interop/peers.in -o tests/interop/peers.lock

clean: ## remove what make created, but var/demo, a store that may have been used since
	rm -rf $(VENV) build dist *.egg-info .ruff_cache .mypy_cache .pytest_cache .hypothesis var/bench var/fit
