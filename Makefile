# The desk's report. `make run` needs nothing but Python 3.11 or later, with venv.
# The logic is in local/servers/bootstrap.py (set-up), local/servers/run.py (the desk) and local/checks/run.py (all checks).

PY := .venv/bin/python

.PHONY: help setup setup-dev run test bench bench-growth bench-alternatives drills lock sbom licences audit fmt messages screenshots
.DEFAULT_GOAL := help

help: ## what there is
	@echo "make run          set everything up and run the desk (PORT=8000); Ctrl-C stops it"
	@echo "make test         set everything up and run every check and test"
	@echo "make setup        the set-up alone"
	@echo "make bench        the benchmarks beside the last recorded run; BENCH=name: one; results in bench/results/"
	@echo "                  RECORD=1: the next are compared with this one (docs/performance.json and .md)"
	@echo "                  BASE=commit: that commit beside this build, in turn, ROUNDS=n times; BUSY=1: a core is busy"
	@echo "make bench-growth the same with ten million trades stored: takes its time"
	@echo "make bench-alternatives  our desk beside Streamlit, Dash and others, installed apart from it: 1 GB, eight minutes"
	@echo "make drills       end processes and servers while they work, and prove that nothing is lost; a table"
	@echo "make fmt          format the code and mend what can be mended"
	@echo "make messages     bring the translations' catalogues up to date and say what is missing"
	@echo "make lock sbom licences audit         compile requirements*.txt anew from requirements*.in"
	@echo "make sbom         what production is made of, as CycloneDX, in var/sbom.json"
	@echo "make licences     the licences of that, in docs/licences.md"
	@echo "make audit        what is known to be vulnerable of it, where the network allows"
	@echo "make screenshots  make the documents' pictures anew; PAGES=all: every page's, into var/screenshots/"

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)

define bootstrap
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed, and there is none on PATH (Debian, Ubuntu: apt-get install python3 python3-venv)." >&2; exit 1; }
	@"$(PYTHON)" local/servers/bootstrap.py $(1)
endef

setup:
	$(call bootstrap,setup)

setup-dev:
	$(call bootstrap,setup-dev)

run: setup
	@exec $(PY) -m local.servers.run

test: setup-dev
	@exec $(PY) -m local.checks.run

bench: setup-dev
	@exec $(PY) -m bench

bench-growth: setup-dev
	@exec $(PY) -m bench growth

bench-alternatives: setup-dev
	@exec $(PY) -m bench alternatives

drills: setup-dev
	@exec $(PY) -m tests.drills

screenshots: setup-dev
	@exec $(PY) -m tests.screenshots $(PAGES)

fmt: setup-dev
	@$(PY) -m ruff check --fix --quiet . ; $(PY) -m ruff format .

messages: setup-dev
	@exec $(PY) -m local.checks.translations

sbom: setup
	@exec $(PY) -m local.checks.dependencies sbom var/sbom.json

licences: setup
	@exec $(PY) -m local.checks.dependencies licences

audit: setup
	@exec $(PY) -m local.checks.dependencies audit

lock: setup
	$(call bootstrap,lock)
