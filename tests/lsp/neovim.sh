#!/bin/sh
# The language server in a real Neovim, without a screen. neovim.sh PYTHON installs Neovim, 0.7 or newer, where there is none.
set -eu
export PYTHON="$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"
here="$(cd "$(dirname "$0")" && pwd)"
if ! command -v nvim >/dev/null; then
  as_root=
  [ "$(id -u)" = 0 ] || as_root=sudo
  $as_root apt-get update -qq
  $as_root apt-get install -y -qq --no-install-recommends neovim
fi
PROJECT="$(mktemp -d)"
export PROJECT
trap 'rm -rf "$PROJECT"' EXIT
printf 'größe,länge,art\n1,2.5,a\n2,3.5,b\n' >"$PROJECT/zuege.csv"
cat >"$PROJECT/main.mlspec" <<'SPEC'
## Größe 🎈 in Zügen.
data züge from csv "zuege.csv" {
  größe: int
}

data train, test from züge by split {
  test = 20%
}

model m from train by python "sklearn.linear_model:LinearRegression" {
  predict .größe from .länge  # 🎈🎈
  measure mae as größe_mae, rmsee on test
}
SPEC
XDG_STATE_HOME="$PROJECT" XDG_DATA_HOME="$PROJECT" XDG_CONFIG_HOME="$PROJECT" \
  timeout 180 nvim --headless -u NONE -i NONE -n -c "luafile $here/neovim.lua"
