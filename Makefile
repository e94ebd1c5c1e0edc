# Python 3.11 or newer, git and make are enough: every target makes the environment that it needs.
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.ready-run
DEV_READY := $(VENV)/.ready-dev
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
  $$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PYTEST := $(BIN)/python -m pytest
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe \
  --no-strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

.PHONY: demo tui screenshots test check lint lab bench lock clean

# Some of its hosts need hands, which is exit code 7.
demo: $(RUN_READY)  ## recover a bundled mock fleet, headless, in virtual time
	@mkdir -p var && rm -f var/demo.db*
	$(BIN)/python -m recovery run rollback --mock -i inventory/demo.yaml --incident crowdstrike-291 \
	  --speed max --seed 7 --yes --journal var/demo.db || test $$? -eq 7

tui: $(RUN_READY)  ## the dashboard over a mock airline of 3,000 hosts, at sixty times the speed of life
	@mkdir -p var
	$(BIN)/python -m recovery --journal var/tui.db tui --mock -i inventory/airline.yaml --speed 60x --seed 4

# Guests that starve miss their windows, so the lab's tests run alone, after the others.
test: lint  ## every check
	rm -f .coverage .coverage.*
	$(PYTEST) -n auto --maxprocesses 4 --dist loadgroup -m "not lab" --cov --cov-report= --cov-fail-under=0
	$(PYTEST) -m lab --cov --cov-append --cov-report=term

check: lint  ## what to run before each commit
	$(PYTEST) -q -n auto --maxprocesses 4 --dist loadgroup -m "not slow and not lab"

lint: $(DEV_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

lab: $(DEV_READY)  ## real guests in a real boot loop, until Ctrl-C
	$(BIN)/python -m tests.lab

bench: $(DEV_READY)  ## the program beside its peers
	$(BIN)/python -m tests.perf

screenshots: $(DEV_READY)  ## pictures of the running dashboard for the README
	$(BIN)/python -m tests.screenshots docs/screenshots

lock: $(DEV_READY)  ## resolve both environments anew
	env -u PIP_FIND_LINKS $(COMPILE) -o requirements.txt pyproject.toml
	env -u PIP_FIND_LINKS $(COMPILE) -o requirements-dev.txt pyproject.toml requirements-dev.in

clean:
	rm -rf $(VENV) var dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv module is needed." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUN_READY): requirements.txt | $(BIN)/python
	@echo "Installing what the program needs into $(VENV)"
	$(PIP) install --require-hashes -r requirements.txt
	@touch $@

$(DEV_READY): requirements-dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the checks need into $(VENV)"
	$(PIP) install --require-hashes -r requirements-dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(RUN_READY)
