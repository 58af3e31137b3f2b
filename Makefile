.DEFAULT_GOAL := help
.PHONY: help install demo check test bench catalogue

# The first that is there, runs (a version manager's stand-in may not) and is new enough.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
JOBS ?= auto

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/.installed ## The command at .venv/bin/dealtrail, with all it needs

.venv/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Dealtrail needs Python 3.11 or later on the PATH"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install ## A small company in the embedded database, and its reports
	$(BIN)/dealtrail demo

check: install ## Format, lint, types, layers, unit and property tests: seconds
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	$(BIN)/pytest tests/unit tests/property -n $(JOBS)

test: install check ## Everything, on a real PostgreSQL that starts and stops by itself
	$(BIN)/pytest tests -n $(JOBS) --ignore tests/unit --ignore tests/property

bench: install ## Speed, each figure against the stock library in the same run
	$(BIN)/python -m benchmarks

catalogue: install ## Take over an additive change of the stored events; write what of docs/ is made from the code
	$(BIN)/python -m tests.catalogue
	$(BIN)/python -m tests.reference
	$(BIN)/python -m tests.access_table
	$(BIN)/python -m tests.asyncapi
