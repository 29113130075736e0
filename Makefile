# make run    the entities of the pipeline that ships, then the whole workflow on the embedded encoder
#             and the demo corpus, and a sample
# make test   the tests          make lint   ruff, mypy and the layering test
# make coverage  the tests, with the lines and branches that they reach
# make assets FROM=FOLDER        the public corpora, copied from a folder instead of downloaded
# make docs   docs/api.md from the docstrings of the public names
# make bench  the quick benchmarks
# make mutants [ARGS=…]          put faults into a copy of the sources, and see that the tests notice each
# make fuzz   hostile texts, damaged files, memory and kills, in about 7 minutes; SEED=N draws others.
#             After `make run` with the trained pipeline; `make -k fuzz` goes on after a fault
# make results [ARGS=--all]      the commands behind benchmarks/RESULTS.md, the quick ones or all
# make test WHEEL=yes            the tests on the built wheel, without the sources beside them
# make test-trf test-scispacy    the tests that need spacy-transformers or scispaCy, each in an
#                                environment of its own: their pins exclude current versions
# make test-pythons              what needs no torch, on each of Python 3.10, 3.12 and 3.13 that is here
# make locks                     resolve the versions in locks/ anew
#
# PROFILE=NAME   another file in configs/profiles for `make run`
# PYTHON=…       the interpreter for the environment, 3.10 or newer
# PIP_ARGS=…     more arguments for pip, such as an index that has CPU builds of torch: on Linux the
#                default index serves the much larger CUDA build

PYTHON ?= python3
VENV ?= .venv
PROFILE ?= demo
FROM ?=
WHEEL ?=
BIN := $(VENV)/bin
PIP_ARGS ?=
SEED ?= 0
# The trained pipeline is fuzzed where there is one.
MODEL ?= training/demo/pipeline
TRAINED := $(if $(wildcard $(MODEL)/config.cfg),--model $(MODEL),--trained 0)
INSTALL := $(PYTHON) locks/install.py
SHIPPED = $(wildcard assets/pipelines/en_bioner_multi-*.whl)
# Files of tests are shared out to processes, with one thread each.
WORKERS := -n auto --maxprocesses 4 --dist loadfile
PYTEST := OMP_NUM_THREADS=1 $(abspath $(BIN))/python -m pytest $(WORKERS)
# What the workflow needs, and what all tests and checks need.
RUN := train,offline,corpora
DEV := train,offline,corpora,tuning,baselines,explain,tables,terms,dev
LOCKS := locks/install.py setup.cfg pyproject.toml
BUILT := build/wheel
TESTED := build/tested
export BIONER_DATA ?= $(abspath ../shared)
export PIP_ARGS

.PHONY: run test coverage lint docs assets bench results mutants fuzz fuzz-texts fuzz-readers fuzz-memory fuzz-kills install test-wheel test-trf test-scispacy test-pythons wheel profile interpreter locks clean

