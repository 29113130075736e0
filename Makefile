# make run    the whole workflow on the embedded encoder and the demo corpus, then a sample
# make test   the tests          make lint   ruff, mypy and the layering test
# make assets FROM=FOLDER        the public corpora, copied from a folder instead of downloaded
# make bench  the quick benchmarks
# make results [ARGS=--all]      the commands behind benchmarks/RESULTS.md, the quick ones or all
#
# PROFILE=NAME   another file in configs/profiles for `make run`
# PIP_ARGS=…     more arguments for pip, such as an index that has CPU builds of torch: on Linux the
#                default index serves the much larger CUDA build

PYTHON ?= python3
VENV ?= .venv
PROFILE ?= minilm
FROM ?=
BIN := $(VENV)/bin
PIP_ARGS ?=
EXTRAS := train,trf,offline,corpora,tuning,baselines,explain,dev

.PHONY: run test lint assets bench results install clean

run: $(VENV)/.installed
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m spacy project run all . --vars.profile $(PROFILE)
	$(BIN)/python -m pip install --quiet --no-deps --force-reinstall packages/$(PROFILE)/*/dist/*.whl
	$(BIN)/bioner show en_bioner_$(PROFILE) assets/demo/sample.txt

test: $(VENV)/.installed
	$(BIN)/python -m pytest

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layering.py

assets: $(VENV)/.installed
	$(BIN)/bioner assets $(if $(FROM),--from $(FROM))

results: $(VENV)/.installed
	$(BIN)/python benchmarks/regenerate.py $(ARGS)

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/conversion.py
	$(BIN)/python benchmarks/tokenizer_coverage.py
	$(BIN)/python benchmarks/gazetteer.py
	$(BIN)/python benchmarks/throughput.py

install: $(VENV)/.installed

$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (about a minute; torch is the large part)"
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt torch setuptools wheel
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e ".[$(EXTRAS)]"
	touch $@

clean:
	rm -rf $(VENV) corpus/*/ training metrics packages project.lock
