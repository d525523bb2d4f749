# Two commands for a machine with Python 3.11 to 3.14, git and make: `make demo` and `make test`. Each does its own set-up.
#
# All packages come in the versions of constraints.txt, with which the tests passed; `make newest` runs the tests with what the
# index holds today, and `make constraints` writes those versions into the file.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable

.PHONY: demo test newest constraints thorough forgeries test-server interop lint docs reference readability clean

demo: $(VENV)/.installed
	$(BIN)/esc-skills demo --into .demo

test: $(VENV)/.installed-test
	$(BIN)/pytest -n auto --dist loadfile -q -m "not thorough" --ignore tests/forgeries

newest:
	rm -rf .venv-newest
	$(MAKE) test VENV=.venv-newest CONSTRAINTS=

constraints:
	rm -rf .venv-newest
	$(MAKE) .venv-newest/.installed-lint .venv-newest/.installed-docs VENV=.venv-newest CONSTRAINTS=
	.venv-newest/bin/pip freeze --exclude-editable | grep -v ' @ ' > constraints.txt

# What takes seconds a test: runs that are killed again and again, long simulations, and all forgeries.
thorough: forgeries
	$(BIN)/pytest -n auto -q -m thorough --ignore tests/forgeries

# Evidence forged in 238 ways that are refused and 10 that only others can answer: two minutes, so not with the tests.
forgeries: $(VENV)/.installed-test
	$(BIN)/pytest -n auto -q tests/forgeries

# At llama.cpp's own server, which pip builds once: that takes some minutes and a C++ compiler, the tests one minute.
test-server: $(VENV)/.installed-server
	$(BIN)/pytest -q tests/server

# The bank in 26 real clients, each in an environment of its own: some ten minutes and 6 GB at first, then two minutes.
# `make interop ONLY=agno,strands` runs a part. Clients from npm want Node 20 or newer, one of pip Python 3.13.
interop: $(VENV)/.installed
	$(BIN)/python bench/interop $(ONLY)

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

# The pages as a site in .site. A link to nowhere, to no anchor, or a page outside the contents ends it.
docs: $(VENV)/.installed-docs
	$(BIN)/mkdocs build --strict --clean

# What the pages in docs/reference/ say follows from commands, schemas and vocabularies.
reference: $(VENV)/.installed
	$(BIN)/python bench/reference.py

# How long the sentences of each page are.
readability: $(VENV)/.installed
	$(BIN)/python bench/readability.py

$(VENV)/.installed: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(INSTALL) '.[test]'
	touch $@

$(VENV)/.installed-server: $(VENV)/.installed-test
	$(INSTALL) '.[server]'
	touch $@

$(VENV)/.installed-lint: $(VENV)/.installed-test
	$(INSTALL) '.[lint]'
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(INSTALL) '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) .venv-newest .venv-interop .demo .site dist build