run: profile $(VENV)/.run
	$(BIN)/python -m pip install --quiet --no-deps --force-reinstall $(SHIPPED)
	@echo "What the pipeline that ships finds in assets/demo/sample.txt:"
	$(BIN)/bioner show en_bioner_multi assets/demo/sample.txt
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m spacy project run all . --vars.profile $(PROFILE)
	@$(BIN)/python -m pip uninstall --quiet --yes en_bioner_$(PROFILE) 2>/dev/null || true
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) packages/$(PROFILE)/*/dist/en_bioner_*.whl
	$(BIN)/bioner show en_bioner_$(PROFILE) assets/demo/sample.txt
	@echo "The page on this run: metrics/$(PROFILE)/report/report.html"
	@echo "To go on: source $(BIN)/activate; bioner --help"

profile:
	@test -f configs/profiles/$(PROFILE).cfg || { echo "error: found no profile '$(PROFILE)', expected one of $(sort $(notdir $(basename $(wildcard configs/profiles/*.cfg))))" >&2; exit 1; }

ifeq ($(WHEEL),yes)
test: test-wheel
else
test: $(VENV)/.dev
	$(PYTEST)
endif

# Takes a third longer than the tests alone.
coverage: $(VENV)/.dev
	$(PYTEST) --cov --cov-report=term:skip-covered

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layering.py

docs: $(VENV)/.dev
	$(BIN)/python docs/build_api.py

assets: $(VENV)/.run
	$(BIN)/bioner assets $(if $(FROM),--from $(FROM))

mutants: $(VENV)/.dev
	$(BIN)/python tests/mutants/run.py $(ARGS)

results: $(VENV)/.dev
	$(BIN)/python benchmarks/regenerate.py $(ARGS)

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/conversion.py
	$(BIN)/python benchmarks/tokenizer_coverage.py
	$(BIN)/python benchmarks/gazetteer.py
	$(BIN)/python benchmarks/throughput.py

fuzz: fuzz-texts fuzz-readers fuzz-memory fuzz-kills

fuzz-texts: $(VENV)/.dev
	$(BIN)/python benchmarks/fuzz_texts.py --minutes 2 --seed $(SEED) $(TRAINED)

fuzz-readers: $(VENV)/.dev
	$(BIN)/python benchmarks/fuzz_readers.py --minutes 1.5 --seed $(SEED)

fuzz-memory: $(VENV)/.dev
	$(BIN)/python benchmarks/fuzz_memory.py --minutes 1.5 --seed $(SEED) $(TRAINED)

fuzz-kills: $(VENV)/.dev
	$(BIN)/python benchmarks/fuzz_kills.py --minutes 2 --seed $(SEED)

install: $(VENV)/.dev

# An environment of another Python than PYTHON, or of one that is gone, is told and not used.
interpreter:
	@if [ -e $(VENV)/.run ]; then $(INSTALL) $(VENV) --check; fi

$(VENV)/.run: $(LOCKS) locks/default.txt | interpreter
	@$(INSTALL) $(VENV) --extras $(RUN)
	@touch $@

$(VENV)/.dev: $(LOCKS) locks/default.txt | interpreter
	@$(INSTALL) $(VENV) --extras $(DEV)
	@touch $@ $(VENV)/.run

# The wheel, and a copy of all that is tracked but the package: only what was installed can be tested.
wheel: $(VENV)/.dev
	@rm -rf $(BUILT) $(TESTED) build/lib build/bdist.*
	@mkdir -p $(BUILT) $(TESTED)
	@$(BIN)/python -m build --wheel --no-isolation --outdir $(BUILT) . > $(BUILT)/build.log || (tail -5 $(BUILT)/build.log; false)
	@git ls-files -z -- ':!spacy_bioner' | tar --null -T - -cf - | tar -xf - -C $(TESTED)

test-wheel: wheel
	@$(INSTALL) $(VENV) --extras $(DEV) --wheel $(BUILT)/*.whl
	@rm -f $(VENV)/.run $(VENV)/.dev
	cd $(TESTED) && $(PYTEST)

test-trf: wheel
	@$(INSTALL) $(VENV)-trf --lock trf --extras train,offline,trf,dev --wheel $(BUILT)/*.whl
	cd $(TESTED) && $(abspath $(VENV)-trf/bin/python) -m pytest --base -W default -r fE -m trf

test-scispacy: wheel
	@$(INSTALL) $(VENV)-scispacy --lock scispacy --extras scispacy,dev --wheel $(BUILT)/*.whl
	cd $(TESTED) && $(abspath $(VENV)-scispacy/bin/python) -m pytest --base -W default -r fE -m scispacy

test-pythons: wheel
	$(BIN)/python locks/pythons.py --wheel $(BUILT)/*.whl --tests $(TESTED) --folder $(VENV)

locks:
	@$(PYTHON) -m venv build/uv
	@build/uv/bin/python -m pip install --quiet $(PIP_ARGS) uv
	build/uv/bin/python locks/renew.py $(ARGS)

clean:
	rm -rf $(VENV) $(VENV)-* build corpus/*/ training metrics packages project.lock
