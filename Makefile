# The front door. `make` alone prints what there is to type.
# template: only here
# A project of this template has this file, too, without the parts between these two comments.
# template: end
# Needs git, make and python3 >= 3.11; set-up is automatic and goes to .venv. With another Python:
# make PYTHON=python3.12 reproduce

PYTHON ?= python3
BIN := .venv/bin
# uv where it is on the PATH, but not the one inside .venv, which a new set-up would pull from under it.
UV := $(shell uv=$$(command -v uv) && [ "$$uv" != "$(CURDIR)/$(BIN)/uv" ] && echo "$$uv")
PACKAGES := .venv/.packages
INSTALLED := .venv/.installed
# What .venv has: the packages that stages run on, and those of lint and tests. `bucket check` takes the
# first alone.
LOCKS := requirements.lock $(wildcard requirements-dev.lock)
# Git renews the time of a file that it writes again; only other content is a reason to begin anew.
SAME_LOCK := $(shell cat $(LOCKS) | cmp -s - $(PACKAGES) && echo yes)
# `make setup` by its name begins anew, too, if stages have another version than is pinned.
ifeq ($(MAKECMDGOALS) $(SAME_LOCK),setup yes)
ifeq ($(shell $(BIN)/bucket env --installed >/dev/null 2>&1 || echo $$?),1)
SAME_LOCK :=
# A file that never is: what needs it is always made.
ANEW := .venv/.anew
$(ANEW): ;
endif
endif
# Names, versions and hashes; no address of a registry. One version a name for every Python.
COMPILE = uv pip compile pyproject.toml --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet $(UPGRADE) $(WHEEL)
# The toolkit is the wheel in vendor/; without that folder, it is the registry's.
WHEEL = $(if $(wildcard vendor),--find-links vendor --emit-find-links --constraint vendor/pin.txt)
# template: only here
# The toolkit is toolkit/ as it stands: its wheel only tells which packages it needs.
WHEEL = --find-links toolkit/dist --no-emit-find-links --no-emit-package dvc-bucket
TOOLKIT := $(MAKE) --no-print-directory -C toolkit
# template: end

# Every command below, and the stages that DVC starts, find the tools of .venv first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# These make uv and pip install into, or uninstall from, another Python or folder than .venv.
unexport UV_SYSTEM_PYTHON UV_PYTHON UV_BREAK_SYSTEM_PACKAGES UV_PROJECT UV_PROJECT_ENVIRONMENT \
  UV_WORKING_DIR UV_WORKING_DIRECTORY UV_NO_VERIFY_HASHES PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT \
  PIP_PYTHON PIP_DRY_RUN PIP_REQUIRE_VIRTUALENV PIP_BREAK_SYSTEM_PACKAGES PYTHONUSERBASE PYTHONHOME \
  PYTHONSTARTUP PYTHONPLATLIBDIR VIRTUAL_ENV CONDA_PREFIX
# Packages of a cluster's module, or of your own folder, do not come before those of .venv.
ifneq ($(filter /%,$(subst :, ,$(subst $(CURDIR)/,,$(PYTHONPATH)))),)
unexport PYTHONPATH
endif
export PYTHONNOUSERSITE := 1
# Names of files are UTF-8, whatever the locale.
export PYTHONUTF8 := 1
INTO_VENV := --python $(BIN)/python
# Images of containers set it; then each command compiles our modules again, for 0.1 s and more.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup init doctor reproduce test check lint format secrets pull push verify changes serve stop \
  report leave add lock update updated upgrade clean
# template: only here
.PHONY: new release
# template: end

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

init: setup ## Point the project at a bucket of your own: asks, shows, writes, checks
	@bucket init $(ARGS)

doctor: setup ## Find what is wrong with the connection or this machine, and the fix
	@bucket doctor

# template: example
# The raw data of the example is published first, if anything is to be done.
reproduce: FIRST = --before "python src/pipeline/publish.py"
# template: end
reproduce: setup ## Serve the store, run what is stale, push the results, sum up: the main job (JOBS=4, ARGS=--pull)
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

format: setup ## Put style and format right, as far as a program can
	@ruff check --fix
	@ruff format

secrets: setup ## Search every commit for credentials
	@bucket secrets --history

pull: setup ## Fetch the data of this commit from the bucket
	@bucket serve --if-embedded
	@bucket pull

push: setup ## Send the data of this commit to the bucket
	@bucket serve --if-embedded
	@bucket push

