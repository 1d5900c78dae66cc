# Stepwell: `make demo`, `make test`, `make check`. Needs Python 3.11 or newer and a package registry, nothing else.

BIN := .venv/bin
STAMP := .venv/.made-in

.DEFAULT_GOAL := help
.PHONY: help venv demo test check format coverage clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 18

venv: $(STAMP) ## .venv with Stepwell (editable) and the tools

# The stamp holds the folder that .venv was made in: in a folder that was moved or copied it is made again.
$(STAMP): pyproject.toml scripts/venv.sh
	sh scripts/venv.sh

ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

demo: venv ## a pipeline, run and looked at
	$(BIN)/stepwell run examples/audit/audit.py --out build/audit
	@echo
	@echo "The run is kept in .stepwell/. Look at it with:"
	@echo "  $(BIN)/stepwell ls"
	@echo "  $(BIN)/stepwell show last"
	@echo "  $(BIN)/stepwell resume last"
	@echo
	$(BIN)/stepwell ls
	$(BIN)/stepwell show last

test: venv ## the whole suite, proofs included
	$(BIN)/python -m pytest -n 2 --dist loadgroup

check: venv ## style, types, import law, dependencies
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m basedpyright
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m deptry .

format: venv ## put the style right where a tool can
	$(BIN)/python -m ruff check --fix
	$(BIN)/python -m ruff format

coverage: venv ## the suite with coverage, in one process
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest
	$(BIN)/python -m coverage combine
	$(BIN)/python -m coverage report

clean: ## remove what was made, .venv too
	rm -rf .venv build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
