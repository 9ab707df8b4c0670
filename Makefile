# `make run` and `make test` are the two to know; `make help` lists the rest.
# Variables given to make reach the command through its environment: make run PORT=9000 LLM=none
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv || echo $(BIN)/uv)
LOCK := $(UV) pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url
# Where the marked tests are: to look for them elsewhere takes longer than some of them.
BROWSER_TESTS := tests/browser
MODEL_TESTS := tests/benchmarks tests/builder/knowledge tests/config tests/e2e tests/voice/providers/local

.DEFAULT_GOAL := help
.PHONY: help run install test test-unit test-js test-browser test-models test-postgres chromium models lint types check format frontend frontend-check lock bench-engine bench-loop bench-answers bench-turns bench-voices bench-knowledge bench-editor bench-usage bench-servers bench-billing chaos-billing

help: ## Show this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: ## Install what is missing, then serve on http://127.0.0.1:8000 (PORT, HOST, CALLWRIGHT_HOME, LLM=none)
	@exec $(PYTHON) scripts/bootstrap.py manage.py serve

install: ## Install the packages that tests and checks need
	@$(PYTHON) scripts/bootstrap.py --dev

test: install chromium models ## Run every test: Python, JavaScript, real models and browser, and once more on Postgres
	@$(MAKE) --no-print-directory --keep-going test-unit test-js test-browser test-models test-postgres

test-unit: install ## Run the tests that need neither models nor a browser, on SQLite
	$(BIN)/pytest -n 2 -m "not models and not browser"

test-js: $(if $(shell command -v npm),node_modules) ## Run the tests of the front end's modules
	@if command -v node >/dev/null; then node --test frontend/tests/*.test.js; \
	else echo "callwright: NO NODE: the JavaScript tests are SKIPPED. Install Node 20, then run this again." >&2; fi

test-browser: install $(if $(shell command -v npm),node_modules) ## Run the tests that need a browser, but no model weights
	$(BIN)/pytest -n 2 -m "browser and not models" $(BROWSER_TESTS)

test-models: install ## Run the tests that need the model weights, one at a time
	$(BIN)/pytest -m models $(MODEL_TESTS)

test-postgres: install ## Run the unit tests on Postgres, but for those of the engine, which knows no database
	$(BIN)/python scripts/with_postgres.py $(BIN)/pytest -n 2 -m "not models and not browser and not slow" $(addprefix --ignore=,$(BROWSER_TESTS) tests/voice)

chromium:
	@scripts/chromium.sh

models: install
	@$(BIN)/python -m voice.providers.local.fetch

lint: install ## Check style, templates and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/djangofmt --check --quiet templates
	$(BIN)/lint-imports

types: install ## Check types
	$(BIN)/mypy

check: install ## Check the settings and that no migration is missing
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run

format: install ## Rewrite Python and templates in the house style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/djangofmt templates

node_modules: package-lock.json
	npm install --ignore-scripts --no-save
	@touch $@

frontend: node_modules ## Build static/dist and static/icons
	npm run build

frontend-check: frontend ## Check that the committed front end is what its sources build
	@test -z "$$(git status --porcelain static/dist static/icons)" || { git status --short static/dist static/icons; exit 1; }

lock: ## Resolve pyproject.toml into the two lock files
	$(LOCK) -o requirements.lock
	$(LOCK) --group dev -o requirements-dev.lock

bench-engine: ## Measure the engine with fakes (ARGS=--peers compares)
	@exec $(PYTHON) scripts/bootstrap.py -m benchmarks.engine $(ARGS)

bench-loop: ## Measure the whole loop on recorded speech
	@exec $(PYTHON) scripts/bootstrap.py -m benchmarks.loop $(ARGS)

bench-answers: ## Measure how well the local language model answers from a prompt
	@exec $(PYTHON) scripts/bootstrap.py -m benchmarks.answers $(ARGS)

bench-turns: ## Measure turn taking on labelled clips, against silence and against the model alone
	@exec $(PYTHON) scripts/bootstrap.py -m benchmarks.turns $(ARGS)

bench-voices: ## Measure how the local voices sound: the table of the words for them
	@exec $(PYTHON) scripts/bootstrap.py -m benchmarks.voices $(ARGS)

bench-knowledge: ## Measure a search of the knowledge base
	@exec $(PYTHON) scripts/bootstrap.py -m benchmarks.knowledge $(ARGS)

bench-editor: ## Measure the editor's pages on a large agent
	@exec $(PYTHON) scripts/bootstrap.py -m benchmarks.editor $(ARGS)

bench-usage: ## Measure the pages of usage with a million calls, on SQLite and on Postgres
	@$(PYTHON) scripts/bootstrap.py -m benchmarks.usage $(ARGS)
	@$(BIN)/python scripts/with_postgres.py $(BIN)/python -m benchmarks.usage $(ARGS)

bench-servers: ## Compare the ASGI servers on the audio frames of test calls
	@exec $(PYTHON) scripts/bootstrap.py -m benchmarks.servers $(ARGS)

bench-billing: ## Measure how many usage events a second are recorded, on SQLite and on Postgres
	@$(PYTHON) scripts/bootstrap.py -m benchmarks.billing $(ARGS)
	@$(BIN)/python scripts/with_postgres.py $(BIN)/python -m benchmarks.billing $(ARGS)

chaos-billing: install ## Kill servers and workers during 200 calls, and prove that each is billed once for what ran
	$(BIN)/python -m benchmarks.chaos $(ARGS)
