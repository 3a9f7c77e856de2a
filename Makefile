# Everything one does with this repository. A fresh machine needs Python 3.11 or newer and make; nothing else.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run demo test check format bench bench-peers bench-detect bench-scale soak lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 20

setup: ## install every environment from its lock (downloads; nothing else does)
	@$(PYTHON) -m tools.environments

run: setup ## start Doorward in front of four real servers, print the URL, a key and what to try
	@$(BIN)/python -m examples.run

demo: setup ## the same, then a scripted agent: allowed, denied, asked, drifted, stopped, verified
	@$(BIN)/python -m examples.demo

# Hundreds of tests start a gateway in a process of its own: none of these should have to compile it first.
test: setup check ## everything that gates: the checks and all tests
	@$(BIN)/python -m compileall -q src tests
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

check: setup ## lint, types, floors, the laws of ARCHITECTURE.md, and what a call costs
	@failed=; \
	$(BIN)/ruff check --quiet . || failed="$$failed lint"; \
	$(BIN)/ruff format --check --quiet --output-format concise . || failed="$$failed format (make format writes it)"; \
	$(BIN)/mypy --no-error-summary || failed="$$failed types"; \
	said=$$($(BIN)/lint-imports --no-logo) || { echo "$$said"; failed="$$failed floors"; }; \
	$(BIN)/python -m checks || failed="$$failed laws"; \
	$(BIN)/python -m checks.cost || failed="$$failed cost"; \
	if [ -n "$$failed" ]; then echo "make check failed:$$failed"; exit 1; fi

format: setup ## write the one format, and what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --quiet .

bench: setup ## direct, floor and Doorward in one run; writes docs/benchmarks.md and its chart (BENCH_QUICK=1: prints a rough one)
	@$(BIN)/python -m bench

bench-peers: setup ## other gateways beside Doorward in one run (downloads them); writes docs/peers.md
	@$(BIN)/python -m bench.peers

bench-detect: setup ## how much of attacks, secrets and personal data is found; writes docs/detection.md
	@$(BIN)/python -m bench.detect

bench-scale: setup ## what grows with agents, tools, policies, receipts, sessions, streams; writes docs/growth.md (SCALE=options)
	@$(BIN)/python -m bench.scale $(SCALE)

soak: setup ## the long runs: 1,000 kills under load
	@$(BIN)/python -m pytest -q -m soak

lock: setup ## solve the dependencies again and write every lock (UPGRADE=--upgrade for the newest)
	@$(BIN)/python -m tools.locks $(UPGRADE)

clean: ## remove environments and caches; the next target begins afresh
	@rm -rf .venv .venvs peers/*/node_modules bench/peers/locks/*/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist var
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
