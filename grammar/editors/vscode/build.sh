#!/bin/sh
# The extension as dist/mlspec-VERSION.vsix. usage: build.sh PYTHON; run in the checkout.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
sh "$root/tests/editors/install.sh" "$1" "$root/build/editors"
PATH="$root/build/editors/bin:$PATH"

# Away from the sources: what npm brings is no part of the package.
work=$root/build/vscode
mkdir -p "$work" "$root/dist"
cp -R "$here"/. "$work"
cd "$work"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
node_modules/.bin/esbuild extension.js --bundle --minify --platform=node --target=node18 --external:vscode --outfile=dist/extension.js --log-level=warning
node_modules/.bin/vsce package --no-dependencies --allow-missing-repository --out "$root/dist/"
