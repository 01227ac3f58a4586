# Every target makes what it needs, `.venv` first, and works from a fresh clone. `make help` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
# Our files are UTF-8, whatever the terminal is.
export PYTHONUTF8 := 1
# Nor whether it keeps no bytecode: every process would compile a thousand modules anew.
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python
LOCAL := .venv/.local
READY := .venv/.ready

# What there is, read from the folders.
DATABASES := $(notdir $(patsubst %/,%,$(wildcard migrations/*/)))
QUERIES := $(notdir $(patsubst %/,%,$(wildcard sql/*/)))
SERVICES := $(notdir $(patsubst %/__main__.py,%,$(wildcard services/*/__main__.py)))
QUERY_SETS := $(wildcard sql/*/sqlc.yaml) $(wildcard sql/*/*/sqlc.yaml)
# Databases whose tests have a factory of rows, in tests/rows/, and the tables whose rows the tests need.
ROWS := user
ROWS_user := account,account_token,authenticator,custom_role,custom_role_permission,former_address,identity,mail_outbox,passkey,provider,provider_request,recovery_code,session,staff
FACTORY = $(PY) -m aiosqlc factories -f sql/$(1) tests/rows/$(1) --tables $(ROWS_$(1))

db ?=
svc ?=
name ?=
engine ?=
grpc ?=
port ?=
holder ?=
apply ?=
version ?=
n ?= 200000
t ?=

# $(call one-of,db,$(DATABASES)): stop with the valid names unless the variable holds one of them.
one-of = $(if $(filter 1,$(words $($(1)))),$(if $(filter $($(1)),$(2)),,$(call not-one-of,$(1),$(2))),$(call not-one-of,$(1),$(2)))
not-one-of = @echo "$(1)=$(or $($(1)),?) is not one of: $(sort $(2))" >&2; exit 2

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-z0-9<>-]*:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  databases (db=): $(sort $(DATABASES))"
	@echo "  services (svc=): $(sort $(SERVICES))"

# --- set up ---------------------------------------------------------------------------------------

.PHONY: setup
setup: $(READY) ## create .venv from the locked, hashed requirements

# Two sets: what runs here, and with it what tests and checks it. The first is never made of the second again.
PROJECTS := pyproject.toml codegen/pyproject.toml
old-enough = @$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }

$(LOCAL): requirements.lock $(PROJECTS)
	$(old-enough)
	@PYTHON="$(PYTHON)" bash .ci/install $(if $(wildcard $(READY)),requirements-dev.lock,requirements.lock)
	@touch $@

$(READY): requirements-dev.lock $(PROJECTS)
	$(old-enough)
	@PYTHON="$(PYTHON)" bash .ci/install requirements-dev.lock
	@touch $(LOCAL) $@

.PHONY: setup-system
setup-system: ## install MariaDB, PgBouncer, etcd, NATS, Redis with TLS, Prometheus, Chromium, Node.js and older PostgreSQL (as root on Debian)
	@bash .ci/setup-system
	@bash .ci/older-postgres

# --- run ------------------------------------------------------------------------------------------

.PHONY: run
run: $(LOCAL) ## start the whole platform; Ctrl-C stops it
	@exec $(PY) -m devstack

# Listed for `make help`; the rule is the one with the per cent sign.
.PHONY: dev-<svc>
dev-<svc>: ## as run, and restart that service when its code changes (dev-user, ...)

dev-%: $(LOCAL)
	@exec $(PY) -m devstack --watch $*

.PHONY: run-<svc>
run-<svc>: ## start one service by itself, with the settings of .env (run-user, ...)

run-% test-%: svc = $*
run-%: $(LOCAL)
	$(call one-of,svc,$(SERVICES))
	@exec $(PY) -m services.$(svc)

# --- containers -----------------------------------------------------------------------------------

COMPOSE := docker compose --profile core

.PHONY: build docker-up docker-down docker-clean
build: ## build the container images
	@$(COMPOSE) build

# Migrated first: Compose takes the old containers away before it looks whether the jobs of the new ones succeed.
docker-up: ## make secrets, build, migrate and start the platform in containers
	@deploy/docker/secrets.sh $(DATABASES)
	@$(COMPOSE) build
	@for db in $(DATABASES); do $(COMPOSE) run --rm -T migrate-$$db; done
	@$(COMPOSE) up --wait

docker-down: ## stop the containers; their data stays
	@docker compose --profile "*" down

docker-clean: ## remove the containers, their data and the images built here
	@docker compose --profile "*" down --volumes --rmi local

