# Sourced by every script here: where the project is, and what of the caller's settings must not leak in.

set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv
python=$venv/bin/python

# Bytecode that is never written makes every start 2 to 5 s slower; the others redirect Python.
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV

say() {
  if [[ -t 1 ]]; then printf '\033[1m==> %s\033[0m\n' "$*"; else printf '==> %s\n' "$*"; fi
}

# One sentence on what is missing, and the end.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Say at the end how long it took and whether it went well.
report_time() {
  trap 'status=$?; say "${0##*/} $( ((status)) && echo "failed (status $status)" || echo done) after ${SECONDS} s"; exit $status' EXIT
}
