# `make run` and `make test` need Python 3.11 or newer, git and make; everything else they fetch themselves.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin
APPS := accounts patients followups consultations conversations metrics clinic_crm
WORKERS ?= 2
ARGS ?=
PO := locale/zh_Hans/LC_MESSAGES/django.po
MO := $(PO:.po=.mo)
CSS := static/dist/app.css
CSS_SOURCES := $(shell find templates static/src static/js $(APPS) -name '*.html' -o -name '*.css' -o -name '*.js' -o -name '*.py')
export PORT DEMO

.PHONY: help setup run test lint format bench chaos drill soak messages screenshots docs browser clean

help: ## show these lines
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: .venv/.installed $(CSS) $(MO) ## virtual environment, locked dependencies, CSS, translations

.venv/.installed: requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Installing the locked dependencies into .venv …"
	@$(PYTHON) -m venv .venv || { echo "On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(CSS): .venv/.installed $(CSS_SOURCES)
	@mkdir -p $(@D)
	@$(BIN)/tailwindcss --input static/src/app.css --output $@.new --minify --silent
	@mv $@.new $@

$(MO): .venv/.installed $(PO) tools/messages.py
	@$(BIN)/python tools/messages.py compile

run: setup ## everything on http://127.0.0.1:$PORT (8000); DEMO=0 for no demo data; Ctrl-C stops it
	@$(BIN)/python -m clinic_crm.supervise

browser: .venv/.installed
	@$(BIN)/python tools/browser.py

test: setup browser ## all tests, the browser's included; ARGS="tests/patients -k import" for some
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: setup ## style, types, import order, templates, migrations, dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py lintmigrations --no-cache --quiet ok ignore warning --include-apps $(filter-out clinic_crm,$(APPS)) \
		--ignore-name-contains initial
	$(BIN)/deptry .
	$(BIN)/python tools/messages.py check

format: setup ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## speed, as ratios to floors taken in the same run
	@$(BIN)/python -m bench.run $(ARGS)

chaos: setup ## crashes: workers, Valkey and PostgreSQL killed while messages leave (about ten minutes)
	@$(BIN)/python -m tools.chaos

drill: setup ## back up, destroy, restore, compare; damaged backups are refused (about two minutes)
	@$(BIN)/python -m tools.drill

soak: setup ## eight clients for ten minutes on 1,000,000 patients; SOAK_MINUTES and SOAK_PATIENTS for less
	@$(BIN)/python -m tools.soak

messages: setup ## take new strings into locale/, then translate what it prints
	@$(BIN)/python tools/messages.py update

screenshots: setup browser ## pictures of the running product, for the README
	@$(BIN)/python tools/screenshots.py $(ARGS)

docs: .venv/.installed $(MO) ## the handbook as a searchable site in docs/_build/html
	@$(BIN)/sphinx-build --fail-on-warning --quiet --fresh-env docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

clean: ## remove what the other targets built; the data in var/ stays
	rm -rf .venv static/dist docs/_build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache $(MO)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
