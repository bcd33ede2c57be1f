# Two commands are enough: `make demo` and `make test`. Each sets up what it needs, once.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
export DAGSTER_HOME ?= $(CURDIR)/data/dagster
export SLUICE_LAKE  ?= $(CURDIR)/data/lake
# Nothing here may wait for a server that is not the package index.
export DAGSTER_DISABLE_TELEMETRY := 1
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help setup demo test test-fast check format reference lock ui real bench clean clean-data

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make the environment in .venv (done by every other target when needed)

$(READY): requirements.lock pyproject.toml orchestration/setup.sh
	@bash orchestration/setup.sh $(VENV)
	@touch $@

$(DAGSTER_HOME)/dagster.yaml: orchestration/dagster.yaml orchestration/dagster.postgres.yaml
	@mkdir -p $(@D)
	@cp $(if $(SLUICE_POSTGRES_URL),orchestration/dagster.postgres.yaml,orchestration/dagster.yaml) $@

demo: $(READY) $(DAGSTER_HOME)/dagster.yaml ## Run the whole road on the demo shop, and print what came out
	@$(BIN)/python -m orchestration.demo

ui: $(READY) $(DAGSTER_HOME)/dagster.yaml ## Open the Dagster UI on http://127.0.0.1:3000, with the nightly schedule
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/dg dev --host 127.0.0.1 --port 3000

test: $(READY) ## Run the test suite
	@$(BIN)/pytest -n 2 --dist worksteal -m "not real and not matrix and not objects"

test-matrix: $(READY) ## Run every cell of the long matrices: crashes at each step of a gate, each report lost
	@$(BIN)/pytest -n 2 --dist worksteal -m matrix

test-fast: $(READY) ## Run what is worth waiting for while editing
	@$(BIN)/pytest -n 2 --dist worksteal -m "not slow and not real and not matrix and not objects"

test-s3: $(READY) ## Run the demo and the whole road on an S3-compatible server that the tests start
	@$(BIN)/pytest -n 2 --dist loadfile -m objects

real: $(READY) ## Test on real data, then run Online Retail over all of its days (needs the data folder)
	@$(BIN)/pytest -n 2 --dist worksteal -m real
	@$(BIN)/python -m tests.real.online_retail

bench: $(READY) ## Measure Sluice beside its peers, in one run
	@$(BIN)/python -m tests.benchmarks

check: $(READY) ## Format, lint, types, import contracts, declarations, lock
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/dg check toml
	@$(BIN)/dg check yaml
	@$(BIN)/dg check defs
	@$(BIN)/python -W ignore -m orchestration.reference --check
	@bash orchestration/lock.sh --check $(BIN)

format: $(READY) ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

reference: $(READY) ## Write docs/reference from the models and the registries again
	@$(BIN)/python -W ignore -m orchestration.reference

lock: $(READY) ## Resolve pyproject.toml into requirements.lock again
	@bash orchestration/lock.sh --write $(BIN)

clean: ## Remove the environment and what was built; the lake and the champions stay
	@rm -rf $(VENV) build *.egg-info

clean-data: ## Show what was materialised, ask, and delete it: lake, champions, run history
	@bash orchestration/clean_data.sh "$(SLUICE_LAKE)" "$(DAGSTER_HOME)"
