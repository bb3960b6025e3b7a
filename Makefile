# Two commands on a fresh machine: `make run`, `make test`. Needed: Python 3.11 and the registries.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Of one version the distribution's comes first, where it has venv: it is compiled along a profile, which
# one built by hand mostly is not, and pages cost up to a tenth less with it.
PYTHON ?= $(shell for v in 3.11 3.12 3.13 3.14; do for p in /usr/bin/python$$v python$$v; do \
  "$$p" -c 'import ensurepip' 2>/dev/null && { command -v "$$p"; exit; }; done; done; \
  for p in python3.11 python3.12 python3.13 python3.14 python3; do command -v $$p && exit; done)
UV := .venv/bin/uv
PY := .venv/bin/python
UV_VERSION := 0.13.9
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Empty is unset: each of the hundreds of processes of the tests would compile everything again.
export PYTHONDONTWRITEBYTECODE :=
# Linking from a cache on another disk only warns; copying is always right.
export UV_LINK_MODE := copy

.PHONY: help run test check bench wheel drill client setup setup-dev browser clean

help:
	@echo "make run    set up and start: http://localhost:8000 (ZHENGWU_PORT sets the port)"
	@echo "make test   set up and run all tests"
	@echo "make check  format, lint, types, layers, lock file"
	@echo "make bench  repeatable measurements (ONLY=inbox for one, CASES=50000 for a smaller city)"
	@echo "make drill  the long drills"
	@echo "make wheel  what is installed elsewhere: the wheel and its versions, into dist/"
	@echo "make client a Python client of the interface, into build/zhengwu-client"
	@echo "make clean  remove what set-up made; data under var/ stays"

$(UV):
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
	  echo "需要 Python 3.11 或更新的版本（找到的是：$(or $(PYTHON),没有)）。安装后运行：make run PYTHON=/path/to/python3.11" >&2
	  exit 1
	fi
	if [ ! -w . ]; then echo "文件夹 $$(pwd) 不可写（用户 $$(id -un)）。请改变它的所有者，或复制到可写的地方。" >&2; exit 1; fi
	if [ "$$(df -Pk . | awk 'NR==2 {print $$4}')" -lt 1500000 ]; then
	  echo "磁盘空间不足：首次安装约需 1.5 GB，$$(pwd) 所在的磁盘只剩 $$(df -Ph . | awk 'NR==2 {print $$4}')。请清理后重试。" >&2; exit 1
	fi
	"$(PYTHON)" -m venv .venv || { rm -rf .venv; echo "建不了虚拟环境。在 Debian/Ubuntu 上先安装 python3-venv。" >&2; exit 1; }
	.venv/bin/python -m pip install --quiet "uv==$(UV_VERSION)"

# The stamps say what was installed from which lock file.
.venv/.run: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --frozen --inexact --no-default-groups --group setup --quiet
	touch $@

.venv/.dev: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --frozen --quiet
	touch $@ .venv/.run

node_modules/.package-lock.json: package.json package-lock.json | .venv/.run
	@PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	touch $@

.venv/.frontend: node_modules/.package-lock.json package.json src/zhengwu/config/frontend.py
	@$(PY) -m zhengwu.config.frontend
	touch $@

setup: .venv/.run .venv/.frontend
setup-dev: .venv/.dev .venv/.frontend

run: setup
	@ZHENGWU_DEMO=$${ZHENGWU_DEMO:-1} exec .venv/bin/zhengwu serve

check: setup-dev
	@.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(UV) lock --check --quiet

browser: .venv/.dev
	@$(PY) tests/setup/browser.py

# Not again on PostgreSQL 16: what reads files, and whole logs of other systems, whose statements
# smaller tests send to it too.
ALIKE := --ignore=tests/cases/test_reading_logs.py --ignore=tests/cases/test_xes.py \
  --deselect=tests/cases/test_replay.py::test_the_receipt_log_goes_in_whole_and_only_once \
  --deselect=tests/cases/test_process.py::test_the_receipt_log_comes_out_as_it_went_in \
  --deselect=tests/cases/test_timekeeping.py::test_a_real_log_of_another_system_adds_up_too \
  --deselect=tests/cases/test_events.py::test_no_event_of_the_worked_story_or_of_a_simulation_has_more_than_is_told

test: setup-dev browser
	@.venv/bin/pytest $(PYTEST)
	ZHENGWU_TEST_PG=16 .venv/bin/pytest -q tests/ledger tests/cases $(ALIKE) $(PYTEST)

drill: setup-dev browser
	@ZHENGWU_DRILL=1 .venv/bin/pytest -n 0 -s -q tests/domain/test_clock_oracle.py tests/domain/test_clock_laws.py tests/domain/test_clock_look.py tests/ledger/test_drill.py tests/cases/test_walk.py tests/cases/test_simulation_year.py tests/cases/test_replay.py tests/cases/test_process.py tests/cases/test_process_outside.py tests/domain/test_measuring.py tests/statistics/test_recount.py tests/desk/test_naughty.py tests/desk/test_calendar.py tests/desk/test_case_acts.py tests/desk/test_addresses.py tests/desk/test_authorisations.py tests/api/test_cases.py tests/api/test_calendar.py tests/setup/test_reload.py tests/setup/test_wheel.py tests/setup/test_deploy.py tests/api/test_schemathesis.py tests/api/test_client.py tests/setup/test_burst.py tests/supervision/test_real_logs.py tests/browser $(PYTEST)

# requirements.txt: the versions and digests of the lock file, for pip install --require-hashes.
wheel: setup
	@rm -rf dist
	$(UV) build --wheel --quiet
	$(UV) export --frozen --no-default-groups --no-emit-project --no-annotate --quiet --output-file dist/requirements.txt
	ls dist

# A typed Python client, made from the OpenAPI document alone: docs/guide/api-client.md.
client: setup-dev
	@rm -rf build/zhengwu-client
	PATH="$(CURDIR)/.venv/bin:$$PATH" $(PY) -m tests.api.client build/zhengwu-client

bench: setup-dev
	@$(PY) -m bench.run --only "$(ONLY)" --cases "$(or $(CASES),0)"

clean:
	rm -rf .venv node_modules src/zhengwu/web/static/vendor src/zhengwu/documents/fonts
	@echo "var/ 保留：里面是数据库和密钥。"
