# Two commands matter: `make demo` shows the whole pipeline, `make test` checks it. Both set up what is missing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: audit mutation kill demo test test-user test-lowest lint docs lock clean

demo: $(READY)
	$(BIN)/abacad demo demo

test: $(READY) lint
	$(BIN)/python -m pytest --numprocesses auto

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# The command line in an environment without development packages.
test-user: $(READY)
	rm -rf $(VENV)-user && $(PYTHON) -m venv $(VENV)-user
	$(BIN)/uv pip install --quiet --python $(VENV)-user/bin/python --constraint constraints.txt .
	$(VENV)-user/bin/python tests/user.py
	rm -rf $(VENV)-user

# Writes docs/cli.md from the code, then the site; links, the pages' commands and all examples are checked.
docs: $(READY)
	$(BIN)/python docs/make_cli.py
	$(BIN)/python -m sphinx --fail-on-warning --quiet -b html docs docs/_build/html
	$(BIN)/python -m pytest -q tests/test_docs.py tests/test_examples.py

.PHONY: pictures package

# Draws the pictures of README and site anew.
pictures: $(READY)
	$(BIN)/python docs/pictures.py

# What a package index takes: sdist and wheel, checked.
package: $(READY)
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*

# uv installs in seconds what pip takes minutes for. Bytecode is compiled at once: the first start is as fast as any.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev,docs,imagenet,onnx,reference]'
	touch $(READY)

# Names and versions only, for every platform.
lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --no-annotate --no-header --no-emit-index-url --quiet --output-file constraints.txt --upgrade

clean:
	rm -rf $(VENV) dist docs/_build demo runs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# Licences of what is installed, known vulnerabilities (asks an advisory service), and the lower bounds as a plan to install.
# The tests of all rooms but the verbs', with the lowest versions that pyproject.toml allows.
test-lowest: $(READY)
	rm -rf $(VENV)-lowest && $(PYTHON) -m venv $(VENV)-lowest
	$(BIN)/uv pip install --quiet --python $(VENV)-lowest/bin/python --resolution lowest-direct '.[dev]'
	$(VENV)-lowest/bin/python -m pytest --numprocesses auto tests/signal tests/represent tests/model tests/searcher \
		tests/data tests/test_metric.py tests/test_config.py tests/test_cli.py
	rm -rf $(VENV)-lowest

audit: $(READY)
	$(BIN)/python benchmarks/dependencies.py
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --no-header --no-annotate pyproject.toml -o /dev/null

# Faults put into the code one at a time: each must make a test fail. An hour on two cores.
mutation: $(READY)
	$(BIN)/python benchmarks/mutants.py

# 200 kills over all verbs: nothing lost, doubled, stuck or left over. An hour on two cores.
kill: $(READY)
	$(BIN)/python benchmarks/kill.py --kills 200
