# Stepwell: `make demo`, `make test`, `make check`. Needs Python 3.11 or newer and a package registry, nothing else.

BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
STAMP := .venv/.made-in

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-all crash check format coverage bench bench-quick bench-peers docs docs-serve manual clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 21

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

test-all: ## the suite under each Python from 3.11 on that is here; PYTHONS="3.12 3.13t" ARGS="tests/house"
	sh scripts/test-all.sh $(ARGS)

crash: venv ## the proofs at their long sizes, for hours; ARGS="random-kill planted --minutes 20" for a part
	$(BIN)/python -m tests.proof $(ARGS)

check: venv ## style, types on each system, import law, dependencies
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m basedpyright
	@for system in linux darwin win32; do \
		echo $(BIN)/python -m mypy --platform $$system; \
		$(BIN)/python -m mypy --platform $$system --cache-dir .mypy_cache/$$system || exit 1; \
	done
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

bench-quick: venv ## speed beside the raw limits, in a minute; fails far below a goal
	$(BIN)/python -m benchmarks --quick

bench: venv ## speed beside limits and peers; ARGS="--only W1,W5 --rounds 5 --no-peers"
	$(BIN)/python -m benchmarks $(ARGS)

bench-peers: venv ## the peers for bench, each in an environment of its own
	$(BIN)/python -m benchmarks.install

docs: venv ## the manual, in build/site; open build/site/index.html
	$(BIN)/zensical build --strict --clean

docs-serve: venv ## the manual in a browser, built again as it is written
	$(BIN)/zensical serve

manual: venv ## write into the manual what commands print now, its tables and its pictures
	MANUAL=write $(BIN)/python -m pytest -q -n 2 tests/docs/test_pages.py tests/docs/test_tables.py

clean: ## remove what was made, .venv too
	rm -rf .venv .venvs .cache benchmarks/.data benchmarks/.peers build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