verify: setup ## Is the data of this commit on the remote, whole? (ARGS="--rev HEAD")
	@bucket serve --if-embedded
	@bucket verify $(ARGS)

changes: setup ## What a change did to stages, metrics and data (ARGS="--base main"), in Markdown
	@bucket serve --if-embedded >&2
	@bucket report $(ARGS)

serve: setup ## Start the embedded object store
	@bucket serve

stop: setup ## Stop the embedded object store; its data stays
	@bucket serve --stop

report: setup ## Bring the report up to date and print where it is
	@bucket serve --if-embedded
	@bucket repro
	@echo "file://$(CURDIR)/reports/report.html"

leave: setup ## Write what the project needs to go on with plain DVC
	@bucket leave

setup: $(INSTALLED) ## Make .venv from the two lock files; the other targets do it by themselves

# The project itself is not installed: a stage imports the modules of its own checkout, also in the copies
# that DVC makes for experiments.
# template: only here
# The toolkit is. The path to its sources is made relative: under LC_ALL=C, Python before 3.13 does not
# even start where a .pth file has a letter beyond ASCII.
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
# 1: in a repository, whose root may be a folder above, and which does not ignore this folder.
	@git check-ignore -q . 2>/dev/null; [ $$? -ne 1 ] || \
	  { $(BIN)/bucket secrets --install-hook; $(BIN)/bucket lock-merge --install; } || true
	@touch $@

# Its own file is removed first and written last: a set-up that failed is not taken for done.
$(PACKAGES): $(LOCKS) $(ANEW)
ifeq ($(SAME_LOCK),)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up .venv from $(LOCKS) (once; $(if $(UV),uv: half a minute,venv and pip: a minute or two)) ..."
	@rm -f $(INSTALLED) $@
ifneq ($(UV),)
	@"$(UV)" venv --quiet --clear --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	@"$(UV)" pip sync $(INTO_VENV) --quiet --require-hashes --compile-bytecode $(LOCKS)
	@ls -d .venv/lib/python*/site-packages/*.dist-info >/dev/null 2>&1 || { \
	  echo "uv installed nothing in .venv. Remove target or prefix from [pip] in your uv.toml." >&2; exit 1; }
else
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
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

# Both files are written when both are known. A pin that still fits stays. packages.yaml follows: the
# versions that stages depend on. `make update` leaves it to `make updated` (PINS_ONLY; the toolkit of the
# old version may not know it).
lock: ## Write the lock files and packages.yaml after a change of pyproject.toml; what is pinned stays
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

# The first half runs by the Makefile and the toolkit of the old version, the second by those of the new
# one. It is told where uv is: its own search would find the one in .venv.
update: setup ## Take the newest version of the template, or VERSION=1.2.0 (ARGS=--dry-run shows it)
	@bucket merge-template --version "$(VERSION)" --from "$(FROM)" $(ARGS)
	@git diff --quiet HEAD -- .copier-answers.yml || $(MAKE) --no-print-directory UV="$(UV)" updated

updated: setup ## The second half of `make update`; after conflicts, go on with it
	@bucket env --write
	@bucket serve --if-embedded || true
	@tests=passed; $(MAKE) --no-print-directory test || tests=failed; bucket prove-update --tests $$tests

upgrade: ## Write the lock files and packages.yaml with the newest versions
	@$(MAKE) --no-print-directory lock UPGRADE=--upgrade

# template: only here
new: setup ## Make a project of the last release: make new DIR=../mine (ARGS="--defaults --data-file answers.yml")
	@python template/new.py "$(DIR)" $(ARGS)

release: setup ## Make a release of template and toolkit: make release VERSION=1.2.0
	@python template/release.py --check "$(VERSION)"
	@$(TOOLKIT) golden
	@python template/release.py "$(VERSION)"
# template: end

# Data first: without .venv nothing can prove that it comes back. The notes of the set-up go before the
# rest of .venv, so that half of one is not taken for done. Where .venv is a link, only the link goes.
clean: ## Remove what can be made again: data that is in the cache or bucket, caches, .venv
	@if [ -e $(INSTALLED) ]; then $(BIN)/bucket clean; \
	else echo "Kept all data: without .venv nothing can prove that it comes back (make setup)."; fi
	@rm -rf dvc_plots $(foreach folder,. $(wildcard toolkit),$(addprefix $(folder)/,.mypy_cache .pytest_cache .ruff_cache .hypothesis))
	@find src tests $(wildcard toolkit) -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
	@[ -h .venv ] || rm -f $(INSTALLED) $(PACKAGES)
	@rm -rf .venv
