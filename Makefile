# Everything runs in .venv, which the first target that needs it makes from pyproject.toml.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# what is installed beside the package; tests/browser wants dev,browser
EXTRAS ?= dev

# of `make fuzz`
COUNT ?= 1000000
SEED ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test quick lint conformance notebooks topologies diagrams vectors interop bench fuzz clean

help: ## Say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

demo: $(READY) ## Run the main job: two sites, one tunnel, its story, a capture and a page for the browser in out/
	$(BIN)/ipsecsim run site_to_site --out out

test: $(READY) ## Run all tests
	$(BIN)/python -m pytest -n auto

quick: $(READY) ## The loop while working: tests that take no time, then lint
	$(BIN)/python -m pytest -n auto -m 'not slow'
	$(MAKE) --no-print-directory lint

lint: $(READY) ## Style, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

conformance: $(READY) ## Requirements, the tests that bear them out and their results; writes docs/conformance.md
	$(BIN)/python -m tests.conformance -n auto

notebooks: $(READY) ## Every notebook from a fresh kernel, its pair in step, its exercises solved; a line each
	$(BIN)/python -m tests.notebooks

topologies: $(READY) ## Every topology and cell, twice: repeats, invariants, claims, golden story
	$(BIN)/ipsecsim check --run topologies --golden tests/worlds/golden

diagrams: $(READY) ## The state machines as text and pictures; writes docs/state-diagrams.md
	$(BIN)/python -m tests.docs.state_diagrams

vectors: $(READY) ## Published vectors and recordings, as a table
	$(BIN)/python -m tests.vectors

interop: $(READY) ## Our engines against a live strongSwan and a live Linux kernel, a row a step
	$(BIN)/python -m tests.interop

fuzz: $(READY) ## A million hostile datagrams, a row a target (COUNT=..., SEED=...)
	$(BIN)/python -m tests.hostile --count $(COUNT) --seed $(SEED)

bench: $(READY) ## Speed, as ratios to a floor measured in the same run; writes bench.json
	-$(BIN)/pip install --quiet --disable-pip-version-check --only-binary :all: ns3
	$(BIN)/python -m tests.bench

clean: ## Remove what was made
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
