# Two commands for a bare machine: `make demo` and `make test`. Both set up everything they need.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# Tests that run at a time, by file. A worker and its trials take up to 2 GB.
WORKERS ?= 2
# Quiet, repeatable TensorFlow, in every target alike.
export TF_CPP_MIN_LOG_LEVEL ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup alone demo test lint types layers format generate bench soak clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "hypernets needs Python 3.11 to 3.13; received %d.%d (set PYTHON=python3.12, say)" % v)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

setup: $(READY)  ## make the virtual environment (once)

# A regular package of the same name anywhere on the path, even last, hides this one completely, so
# that nothing of it could even say so.
alone: $(READY)
	@$(BIN)/python -c 'import sys, importlib.util as u; s = u.find_spec("hypernets"); sys.exit(f"the package hypernets at {s.origin} hides this one; uninstall it, or take it off PYTHONPATH" if s.origin else 0)'

demo: alone  ## search a CNN for real images, with live progress (DATA=digits | mnist | fashion-mnist | a path; SEED=0)
	$(BIN)/python -m hypernets.adapters.demo --data "$(or $(DATA),digits)" --seed "$(or $(SEED),0)"

test: alone lint types layers  ## check everything
	$(BIN)/python -m pytest -m "not soak" -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

lint: $(READY)  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## static types
	$(BIN)/mypy

layers: $(READY)  ## the direction of dependencies
	$(BIN)/lint-imports

format: $(READY)  ## rewrite the sources in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(READY)  ## write the generated sources again from the installed Keras
	$(BIN)/python -m hypernets.adapters.keras.generation

bench: $(READY)  ## every benchmark, one JSON line per figure
	@for program in benchmarks/bench_*.py; do $(BIN)/python $$program || exit 1; done

soak: $(READY)  ## the long tests
	$(BIN)/python -m pytest -m soak $(PYTEST_ARGS)

clean:  ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
