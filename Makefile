# Everything is set up in .venv, by whichever target needs it first.
VENV    := .venv
PYTHON  ?= python3
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
N       ?= 20000
TIME    ?= 600

.PHONY: conformance postgres demo demo-prefect test lint types wheel golden bench vsix editors clean fuzz soak ray

demo: $(READY)  ## apply a real spec, and ask the service for a prediction
	@PATH="$(abspath $(BIN)):$$PATH" sh specs/telco_churn/demo.sh

demo-prefect: $(READY)  ## the same spec here, and on a Prefect server with a worker and S3, all on loopback
	$(BIN)/python -m benchmarks.on_prefect

test: $(READY)  ## all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

postgres:  ## the server that tests/test_postgres.py starts: on Debian, as root
	apt-get install -y -qq --no-install-recommends postgresql

conformance: $(READY)  ## every spec on every runtime: the same digests; `make test` has two of them
	MLSPEC_SPECS=all $(BIN)/python -m pytest tests/conformance -k specs

ray: $(READY)  ## runner = "ray" in a cluster of this machine: the same digests
	$(BIN)/python -m pip install -qq -e '.[ray]'
	$(BIN)/python -m pytest tests/conformance/test_prefect.py -k cluster

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	mkdir -p $(VENV)/types && ln -sfn ../.. $(VENV)/types/mlspec  # mypy knows packages by their folder's name
	MYPYPATH=$(VENV)/types $(BIN)/mypy -p mlspec

wheel: $(READY)  ## the tests against the built wheel, from another folder
	sh tests/against_wheel.sh $(BIN)/python

golden: $(READY)  ## write the goldens anew; read the diff
	MLSPEC_GOLDEN=write $(BIN)/python -m pytest -q tests/test_corpus.py

soak: $(READY)  ## 100,000 small files in one folder, to an S3 server and back; see benchmarks/README.md
	MLSPEC_MANY=100000 $(BIN)/python -m pytest -s tests/test_bucket.py -k many_small

fuzz: $(READY)  ## judge texts that nobody would write; N=1000000 for more, see tests/fuzz/README.md
	$(BIN)/python tests/fuzz/run.py --inputs $(N) --seconds $(TIME)
	$(BIN)/python -m pip install -qq -e '.[fuzz]'
	$(BIN)/python tests/fuzz/run.py --inputs $(N) --seconds $(TIME) --guided

bench: $(READY)  ## see benchmarks/README.md
	$(BIN)/python -m benchmarks

editors: $(READY)  ## the language server in a real Neovim
	sh tests/lsp/neovim.sh $(BIN)/python

vsix:  ## the extension for VS Code, as dist/mlspec-VERSION.vsix; see grammar/editors/README.md
	sh grammar/editors/vscode/build.sh $(PYTHON)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --upgrade pip
	$(BIN)/python -m pip install -qq -e '.[test,lint]'
	touch $(READY)

clean:
	rm -rf $(VENV) build dist *.egg-info
