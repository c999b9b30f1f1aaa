# Two commands do most of it: `make lab` and `make test`.

PYTHON  ?= python3
PORT    ?=
ARGS    ?=
WORKERS ?= 2

VENV  := .venv
READY := $(VENV)/.ready
LOW   := .venv-lowest
RUN   := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/python
FIRST := notebooks/00_start_here.ipynb
TRUST := $(VENV)/.trusted
NEWS  := @jupyterlab/apputils-extension:announcements

LAB_OPTIONS := --ContentsManager.pre_save_hook=raftlab.course.saving.forget_version
LAB_OPTIONS += $(if $(PORT),--port=$(PORT))
ifeq ($(DISPLAY)$(WAYLAND_DISPLAY),)
ifneq ($(shell uname -s),Darwin)
LAB_OPTIONS += --no-browser
endif
endif
ifeq ($(shell id -u),0)
LAB_OPTIONS += --allow-root
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup lab test lint types unit coverage lowest kills nbval browser page notebooks assignments transcripts picture bench museum format clean distclean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with the pinned libraries and raftlab itself (the other targets do it when needed)

lab: $(TRUST) ## open JupyterLab on the first notebook (PORT=8890 and ARGS="..." are passed on)
	@$(RUN) -m jupyterlab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/$(FIRST) $(LAB_OPTIONS) $(ARGS)

test: DONE := --ignore=tests/raft --ignore=tests/paper
test: lint types coverage unit kills nbval browser ## lint types coverage unit kills nbval browser, in this order, and each test once

lint: $(READY) ## ruff: mistakes, imports, docstrings, layout
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: $(READY) ## mypy, strict for the package; the tests too
	$(RUN) -m mypy

unit: $(READY) ## the tests that need no browser
	$(RUN) -m pytest tests $(DONE) -m "not browser" -n $(WORKERS) --dist loadfile $(ARGS)

coverage: $(READY) ## every branch of raftlab/raft is taken by the tests of the protocol
	$(RUN) -m coverage erase
	$(RUN) -m coverage run -m pytest tests/raft tests/paper -n $(WORKERS) --dist loadfile $(ARGS)
	$(RUN) -m coverage combine --quiet
	$(if $(ARGS),-)$(RUN) -m coverage report

lowest: $(LOW)/.ready ## the unit tests, but for the slow ones, with the oldest libraries that pyproject.toml allows
	PATH="$(CURDIR)/$(LOW)/bin:$$PATH" $(LOW)/bin/python -m pytest tests -m "not browser and not slow" -n $(WORKERS) --dist loadfile -p no:cacheprovider $(ARGS)

kills: $(READY) ## the kill table of the museum at its quick setting: every mistake is caught
	$(RUN) -m raftlab.museum --quick

nbval: $(READY) ## run every notebook and compare what it prints and draws
	$(RUN) -m pytest --nbval -p no:cacheprovider notebooks -n $(WORKERS) $(ARGS)

browser: $(READY) ## use the lab in a real Chromium; what fails is tried once more in a fresh one, and both are told
	$(RUN) -m pytest tests/browser -m browser -n $(WORKERS) --dist loadfile $(ARGS) || \
	  $(RUN) -m pytest tests/browser -m browser --last-failed --last-failed-no-failures none $(ARGS)

page: $(READY) ## build the lab as a page, page/dist: a folder for any web server (needs Node 20 or newer)
	$(RUN) page/build.py $(ARGS)

notebooks: $(READY) ## write and execute the student notebooks from notebooks/full
	$(RUN) -m raftlab.course.notebooks $(ARGS)

assignments: $(READY) ## write the assignments, assignments/students and assignments/instructor (ARGS="--class WORD")
	$(RUN) -m raftlab release course --to assignments $(ARGS)

transcripts: $(READY) ## rewrite the expected text of tests/transcripts (review it as a diff)
	$(RUN) -m pytest tests/transcripts --rewrite $(ARGS)

picture: $(READY) ## film the lab in a real Chromium for the README: docs/lab.gif
	$(RUN) -m tests.browser.moving_picture

bench: $(READY) ## measure the speed budgets and print one table
	$(RUN) tests/bench.py $(ARGS)
	$(RUN) -m tests.bench_histories
	$(RUN) -m tests.bench_explore
	$(RUN) -m tests.bench_page

museum: $(READY) ## find out what catches each mistake, and write docs/museum.md (hours; one that was stopped goes on)
	$(RUN) -m raftlab.museum --keep .museum.jsonl --write docs/museum.md $(ARGS)

format: $(READY) ## let ruff lay out the code and mend what it can
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

clean: ## remove caches and build leftovers
	rm -rf build dist page/build page/dist page/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks .coverage .coverage.* test-results
	find raftlab tests notebooks -name __pycache__ -prune -exec rm -rf {} + -o -name .ipynb_checkpoints -prune -exec rm -rf {} +

distclean: clean ## clean, and remove .venv too
	rm -rf $(VENV) $(LOW)

define SET_UP
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "raftlab needs Python 3.11 or newer, and \"$(PYTHON)\" is $$(command -v "$(PYTHON)" >/dev/null && $(PYTHON) --version 2>&1 || echo 'not there'); name another one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
	  exit 1; }
	@echo "Setting up $(FOLDER); this happens once and takes about a minute."
	@$(PYTHON) -m venv $(FOLDER)
	@if command -v uv >/dev/null; then \
	  uv pip install --quiet --compile-bytecode --python $(FOLDER)/bin/python -c $(PINS) -e '.[cluster,lab,test]'; \
	else \
	  $(FOLDER)/bin/python -m pip install --quiet --disable-pip-version-check --compile -c $(PINS) -e '.[cluster,lab,test]'; \
	fi
	@$(FOLDER)/bin/python -c 'import matplotlib.font_manager'
	@touch $@
endef

$(READY): FOLDER := $(VENV)
$(READY): PINS := constraints.txt
$(READY): pyproject.toml constraints.txt
	$(SET_UP)

$(TRUST): $(READY) $(wildcard notebooks/*.ipynb notebooks/full/*.ipynb)
	@$(RUN) -m jupyter trust $(filter %.ipynb,$^) >/dev/null
	@$(RUN) -m jupyter labextension disable --level=sys_prefix $(NEWS) >/dev/null 2>&1
	@touch $@

$(LOW)/.ready: FOLDER := $(LOW)
$(LOW)/.ready: PINS := constraints-lowest.txt
$(LOW)/.ready: pyproject.toml constraints-lowest.txt
	$(SET_UP)
