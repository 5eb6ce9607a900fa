# The one list of commands, for people and for CI. Each works on the environment that is active.

.PHONY: help build wheel fmt fmt-check lint rust-test py-test test docs bench simulate side-by-side side-by-side-over-time schema clean
.DEFAULT_GOAL := help

help:  ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

build:  ## Install the package with its tests' needs, optimised
	pip install '.[test]'

wheel:  ## Build the abi3 wheel into dist/
	pip wheel --no-deps --wheel-dir dist .

fmt:  ## Format Rust and Python
	cargo fmt --all
	ruff format .
	ruff check --fix-only .

fmt-check:  ## Tell whether everything is formatted
	cargo fmt --all --check
	ruff format --check .

lint:  ## Clippy, ruff, mypy
	cargo clippy --workspace --all-targets -- -D warnings
	ruff check .
	mypy

rust-test:  ## Run the Rust tests
	cargo test --workspace --exclude driftline-python

py-test:  ## Run the Python tests on the installed package
	pytest

test: rust-test py-test  ## Run all tests

docs:  ## Build the site into docs/_build, warnings are errors
	sphinx-build -W --keep-going -b html docs docs/_build/html

bench:  ## Measure speed and memory beside the rivals
	python benches/run.py

simulate:  ## Simulate what comparisons promise; the docs show the tables
	python -m simulations --state simulations.state --markdown docs/reference/simulations.inc

side-by-side:  ## Compare drift detectors on two tables; the docs show the tables
	python benches/side_by_side.py --markdown docs/concepts/side-by-side.inc

side-by-side-over-time:  ## Compare a monitor with a look at each window; the docs show the tables
	python benches/side_by_side_over_time.py --markdown docs/concepts/side-by-side-over-time.inc

schema:  ## Write the JSON Schema of driftline.yaml
	python -c "import json; from driftline._config import json_schema as s; print(json.dumps(s(), indent=2))" > docs/reference/driftline.schema.json

clean:  ## Remove what was built
	rm -rf target dist docs/_build
