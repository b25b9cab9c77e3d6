# Every command is `python -m local <command>`, so Windows works without make.
PYTHON ?= $(shell command -v python3.13 || command -v python3 || command -v python)
LOCAL = $(PYTHON) -m local
.DEFAULT_GOAL := help
.PHONY: help setup demo serve test test-all check bench docs lock clean

help: ## Show this help
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Set up everything the other commands need
	@$(LOCAL) setup

demo: ## Play the story: a GitHub issue becomes an Azure DevOps project, on record (STAY=1 keeps it up)
	@$(LOCAL) demo $(if $(STAY),--stay)

serve: ## Run the whole stack until Ctrl-C
	@exec $(LOCAL) serve

test: ## Run the tests a fresh machine can run in minutes
	@$(LOCAL) test

test-all: ## Run the long matrices too
	@$(LOCAL) test-all

check: ## Format, lint, types, imports, security, coverage floor, generated docs
	@$(LOCAL) check

bench: ## Measure against named peers; writes bench/results.json
	@$(LOCAL) bench

docs: ## Generate the reference pages
	@$(LOCAL) docs

lock: ## Compile the pinned requirements
	@$(LOCAL) lock

clean: ## Remove the state of the local stack
	@$(LOCAL) clean
