# The main commands. `make` alone lists them.
# template: only here
# Projects of this template have this file, too, without the parts between these two comments.
# template: end
# Needs git, make and python3 >= 3.11; set-up is automatic and goes to .venv. With another Python:
# make PYTHON=python3.12 reproduce

PYTHON ?= python3
BIN := .venv/bin
# uv from the PATH, but not the one inside .venv, which a new set-up deletes.
UV := $(shell uv=$$(command -v uv) && [ "$$uv" != "$(CURDIR)/$(BIN)/uv" ] && echo "$$uv")
PACKAGES := .venv/.packages
INSTALLED := .venv/.installed
# .venv has the packages that stages need, and those of lint and tests. `bucket check` installs only the
# former.
LOCKS := requirements.lock $(wildcard requirements-dev.lock)
# Git updates the time of a file that it writes again, so compare the content before a new set-up.
SAME_LOCK := $(shell cat $(LOCKS) | cmp -s - $(PACKAGES) && echo yes)
# `make setup` also starts over if an installed version differs from the pinned one.
ifeq ($(MAKECMDGOALS) $(SAME_LOCK),setup yes)
ifeq ($(shell $(BIN)/bucket env --installed >/dev/null 2>&1 || echo $$?),1)
SAME_LOCK :=
# A file that never exists, so its dependents are always made.
OVER := .venv/.over
$(OVER): ;
endif
endif
# Names, versions and hashes, without registry addresses. One version per name for every Python.
COMPILE = uv pip compile pyproject.toml --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet $(UPGRADE) $(WHEEL)
# The toolkit is the wheel in vendor/, or comes from the registry if that folder is missing.
WHEEL = $(if $(wildcard vendor),--find-links vendor --emit-find-links --constraint vendor/pin.txt)
# template: only here
# The toolkit is the current toolkit/; its wheel only lists the packages that it needs.
WHEEL = --find-links toolkit/dist --no-emit-find-links --no-emit-package dvc-bucket
TOOLKIT := $(MAKE) --no-print-directory -C toolkit
# template: end

# All commands below, and the stages that DVC starts, find the tools of .venv first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# make 3.81 of macOS looks for a command on the PATH that make was started with, unless a shell that is not
# /bin/sh starts it. Without BASH_ENV, bash reads no file of the user's.
SHELL := /bin/bash
unexport BASH_ENV
# With these, uv and pip would change a Python or folder other than .venv.
unexport UV_SYSTEM_PYTHON UV_PYTHON UV_BREAK_SYSTEM_PACKAGES UV_PROJECT UV_PROJECT_ENVIRONMENT \
  UV_WORKING_DIR UV_WORKING_DIRECTORY UV_NO_VERIFY_HASHES PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT \
  PIP_PYTHON PIP_DRY_RUN PIP_REQUIRE_VIRTUALENV PIP_BREAK_SYSTEM_PACKAGES PYTHONUSERBASE PYTHONHOME \
  PYTHONSTARTUP PYTHONPLATLIBDIR VIRTUAL_ENV CONDA_PREFIX
# Packages of .venv come before those of a cluster's module or of your own folder.
ifneq ($(filter /%,$(subst :, ,$(subst $(CURDIR)/,,$(PYTHONPATH)))),)
unexport PYTHONPATH
endif
export PYTHONNOUSERSITE := 1
# File names are UTF-8 in every locale.
export PYTHONUTF8 := 1
INTO_VENV := --python $(BIN)/python
# Container images set it; then each command compiles our modules again, which takes 0.1 s or more.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup init doctor reproduce test check lint format secrets pull push verify changes serve stop \
  report leave add lock update updated upgrade clean
# template: only here
.PHONY: new release docs
# template: end

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

init: setup ## Connect the project to a bucket of your own: asks, shows the changes, writes, checks
	@bucket init $(ARGS)

doctor: setup ## Find problems with the connection or this machine, and their fixes
	@bucket doctor

# template: example
# The raw data of the example is published first, unless there is nothing to do.
reproduce: FIRST = --before "python src/pipeline/publish.py"
# template: end
reproduce: setup ## The main job: start the store, run stale stages, push the results, summarise (JOBS=4, ARGS=--pull)
	@bucket reproduce --serve $(FIRST) $(if $(JOBS),--jobs $(JOBS)) $(ARGS)
