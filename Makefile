# celldossier: `make report` and `make test` set themselves up; `make help` lists the rest.
#
# CORES=2              cores to use (default: all)
# CONFIG=FILE          another study, for example CONFIG=config/studies/mini.yaml; of several files,
#                      the later ones change what the earlier say: CONFIG="config/config.yaml more.yaml"
# PYTHON=python3.12    the Python that makes .venv (default: the first that will do)

SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules

CORES ?= all
CONFIG ?=
PYTHON ?=

configs = $(foreach file,$(CONFIG),"$(file)")

# The rules of the workflow call `celldossier` by name. Not for the set-up, which makes .venv.
with_venv = PATH="$(CURDIR)/.venv/bin:$$PATH"

# pytest's own word for all cores.
pytest_cores = $(if $(filter all,$(CORES)),auto,$(CORES))
# A file of tests stays in one process, so that what its tests share is made once, not once a process.
# Files keep their order: by number of tests, a file of few long ones would come last and alone.
spread = -n $(pytest_cores) --dist loadfile --no-loadscope-reorder

# Calls the set-up with the first Python that will do; $(1) are its options.
define prepare
@set -eu; \
for python in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11); do \
  if "$$python" workflow/setup/prepare.py --supports >/dev/null 2>&1; then \
    exec "$$python" workflow/setup/prepare.py $(1); \
  fi; \
done; \
echo 'set-up: celldossier needs Python 3.11, 3.12 or 3.13, and none was found.' >&2; \
echo 'set-up: Where it has another name, type: make PYTHON=/path/to/python3.11 report' >&2; \
exit 2
endef

.PHONY: help report test check static setup setup-dev lock

help:
	@echo 'make report   set up, run the example study, print where its two reports lie'
	@echo 'make test     set up, run all checks and tests'
	@echo 'make check    set up, run the checks and the fast tests (minutes)'
	@echo 'make setup    set up only: .venv with the locked versions, pango, the Chinese font'
	@echo 'make lock     after a change of dependencies: write uv.lock and what is made from it'
	@echo
	@echo 'CORES=2 limits the cores; CONFIG=FILE names another study for make report.'

setup:
	$(call prepare,)

setup-dev:
	$(call prepare,--dev)

report: setup
	@$(with_venv) .venv/bin/python -m snakemake --cores "$(CORES)" \
	  --workflow-profile workflow/profiles/default \
	  $(if $(CONFIG),--configfile $(configs))
	@.venv/bin/python workflow/setup/show_report.py $(configs)

static: setup-dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	$(with_venv) .venv/bin/snakefmt --check Snakefile workflow/rules
	.venv/bin/lint-imports --no-logo
	.venv/bin/mypy

check: static
	$(with_venv) .venv/bin/python -m pytest $(spread) -m "not slow and not workflow"

# The tests of the workflow share the results of a run, so one process takes them all: a call of
# its own. (`--dist loadgroup` of pytest-xdist 3.8 does not keep a group together under pytest 9.)
# They wait for runs most of the time: the other tests run beside them, and are printed first.
test: static
	@set -eu; \
	if [ -z "$${CELLDOSSIER_SHARED+set}" ] && [ -f ../shared/nca_rules.md ]; then \
	  CELLDOSSIER_SHARED="$$(cd ../shared && pwd)"; export CELLDOSSIER_SHARED; \
	fi; \
	.venv/bin/python -m compileall -q workflow/src; \
	failed=0; log=$$(mktemp); \
	$(with_venv) .venv/bin/python -m pytest tests/workflow >"$$log" 2>&1 & \
	workflow=$$!; \
	trap 'kill $$workflow 2>/dev/null || true; rm -f "$$log"' EXIT; \
	$(with_venv) .venv/bin/python -m pytest $(spread) -m "not workflow" || failed=1; \
	wait $$workflow || failed=1; \
	cat "$$log"; \
	exit $$failed

lock:
	$(call prepare,--lock)
