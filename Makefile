# demo, test, lint, bench: each sets up what it needs, and does again only what has changed.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
WHEELS := build/wheels
RUST := $(shell find rust benches -name '*.rs') $(shell find . -name Cargo.toml -not -path './target/*') Cargo.lock
PACKAGE := $(shell find python/nb101 -type f -not -name '*.py[co]' -not -name '*.so' -not -path '*/bundle/*')
WEB := $(shell find web -type f -not -path '*/node_modules/*')
PAGE := python/nb101/explore/bundle/index.html

WARNINGS ?= --fail-on-warning --keep-going

.PHONY: help docs paper demo check test test-rust test-web test-python slow-tests lint format bench figures surrogate surrogate-report fuzz fuzz-rust fuzz-python torture test-pythons wheels wheels-same test-arm vendor clean

help:
	@echo 'make demo     build and install the wheel into .venv, enumerate the space, query its table'
	@echo 'make check    every lint, and the tests that are quick: a minute or so, while you work'
	@echo 'make test     every Rust and Python test and every lint'
	@echo 'make bench    the benchmarks; results are kept in benches/record/'
	@echo 'make docs     the site of docs/, in build/docs'
	@echo 'make figures  every figure of docs/, and the numbers of documents that are of tables and records'
	@echo 'make paper    the section of the documentation that sets the paper beside ours: record, figures, pages'
	@echo 'make surrogate-report  cross-validate the predictor of the embedded table on genuine records'
	@echo 'make surrogate         the same, and make the table and its model card anew'
	@echo 'make format   format Rust and Python'
	@echo 'make torture  half an hour of damage, hostile calls, kills, forks and shortages of memory'
	@echo 'make test-pythons  the wheel in clean environments: every Python, lowest and latest dependencies, extras'
	@echo 'make fuzz     fuzz every parser, a minute each; FUZZ_SECONDS=3600 for longer (fuzz-rust, fuzz-python)'
	@echo 'make wheels   every wheel and the source distribution into dist/, checked: docs/reference/platforms.md'
	@echo 'make wheels-same  build the commit again in other folders: the same wheel, byte for byte'
	@echo 'make test-arm  the arm64 wheel on an emulated processor: its result is kept in benches/record/'
	@echo 'make clean    remove everything that was built'

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit("nb101 needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(PIP) 'maturin>=1.9,<2'
	@touch $@

# The explorer's page, which wheels contain. Node comes from PyPI where the machine has none.
$(PAGE): .venv/made $(WEB)
	@PYTHONPATH=tools $(BIN)/python -m page build
	@touch $@

$(WHEELS)/made: .venv/made $(RUST) $(PACKAGE) $(PAGE) pyproject.toml README.md
	@rm -rf $(WHEELS)
	$(BIN)/maturin build --profile quick --quiet --out $(WHEELS)
	@touch $@

# The wheel is reinstalled by force, since its version does not change while one works on it.
.venv/installed: $(WHEELS)/made
	$(PIP) $(WHEELS)/*.whl
	$(PIP) --force-reinstall --no-deps $(WHEELS)/*.whl
	@touch $@

.venv/developing: .venv/installed tests/adapters/requirements.txt
	$(PIP) "$$(echo $(WHEELS)/*.whl)[dev]"
	$(PIP) --no-deps -r tests/adapters/requirements.txt
	@touch $@

demo: .venv/installed
	@$(BIN)/nb101 enumerate --output build/nasbench101.parquet
	@$(BIN)/nb101 query 28cfc7874f6d200472e1a9dcd8650aa0
	@$(BIN)/nb101 top --metric validation_accuracy --epochs 108 -n 5

# tests/slow.txt lists what is left out; see tests/timing.py.
check: lint
	cargo test --workspace --quiet --lib
	$(BIN)/python -m pytest --quiet tests --quick -n auto --dist loadfile

test: test-rust test-web test-python lint

test-rust:
	cargo test --workspace --quiet

# Types, style and unit tests of the page. The engine's tests ask Python for all cells of the space.
test-web: .venv/developing
	@NB101_PYTHON=$(abspath $(BIN)/python) PYTHONPATH=tools $(BIN)/python -m page check

# A process a core, files as a whole, so that what a file's tests share is made once.
test-python: .venv/developing build/docs/made
	NB101_SITE=required $(BIN)/python -m pytest --quiet tests --doctest-modules --pyargs nb101 -n auto --dist loadfile

# PYTHONS="3.13 /path/of/another" and EXTRAS="train" instead of all that are found.
test-pythons: .venv/developing
	PYTHONPATH=tools $(BIN)/python -m installs $(WHEELS)/*.whl \
		$(addprefix --python ,$(PYTHONS)) $(addprefix --extra ,$(EXTRAS))

# One process, so that times are those of tests alone; on a quiet machine.
slow-tests: .venv/developing
	$(BIN)/python -m pytest --quiet tests --time

lint: .venv/developing
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --quiet
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms \
		.github/ISSUE_TEMPLATE/defect.yml .github/ISSUE_TEMPLATE/wish.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	PYTHONPATH=python $(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/mypy
	@$(MAKE) --no-print-directory build/stubs-tested

# Half a minute, and only what the extension has makes a difference.
build/stubs-tested: $(RUST) python/nb101/_core.pyi | .venv/developing
	$(BIN)/python -m mypy.stubtest nb101._core
	@mkdir -p build && touch $@

# What is shipped is measured: link-time optimisation of all of it, which takes its time.
build/released/made: .venv/made $(RUST) $(PACKAGE) $(PAGE) pyproject.toml README.md
	@rm -rf build/released
	$(BIN)/maturin build --release --quiet --out build/released
	@touch $@

# Criterion first, then pytest-benchmark, then both beside the figures asked.
bench: .venv/developing build/released/made
	$(PIP) --force-reinstall --no-deps build/released/*.whl
	cargo bench --package nb101-benches --quiet
	$(BIN)/python -m pytest benches --override-ini=addopts= --import-mode=importlib --quiet \
		--benchmark-json=build/benchmark.json --benchmark-columns=min,median,rounds
	$(BIN)/python benches/report.py build/benchmark.json target/criterion

# Under a minute; tests/documents.py says what is made of what, and a test fails where it is stale. The
# picture of the explorer stays as it is where there is no Chromium.
figures: .venv/developing
	PYTHONPATH=tests $(BIN)/python -m documents
	@PYTHONPATH=tools $(BIN)/python -m page.picture

# Half an hour. The records are not part of the project: see docs/explanation/surrogate.md.
RECORDS = $(or $(NB101_TEST_DATA),../shared/data)/nasbench101
MAKER = PYTHONPATH=tools $(BIN)/python -m surrogate
surrogate-report: .venv/developing
	$(MAKER) fit $(RECORDS) -o build/surrogate-predictor.npz

# A minute, or some ten where searches have to be run again: PAPER=--anew runs them whatever there is,
# PAPER=--pages makes figures and pages of the newest record alone.
paper: .venv/developing
	PYTHONPATH=tools $(BIN)/python -m paper $(RECORDS) $(PAPER)

surrogate: surrogate-report
	$(MAKER) pack $(RECORDS) build/surrogate-predictor.npz \
		-o python/nb101/table/surrogate-v1.npz --card docs/explanation/surrogate.md --figures docs/figures

# Sphinx reads again what has changed, and runs tutorials that have; WARNINGS= lets it pass over warnings.
DOCUMENTS := $(shell find docs -type f -not -path '*/reference/api/*' -not -name '*.py[co]') CHANGELOG.md CONTRIBUTING.md
build/docs/made: .venv/developing $(DOCUMENTS)
	@rm -rf build/docs/_modules # which Sphinx makes again for modules that have changed alone
	$(BIN)/python -m sphinx --builder html --jobs 2 --quiet $(WARNINGS) docs build/docs
	@touch $@

docs: build/docs/made
	@echo 'build/docs/index.html'

format:
	cargo fmt --all
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

# One table of what came of everything, kept in benches/record/: see docs/explanation/robustness.md.
TORTURE_MINUTES ?= 30
TORTURE_SEED ?= 101
torture: .venv/developing
	PYTHONPATH=tests $(BIN)/python -m torture --record \
		--minutes $(TORTURE_MINUTES) --seed $(TORTURE_SEED)

# Stable Rust is enough: the flag lets it take the options that fuzzing needs. There is no unsafe
# code but in the kernels of MD5, so that the address sanitizer would cost much and find nothing.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= modules records frames words hashes lanes
fuzz: fuzz-rust fuzz-python

fuzz-rust:
	@command -v cargo-fuzz >/dev/null || cargo install --quiet cargo-fuzz
	cd fuzz && for target in $(FUZZ_TARGETS); do \
		mkdir -p corpus/$$target && CARGO_TARGET_DIR=target RUSTC_BOOTSTRAP=1 \
		cargo fuzz run --sanitizer none $$target corpus/$$target seeds/$$target -- \
		-max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 || exit; \
	done

# There is no atheris for every Python and system: without it inputs are drawn.
fuzz-python: .venv/developing
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(PIP) --only-binary :all: atheris || true
	PYTHONPATH=tests $(BIN)/python -m torture.fuzz_python --seconds $(FUZZ_SECONDS)

# All that is published: tools/wheels builds it and checks it. WHEEL_TARGETS='x86_64-apple-darwin ...'
# for some; of all, those whose standard library cannot be had are named and left out.
WHEEL_TARGETS ?=
PUBLISH := PYTHONPATH=tools $(BIN)/python -m wheels
.venv/publishing: .venv/made
	$(PIP) 'maturin[zig]>=1.9,<2' cargo-zigbuild auditwheel abi3audit twine check-wheel-contents pytest uv
	@touch $@

wheels: .venv/publishing $(PAGE)
	$(PUBLISH) build $(WHEEL_TARGETS)
	$(PUBLISH) check
	$(PUBLISH) clean
	$(BIN)/python -m pytest --quiet tests/packaging --noconftest

wheels-same: .venv/publishing
	$(PUBLISH) same $(WHEEL_TARGETS)

# A quarter of an hour: compiler, wheel and tests for Arm; qemu-user runs them.
test-arm: .venv/publishing
	$(PUBLISH).arm --record

# Sources of all crates, for builds without a network: see docs/reference/platforms.md. Their folders are named
# as those of a registry, so that what is built is the same.
vendor:
	@mkdir -p build/offline
	cargo vendor --locked --quiet --versioned-dirs build/offline/crates > /dev/null
	@printf '[net]\noffline = true\n[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "offline/crates"\n' \
		> build/offline/config.toml

clean:
	cargo clean
	rm -rf .venv build dist web/node_modules python/nb101/explore/bundle