# template: example
	@python src/pipeline/summary.py reports/intervals.json
# template: end
	@echo "Report: $(CURDIR)/reports/report.html"

test: setup ## Run all tests
	@pytest --numprocesses 2 --dist loadfile
# template: only here
	@$(TOOLKIT) test
# template: end

check: setup ## Rebuild the last commit in a clean clone and compare every byte (ARGS=--kernels)
	@bucket serve --if-embedded
# template: example
	@python src/pipeline/publish.py
# template: end
	@bucket check $(ARGS)

lint: setup ## Check style and format
	@ruff check
	@ruff format --check
# template: only here
	@$(TOOLKIT) lint
# template: end

format: setup ## Fix style and format automatically
	@ruff check --fix
	@ruff format

secrets: setup ## Scan every commit for credentials
	@bucket secrets --history

pull: setup ## Download the data of this commit from the bucket
	@bucket serve --if-embedded
	@bucket pull

push: setup ## Upload the data of this commit to the bucket
	@bucket serve --if-embedded
	@bucket push

verify: setup ## Check that the bucket has all data of this commit (ARGS="--rev HEAD")
	@bucket serve --if-embedded
	@bucket verify $(ARGS)

changes: setup ## Report in Markdown how a change affects stages, metrics and data (ARGS="--base main")
	@bucket serve --if-embedded >&2
	@bucket report $(ARGS)

serve: setup ## Start the embedded object store
	@bucket serve

stop: setup ## Stop the embedded object store; its data stays
	@bucket serve --stop

report: setup ## Update the report and print its address
	@bucket serve --if-embedded
	@bucket repro
	@echo "file://$(CURDIR)/reports/report.html"

leave: setup ## Write instructions for using the project with plain DVC
	@bucket leave

setup: $(INSTALLED) ## Set up .venv from the two lock files; the other targets do it automatically

