# make demo: set up, do the whole job on the sample bank, then serve. make test: set up, pass the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint benchmark lock clean

demo: $(READY)
	$(BIN)/loadline demo

test: $(READY) lint
	$(BIN)/pytest -n 2 $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

benchmark: $(READY)
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

# Locked by hash; --no-deps for the project itself, so nothing unlocked comes in.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo "Loadline needs Python 3.11, 3.12 or 3.13, found: $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --all-extras --no-header \
		pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--constraints requirements.lock pyproject.toml -o requirements-runtime.lock

clean:
	rm -rf $(VENV) .loadline
