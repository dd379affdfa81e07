# What a person types. Python 3.11 to 3.14 and make are enough; the rest comes from hashed packages.
# Set PYTHON=/path/to/python to choose one.

# How many processes run test files side by side; they share one Keycloak, the rest each has of its own.
AT_ONCE ?= 2
VENV := .venv
RUN := $(VENV)/bin/
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench chaos lock keycloak clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Make .venv and install everything into it, once

demo: $(INSTALLED) ## Run the main job on real services and leave it running (ONCE=1: run and end)
	$(RUN)python -m examples.demo $(if $(ONCE),--once)

test: $(INSTALLED) ## Run all tests, those on real services included
	$(RUN)pytest -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(INSTALLED) ## Style, types, layers, and docs/coverage.md up to date
	$(RUN)ruff check
	$(RUN)ruff format --check
	$(RUN)mypy
	$(RUN)lint-imports
	$(RUN)python -m tests.coverage_table --check

bench: $(INSTALLED) ## Run the benchmarks
	$(RUN)python -m bench

chaos: $(INSTALLED) ## Kill workers and services in the middle of the work (SEED="1 2 3", PEOPLE=5000)
	FSM_CHAOS=whole $(RUN)pytest -n $(AT_ONCE) --dist load tests/chaos
	$(RUN)python -m tests.chaos.story $(if $(PEOPLE),--people $(PEOPLE)) $(SEED)

lock: $(INSTALLED) ## Resolve all dependencies anew and write uv.lock and requirements.txt
	rm -f uv.lock
	$(RUN)uv lock
	@# The lock must not depend on whose index was asked: names and hashes say which files are meant.
	sed -i -E \
	  -e 's#https://[^/"]+/simple#https://index.invalid/simple#' \
	  -e 's#https://[^/"]+/packages/#https://files.invalid/packages/#' uv.lock
	$(RUN)uv export -q --frozen --all-extras --all-groups --no-emit-project \
	  --format requirements-txt -o requirements.txt

keycloak: $(INSTALLED) ## Move to another Keycloak, for good (VERSION=26.8.0); FSM_DEV_KEYCLOAK_VERSION only tries one
	$(RUN)python -m tests.keycloak_version $(VERSION)

clean: ## Remove what was built here; the user's cache and stacks (.dev, .demo) stay
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find mappings sync workers tests -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt pyproject.toml
	@test -x $(RUN)python || { python=$$(sh .ci/find-python "$(PYTHON)") && "$$python" -m venv $(VENV); }
	@echo "Installing packages into $(VENV), once (about a minute)"
	$(RUN)python -m pip install --quiet --require-hashes -r requirements.txt
	$(RUN)python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@
