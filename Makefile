# Two commands matter: `make demo` shows the whole pipeline, `make test` checks it. Both set up what is missing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: audit mutation kill fuzz load demo test test-user test-lowest lint docs lock clean

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
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev,docs,imagenet,onnx,ray,reference]'
	touch $(READY)

# Names and versions only, for every platform.
lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --no-annotate --no-header --no-emit-index-url --quiet --output-file constraints.txt --upgrade

clean:
	rm -rf $(VENV) dist docs/_build demo runs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# The tests of all rooms but the verbs', with the lowest versions that pyproject.toml allows.
test-lowest: $(READY)
	rm -rf $(VENV)-lowest && $(PYTHON) -m venv $(VENV)-lowest
	$(BIN)/uv pip install --quiet --python $(VENV)-lowest/bin/python --resolution lowest-direct '.[dev]'
	$(VENV)-lowest/bin/python -m pytest --numprocesses auto tests/signal tests/represent tests/model tests/searcher \
		tests/data tests/test_metric.py tests/test_config.py tests/test_cli.py
	rm -rf $(VENV)-lowest

# Tools of the targets below.
$(VENV)/.trust: $(READY)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[trust]'
	touch $(VENV)/.trust

# A plan to install the lowest and the locked versions on each Python; licences; known vulnerabilities, for which an
# advisory service is asked: where it is out of reach, the last line says UNAVAILABLE and the target fails.
audit: $(VENV)/.trust
	for python in 3.11 3.12 3.13; do \
		$(BIN)/uv pip compile --quiet --python-version $$python --resolution lowest-direct pyproject.toml -o $(VENV)/lowest-$$python.txt && \
		$(BIN)/uv pip compile --quiet --python-version $$python --constraint constraints.txt pyproject.toml -o $(VENV)/locked-$$python.txt && \
		echo "Python $$python: the lowest and the locked versions go together" || exit 1; \
	done
	$(BIN)/python benchmarks/dependencies.py

# Faults put into the code one at a time: those that once went unseen, then 200 drawn at random; 85 of 100 have to be
# killed. An hour on two cores.
mutation: $(VENV)/.trust
	$(BIN)/python benchmarks/mutants.py
	$(BIN)/python benchmarks/mutation.py --mutants 200 --out $(VENV)/mutation.csv

# 200 kills over all verbs: nothing lost, doubled, stuck or left over. Ten minutes on two cores.
kill: $(READY)
	$(BIN)/python benchmarks/kill.py --kills 200

# Ten minutes of a coverage-guided fuzzer on each reader of files; what it finds lies in $(VENV)/fuzz.
fuzz: $(VENV)/.trust
	mkdir -p $(VENV)/fuzz && cd $(VENV)/fuzz && ../bin/python ../../benchmarks/fuzz.py all -max_total_time=600 -timeout=20

# 60,000 cadences, 100,000 candidates, and 2,000 training steps.
load: $(READY)
	$(BIN)/python benchmarks/load.py
	$(BIN)/python benchmarks/memory.py