# The project itself is not installed: a stage imports the modules of its own checkout, also in the copies
# that DVC creates for experiments.
# template: only here
# The toolkit is installed. The path to its sources is made relative: under LC_ALL=C, Python before 3.13 does
# not start if a .pth file contains a letter outside ASCII.
$(INSTALLED): toolkit/pyproject.toml
# template: end
$(INSTALLED): $(PACKAGES) pyproject.toml
# template: only here
	@$(BIN)/uv pip install $(INTO_VENV) --quiet --no-deps --no-build-isolation --editable toolkit
	@for file in $$(grep -lxF "$(CURDIR)/toolkit/src" $(dir $(BIN))lib/python*/site-packages/*.pth); do \
	  echo "../../../../toolkit/src" >"$$file"; done
	@for file in $$(grep -lxF "../../../../src" $(dir $(BIN))lib/python*/site-packages/*.pth); do rm "$$file"; done
# template: end
	@$(BIN)/bucket protect-cache || true
# Status 1: in a repository, possibly with its root above, that does not ignore this folder.
	@git check-ignore -q . 2>/dev/null; [ $$? -ne 1 ] || \
	  { $(BIN)/bucket secrets --install-hook; $(BIN)/bucket lock-merge --install; } || true
	@touch $@

# Its own file is removed first and written last, so that a failed set-up does not count as done.
# Python compiles a module when it is first imported; few modules ever are. With UV_COMPILE_BYTECODE=1, both
# tools compile all, for a .venv that nobody writes to later.
$(PACKAGES): $(LOCKS) $(OVER)
ifeq ($(SAME_LOCK),)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up .venv from $(LOCKS) (once; $(if $(UV),uv: half a minute,venv and pip: a minute or two)) ..."
	@rm -f $(INSTALLED) $@
ifneq ($(UV),)
	@"$(UV)" venv --quiet --clear --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	@"$(UV)" pip sync $(INTO_VENV) --quiet --require-hashes $(LOCKS)
	@ls -d .venv/lib/python*/site-packages/*.dist-info >/dev/null 2>&1 || { \
	  echo "uv installed nothing in .venv. Remove target or prefix from [pip] in your uv.toml." >&2; exit 1; }
else
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  $(if $(UV_COMPILE_BYTECODE),,--no-compile) \
	  --no-user --target= --prefix="$(CURDIR)/.venv" --root=/ $(addprefix --requirement ,$(LOCKS))
endif
	@cat $(LOCKS) >$@.new
	@mv $@.new $@
else
	@touch $@
endif

add: setup ## Add a package and keep every other pin: make add PACKAGE="scipy>=1.14"
	@cp pyproject.toml .venv/.pyproject.before
	@bucket add-package "$(PACKAGE)"
	@$(MAKE) --no-print-directory lock || { mv .venv/.pyproject.before pyproject.toml; exit 1; }
	@echo "Added to pyproject.toml and the lock files; the next make installs it (make setup)."

# Both files are written when both are known. Pins that still fit stay. Then packages.yaml gets the versions
# that stages depend on. In an update, `make updated` writes it (PINS_ONLY), because the old version of the
# toolkit may not know it.
lock: ## Write the lock files and packages.yaml after a change of pyproject.toml; keep all pins that fit
	@command -v uv >/dev/null || $(MAKE) --no-print-directory setup
# template: only here
	@rm -rf toolkit/dist && uv build --quiet --wheel --out-dir toolkit/dist toolkit
# template: end
	@trap 'rm -f requirements.lock.new requirements-dev.lock.new requirements.pins.new' EXIT && \
	for lock in $(LOCKS); do sed '/^--find-links /d' $$lock >$$lock.new || exit; done && \
	$(COMPILE) --output-file requirements.lock.new && \
	sed '/^--find-links /d' requirements.lock.new >requirements.pins.new && \
	$(COMPILE) --extra dev --constraint requirements.pins.new --output-file requirements-dev.lock.new && \
	mv requirements.lock.new requirements.lock && mv requirements-dev.lock.new requirements-dev.lock
	@if [ -n "$(PINS_ONLY)" ]; then :; elif bucket env --help >/dev/null 2>&1; then bucket env --write; \
	else echo "Then: make setup && bucket env --write (the versions in packages.yaml)"; fi
# template: only here
	@$(TOOLKIT) lock UPGRADE='$(UPGRADE)'
	@template/lock $(COMPILE)
# template: end

# The first half runs with the Makefile and the toolkit of the old version, the second with those of the new
# version. It gets the path of uv, because its own search would find the one in .venv.
update: setup ## Take the newest version of the template, or VERSION=1.2.0 (ARGS=--dry-run shows it)
	@bucket merge-template --version "$(VERSION)" --from "$(FROM)" $(ARGS)
	@git diff --quiet HEAD -- .copier-answers.yml || $(MAKE) --no-print-directory UV="$(UV)" updated

updated: setup ## The second half of `make update`; run it after you have resolved conflicts
	@bucket env --write
	@bucket serve --if-embedded || true
	@tests=passed; $(MAKE) --no-print-directory test || tests=failed; bucket prove-update --tests $$tests

upgrade: ## Write the lock files and packages.yaml with the newest versions
	@$(MAKE) --no-print-directory lock UPGRADE=--upgrade

# template: only here
new: setup ## Make a project of the last release: make new DIR=../mine (ARGS="--defaults --data-file answers.yml")
	@python template/new.py "$(DIR)" $(ARGS)

docs: setup ## Build the documentation site and print where it is
	@$(TOOLKIT) docs

release: setup ## Make a release of template and toolkit: make release VERSION=1.2.0
	@python template/release.py --check "$(VERSION)"
	@$(TOOLKIT) golden
	@python template/release.py "$(VERSION)"
# template: end

# Data first: only the tools of .venv can prove that it can be restored. The files of the set-up are removed
# before the rest of .venv, so that half of it does not count as done. If .venv is a link, only the link is
# removed.
clean: ## Remove everything that can be restored: data in the cache or bucket, caches, .venv
	@if [ -e $(INSTALLED) ]; then $(BIN)/bucket clean; \
	else echo "Kept all data: without .venv nothing can prove that it can be restored (make setup)."; fi
	@rm -rf dvc_plots $(foreach folder,. $(wildcard toolkit),$(addprefix $(folder)/,.mypy_cache .pytest_cache .ruff_cache .hypothesis))
	@find src tests $(wildcard toolkit) -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
	@[ -h .venv ] || rm -f $(INSTALLED) $(PACKAGES)
	@rm -rf .venv
