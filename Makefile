# Two commands for a machine with Python 3.11, git and make: `make demo` and `make test`. Each does its own set-up.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test forgeries test-server lint clean

demo: $(VENV)/.installed
	$(BIN)/esc-skills demo --into .demo

test: $(VENV)/.installed-test
	$(BIN)/pytest -n auto --dist loadfile -q --ignore tests/forgeries

# Evidence forged in 239 ways that are refused and 10 that only others can answer: two minutes, so not with the tests.
forgeries: $(VENV)/.installed-test
	$(BIN)/pytest -n auto -q tests/forgeries

# At llama.cpp's own server, which pip builds once: that takes some minutes and a C++ compiler, the tests one minute.
test-server: $(VENV)/.installed-server
	$(BIN)/pytest -q tests/server

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	! command -v actionlint > /dev/null || actionlint
	$(BIN)/check-jsonschema --check-metaschema schemas/*.schema.json
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/esc-skills validate .
	$(BIN)/esc-skills validate examples

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

$(VENV)/.installed-server: $(VENV)/.installed-test
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[server]'
	touch $@

$(VENV)/.installed-lint: $(VENV)/.installed-test
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[lint]'
	touch $@

clean:
	rm -rf $(VENV) .demo dist build
