# Two commands do everything on a fresh Debian or Ubuntu machine with Python, make and gcc:
#   make demo    twelve labelled yoga pictures in demo/
#   make test    the test suite
# make lint runs linters and types, make docs builds the documentation into site/.
# PYTHON names the interpreter the virtual environment is made from (3.11 to 3.13).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A stamp is newer than pyproject.toml as long as what is installed fits it.
DEMO_READY := $(VENV)/.installed-render
TEST_READY := $(VENV)/.installed-all-dev
DOCS_READY := $(VENV)/.installed-docs
# A worker that renders needs 2.5 GB; files stay whole, for their fixtures are dear, and in the
# order of tests/conftest.py, which begins with those that take long.
TWO_AT_A_TIME := -n 2 --dist loadfile --no-loadscope-reorder

.DELETE_ON_ERROR:
.PHONY: demo test test-quick test-exhaustive lint docs bench clean

demo: $(DEMO_READY)
	$(BIN)/spinetrack-synth assets fetch
	$(BIN)/spinetrack-synth render --scenes yoga --count 12 --seed 7 --out demo
	@echo "Look at $(CURDIR)/demo/contact_sheet.jpg"

test: $(TEST_READY)
	$(BIN)/spinetrack-synth assets fetch
	$(BIN)/python -m pytest $(TWO_AT_A_TIME)

test-quick: $(TEST_READY)
	$(BIN)/python -m pytest $(TWO_AT_A_TIME) -m "not slow and not exhaustive"

test-exhaustive: $(TEST_READY)
	$(BIN)/spinetrack-synth assets fetch
	$(BIN)/python -m pytest $(TWO_AT_A_TIME) -m exhaustive

lint: $(TEST_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(DOCS_READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Open $(CURDIR)/site/index.html"

bench: $(TEST_READY)
	set -e; for file in benchmarks/*.py; do $(BIN)/python $$file; done

clean:
	rm -rf $(VENV) demo build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	PYTHON=$(PYTHON) sh scripts/system_libraries.sh
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "$(PYTHON) is not Python 3.11 to 3.13: run make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(DEMO_READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[render]'
	@touch $@

$(TEST_READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all,dev]'
	@touch $@

$(DOCS_READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@
