# Everything one does with this repository. A fresh machine needs Python 3.11 or newer and make; nothing else.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: ## install every environment from its lock (downloads; nothing else does)
	@$(PYTHON) tools/environments.py
