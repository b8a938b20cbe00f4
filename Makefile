# One command per habit, the same here and in CI. Each one does its own set-up.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install
WORKERS ?= 2
PACKAGES := domain ingest rules alerts simulators storage api hazwatch
QUICK := $(wildcard tests/unit tests/contract tests/scenarios)
COMPOSE := docker compose --file deploy/compose/compose.yaml

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: .venv/run ## the demonstration: plant, broker, database, worker, dashboard (ARGS=--help tells more)
	@$(BIN)/hazwatch demo $(ARGS)

.PHONY: test
test: .venv/dev ## every test, against real servers that it installs (root, Debian), starts and stops
	@$(BIN)/python -m tests.support.install
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal --durations=10 $(ARGS)

.PHONY: quick
quick: .venv/dev ## unit, contract and scenario tests that need no server: a minute or two
	@$(BIN)/pytest --quiet -m 'not (soak or database or broker or browser)' $(QUICK) $(ARGS)

.PHONY: check
check: .venv/dev ## format, lint, types, and who may import whom
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy $(PACKAGES) tests
	@$(BIN)/lint-imports

.PHONY: fix
fix: .venv/dev ## format, and mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: bench
bench: .venv/dev ## benchmarks on this machine, all or ONLY=rules|ingest|alarms, into build/bench.json
	@$(BIN)/python -m tests.support.install
	@$(BIN)/python -m tests.benchmarks $(ONLY)

.PHONY: cover
cover: .venv/dev ## every test, with the lines that none of them reached
	@$(BIN)/python -m tests.support.install
	@$(BIN)/pytest $(PACKAGES:%=--cov=%) --cov-branch --cov-report=term-missing:skip-covered $(ARGS)

.PHONY: up
up: ## the whole service in containers, with passwords made once and data that stays
	@deploy/compose/make-secrets
	@$(COMPOSE) up --detach --wait

.PHONY: down
down: ## stop those containers; their data stays
	@$(COMPOSE) down

.PHONY: clean
clean: ## delete everything that these commands made in this folder
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -m venv .venv

.venv/run: pyproject.toml | .venv/bin/python
	@$(PIP) --editable .
	@$(BIN)/hazwatch prepare
	@touch $@

.venv/dev: pyproject.toml | .venv/bin/python
	@$(PIP) --editable '.[dev]'
	@$(BIN)/hazwatch prepare
	@touch .venv/run $@