# --- check ----------------------------------------------------------------------------------------

# All of them: some files side by side, each worker with servers of its own.
WORKERS := --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder --durations=10

# The compiler is a project of its own, whose tests run in its folder; `t=codegen/tests/...` names some of them.
COMPILER := $(MAKE) --no-print-directory -C codegen
of-compiler = $(filter codegen/%,$(firstword $(t)))
inside = $(patsubst codegen/%,%,$(t))

.PHONY: test
test: $(READY) ## run all tests, with long tests shortened (t=path or t='-k word' for some)
ifeq ($(t),)
	@status=0; $(PY) -m pytest $(WORKERS) || status=$$?; $(COMPILER) test || status=$$?; exit $$status
else
	@$(if $(of-compiler),$(COMPILER) test t='$(inside)',$(PY) -m pytest $(t))
endif

.PHONY: test-<svc>
test-<svc>: ## test one service (test-user, ...)

test-%: $(READY)
	$(call one-of,svc,$(SERVICES))
	@$(PY) -m pytest tests/services/$(svc) $(t)

.PHONY: test-repo
test-repo: $(READY) ## test the database functions against real servers
	@$(PY) -m pytest -m repo

.PHONY: test-e2e
test-e2e: $(READY) ## test the whole stack through the gateway
	@$(PY) -m pytest tests/e2e

.PHONY: test-long
test-long: $(READY) ## run the long tests (crash recovery, fuzzing, restarts) in full
ifeq ($(t),)
	@status=0; $(PY) -m pytest --long $(WORKERS) || status=$$?; $(COMPILER) test-long || status=$$?; exit $$status
else
	@$(if $(of-compiler),$(COMPILER) test-long t='$(inside)',$(PY) -m pytest --long $(t))
endif

# Services are event loops of one thread each: races are between awaits, not between threads, so a free-threaded Python
# would look where none can be. In asyncio's debug mode a call from another thread, a coroutine that nobody awaits and a
# callback that blocks the loop are errors or are reported.
.PHONY: test-race
test-race: $(READY) ## test lib and services in asyncio's debug mode (t=path for some)
	@PYTHONASYNCIODEBUG=1 PYTHONDEVMODE=1 $(PY) -W error::RuntimeWarning -m pytest $(or $(t),$(WORKERS) tests/lib tests/services)

.PHONY: cover
cover: $(READY) ## run every test and print how much of each package it ran, branches too
	@mkdir -p .cache
	@$(PY) -m pytest --cov --cov-report=json:.cache/coverage.json $(or $(t),$(WORKERS)) || echo "some failed; what they ran is counted" >&2
	@$(PY) -m tools.cover .cache/coverage.json
	@$(COMPILER) cover || echo "some failed; what they ran is counted" >&2
	@$(PY) -m tools.cover codegen/.cache/coverage.json

.PHONY: test-containers
test-containers: $(READY) ## test docker-compose's core and monitoring (needs a Docker engine; builds the images)
	@bash deploy/docker/offline/build.sh
	@$(PY) -m pytest tests/ops/containers.py

VET_PLANS = printf '%s\n' $(QUERY_SETS) | xargs -P 2 -n 1 $(PY) -m aiosqlc vet --plans -f
# What runs now: migrations after it are checked for locks. On main itself nothing is pending.
RELEASED ?= $(or $(shell git rev-parse -q --verify origin/main || git rev-parse -q --verify main),HEAD)

.PHONY: check
check: $(READY) ## format, lint, types, imports, plans, generated files up to date
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo | tail -n 3
	@$(BIN)/bandit --quiet -ll -c pyproject.toml -r lib services observability devstack
	@$(BIN)/uv pip check --quiet --python $(PY)
	@for config in $(QUERY_SETS); do $(PY) -m aiosqlc check --lock -f $$config; done
	@for config in $(QUERY_SETS); do \
		$(PY) -m aiosqlc migrations check --base $(RELEASED) --timeout-set -f $$config >/dev/null; \
	done
	@$(VET_PLANS)
	@$(foreach db,$(ROWS),$(call FACTORY,$(db)) --check;)
	@$(PY) -m tools.protobuf --check
	@$(PY) -m tools.specs check
	@$(PY) -m tools.rendered check
	@$(PY) -m tools.grants check
	@$(PY) -m tools.permissions check
	@$(PY) -m tools.english.check
	@bash .ci/check-locks
	@$(COMPILER) check

.PHONY: plans
plans: $(READY) ## vet the queries, planned for the sizes of a town (docs/capacity.md)
	@$(VET_PLANS)

