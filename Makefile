# make demo    everything from nothing: the sample country, its indicators, the desks (SERVE=0 stops before serving)
# make test    everything that is checked: format, lint, types, tests
# make real    the numbers from real rasters, one JSON line each
# make planted what the check finds in worlds in which something is wrong on purpose (WORLDS=100 of each kind)
# make bench   geomon beside its peers, as ratios in one run (ONLY=zonal takes one group)
# make guard   whether the kernels are as fast as they were (KEEP=1 writes down that they are)
# make lint    format, lint and types alone
# make lock    pin the dependencies anew, after a change in pyproject.toml (needs uv)
# make clean   take away what was made, .venv too
#
# PYTHON=python3.12 picks an interpreter; else the first is taken for which the lock has wheels: 3.11 to 3.14.

V := .venv
SERVE ?= 1
WORLDS ?= 100
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$p -c '$(FITS)' >/dev/null 2>&1 && { echo $$p; exit; }; done; echo python3)
PIP := $(V)/bin/python -m pip --disable-pip-version-check install -qq
TYPED := geomon $(wildcard indicators dashboards)

.PHONY: demo test real planted bench guard lint lock clean

demo: $(V)/.ok
	$(V)/bin/geomon demo $(if $(filter 0,$(SERVE)),--no-serve)

test: lint
	$(V)/bin/python -m pytest

real: $(V)/.ok
	@$(V)/bin/python -m tests.real

planted: $(V)/.ok
	@$(V)/bin/python -m tests.planted $(WORLDS)

bench: $(V)/.bench
	@$(V)/bin/python -m benchmarks $(ONLY)

guard: $(V)/.bench
	@KEEP=$(KEEP) $(V)/bin/python -m pytest -q benchmarks/guard --benchmark-columns=median,iqr,rounds

lint: $(V)/.ok
	$(V)/bin/ruff format --check .
	$(V)/bin/ruff check .
	$(V)/bin/mypy --strict $(TYPED)

# The stamp is written last, so that an installation that was stopped is made again.
$(V)/.ok: requirements.lock pyproject.toml
	@$(V)/bin/python -m pip --version >/dev/null 2>&1 || { \
	  $(PYTHON) -c '$(FITS)' 2>/dev/null || { echo >&2 \
	    "geomon needs Python 3.11 to 3.14; '$(PYTHON)' is not ($$($(PYTHON) --version 2>&1))." \
	    "Name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }; \
	  $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo >&2 \
	    "'$(PYTHON)' cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }; \
	  echo "Making $(V) with $(PYTHON)"; $(PYTHON) -m venv --clear $(V); }
	@echo "Installing the pinned dependencies (a minute or two)"
	@$(PIP) --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# The peers, at the versions that fit what geomon itself is pinned to.
$(V)/.bench: $(V)/.ok benchmarks/requirements.lock
	@echo "Installing the peers"
	@$(PIP) --require-hashes --only-binary :all: -r benchmarks/requirements.lock
	@touch $@

lock:
	uv pip compile -q --universal --python-version 3.11 --extra dev --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --extra bench --generate-hashes -c requirements.lock \
	  --no-header --no-emit-index-url --no-emit-find-links pyproject.toml -o benchmarks/requirements.lock

clean:
	rm -rf $(V) build dist geomon-demo .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find geomon indicators dashboards tests -name __pycache__ -type d -prune -exec rm -rf {} +
