# Everything needs nothing beforehand but Python 3.11+, make and the package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FLASK := $(BIN)/flask --app app
CATALOGUES := $(wildcard translations/*/LC_MESSAGES/*.po)

.DEFAULT_GOAL := help

.PHONY: help
help: ## say what every target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.run: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements-test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@

# Compiled anew when the texts change; a new virtual environment is no reason.
%.mo: %.po | $(VENV)/.run
	$(BIN)/pybabel -q compile --input-file $< --output-file $@

.PHONY: install
install: $(VENV)/.run $(CATALOGUES:.po=.mo) ## make the virtual environment from the pinned requirements

.PHONY: install-test
install-test: install $(VENV)/.test ## the same, with what the tests need

.PHONY: run
run: install ## install, migrate, load the demo county and serve on 127.0.0.1:8080
	@$(FLASK) db upgrade
	@$(FLASK) sync-roles
	@$(FLASK) demo --if-empty
	@$(FLASK) serve

.PHONY: test
test: install-test ## run every check and test, on SQLite and on PostgreSQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: format
format: install-test ## put the source into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: install-test ## print the benchmarks, as ratios against floors measured in the same run
	$(BIN)/python -m bench

# The Chinese catalogue is kept by hand: our own texts are Chinese, it speaks for the libraries only.
.PHONY: translations
translations: install ## gather the interface's texts into the English catalogue, and compile both
	@mkdir -p var
	PYTHONPATH=. $(BIN)/pybabel -q extract -F translations/babel.cfg --no-wrap --add-location=file --sort-by-file -o var/messages.pot .
	$(BIN)/pybabel -q update -i var/messages.pot -d translations -l en --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(MAKE) --no-print-directory install

.PHONY: pictures
pictures: install-test ## remake the pictures of the README and the guide from a demo county
	$(BIN)/python docs/guide/make_pictures.py

.PHONY: lock
lock: ## resolve pyproject.toml anew and pin it in the requirements files
	rm -rf var/lock && mkdir -p var && $(PYTHON) -m venv var/lock
	var/lock/bin/pip install --quiet --disable-pip-version-check pip-tools
	var/lock/bin/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate --resolver=backtracking -o requirements.txt pyproject.toml
	var/lock/bin/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate --resolver=backtracking --extra test -o requirements-test.txt pyproject.toml
	rm -rf var/lock

.PHONY: clean
clean: ## remove the virtual environment and caches; the data under var/ stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