.PHONY: lint
lint: $(READY) ## the quick part of check: format and lint
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .

.PHONY: format
format: $(READY) ## format the code and apply the linter's safe fixes
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

# --- services ---------------------------------------------------------------------------------

.PHONY: new-service remove-service start-project
new-service: $(READY) ## make a service that runs (name=inventory; engine=mysql, grpc=1, port=8090 if wanted)
	@$(PY) -m tools.scaffold new "$(name)" --engine "$(or $(engine),postgres)" --grpc "$(grpc)" --port "$(port)"

remove-service: $(READY) ## take a service out, with all that speaks of it (name=inventory)
	@$(PY) -m tools.scaffold remove "$(name)"

start-project: $(READY) ## name a project that begins with this repository (name=acme; holder="Acme Ltd", apply=1)
	@$(PY) -m tools.scaffold start "$(name)" --holder "$(holder)" --apply "$(apply)"

# --- generate -------------------------------------------------------------------------------------

.PHONY: sqlc
sqlc: $(READY) ## compile the queries of a database (db=user)
	$(call one-of,db,$(QUERIES))
	@for config in $(filter sql/$(db)/%,$(QUERY_SETS)); do $(PY) -m aiosqlc generate -f $$config; done
	@$(foreach db,$(filter $(db),$(ROWS)),$(call FACTORY,$(db));)

.PHONY: grants
grants: $(READY) ## write the rights that each service's queries need
	@$(PY) -m tools.grants write

.PHONY: permissions
permissions: $(READY) ## write the migration for new lines of services/permissions.toml
	@$(PY) -m tools.permissions write

.PHONY: proto
proto: $(READY) ## generate the messages from proto/
	@$(PY) -m tools.protobuf

.PHONY: swag-gen
swag-gen: $(READY) ## write the OpenAPI documents and the cURL page of a service from its routes (svc=user)
	$(call one-of,svc,$(SERVICES))
	@$(PY) -m tools.specs gen $(svc)

.PHONY: swag-config
swag-config: $(READY) ## write the list of documents that Swagger UI offers
	@$(PY) -m tools.specs config

.PHONY: clients
clients: $(READY) ## generate typed clients in TypeScript and Python into .cache/clients, and check their types
	@$(PY) -m tools.clients

.PHONY: render
render: $(READY) ## regenerate derived files: dashboards, deployment, settings, events, schema
	@$(PY) -m tools.rendered write
	@$(PY) -m tools.schema_page

.PHONY: site
site: $(READY) ## write the compiler's manual to codegen/.cache/site (version=1.2.3: beside other versions)
	@$(COMPILER) site version=$(version)

.PHONY: lock
lock: $(READY) ## resolve the requirements anew into the two lock files, and record their wheels
	@bash .ci/lock $(BIN)/uv

# --- databases ------------------------------------------------------------------------------------

.PHONY: migrate-up migrate-down migrate-init
migrate-up: $(LOCAL) ## apply the migrations of a database (db=user), or of all of them (db=all)
	$(call one-of,db,all $(DATABASES))
	@for name in $(if $(filter all,$(db)),$(sort $(DATABASES)),$(db)); do $(PY) -m devstack.migrate up --db $$name; done

migrate-down: $(LOCAL) ## undo the newest migration (db=user)
	$(call one-of,db,$(DATABASES))
	@$(PY) -m devstack.migrate down --db $(db)

migrate-init: $(LOCAL) ## create the next migration and its rollback (db=user name=add_x)
	$(call one-of,db,$(DATABASES))
	@$(PY) -m devstack.migrate init --db $(db) --name "$(name)"

# --- measure, clean -------------------------------------------------------------------------------

.PHONY: bench
bench: $(READY) ## measure against peers, as ratios
	@for bench in $(patsubst bench/%/__main__.py,%,$(wildcard bench/*/__main__.py)); do $(PY) -m bench.$$bench; done
	@$(COMPILER) bench

.PHONY: fuzz
fuzz: $(READY) ## hunt for unsound claims of the compiler, with new seeds (n=executions on each engine)
	@$(COMPILER) fuzz n=$(n)

.PHONY: clean
clean: ## remove .venv, .run (the databases too) and every cache
	@if command -v flock >/dev/null && test -e .run/stack.lock && ! flock --nonblock .run/stack.lock true; then \
	  echo "the stack is running: stop it first" >&2; exit 1; fi
	@rm -rf .venv .run .cache build dist *.egg-info codegen/src/*.egg-info codegen/.venv codegen/.cache
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache
	@cd codegen && rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
