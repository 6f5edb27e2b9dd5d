#!/bin/sh
# Builds the wheel, installs it into an environment of its own, and runs the tests against it from another folder.
set -eu
python=$1
here=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m build --wheel --outdir "$work/dist" . >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
"$python" - "$work"/dist/*.whl <<'PY'
import sys, zipfile
names = zipfile.ZipFile(sys.argv[1]).namelist()
strangers = [n for n in names if not n.startswith("mlspec/") and ".dist-info/" not in n]
sys.exit(f"the wheel holds more than mlspec/: {strangers[:5]}" if strangers else 0)
PY
"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq "$(ls "$work"/dist/*.whl)[test]"
cp -r "$here/tests" "$here/specs" "$work/"
rm -rf "$work"/specs/*/.mlspec
cp "$here/pyproject.toml" "$work/pyproject.toml"
cd "$work"
rm -f tests/test_architecture.py tests/test_docs.py  # they read the checkout
# Minutes of servers, faults, algorithms and thousands of texts, which say no more of a wheel than the others do.
rm -f tests/conformance/test_prefect.py tests/test_prefect_embedded.py tests/test_bucket*.py tests/test_postgres.py
rm -f tests/test_service_log.py tests/test_notebook_recipe.py tests/test_each.py tests/test_search.py tests/test_models.py tests/test_faults.py tests/test_one_token.py tests/test_fuzz.py
PATH="$work/venv/bin:$PATH" "$work/venv/bin/python" -m pytest -n 2 --dist loadfile tests
