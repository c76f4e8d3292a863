#!/bin/bash
# Installs what the project needs: Debian packages, a virtual environment from the lock file, and the tools built from
# their pinned Go modules. Does nothing when all is there. Mirrors and proxies are the system's own.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-/usr/bin/python3}

missing=()
while read -r package; do
  dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done <setup/packages.txt
if ((${#missing[@]})); then
  if ((EUID)); then
    echo "these Debian packages are missing: ${missing[*]}" >&2
    echo "run: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  echo "setup: installing ${#missing[@]} Debian packages"
  apt-get update -qq
  # RUNLEVEL=1 keeps package scripts from starting daemons; the lab starts its own.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
fi

stamp=.venv/stamp-$(cat requirements.lock pyproject.toml | sha256sum | cut -c1-16)
if [[ ! -e $stamp ]]; then
  echo "setup: building .venv"
  "$python" -m venv .venv
  .venv/bin/pip install --quiet --require-hashes --requirement requirements.lock
  .venv/bin/pip install --quiet --no-deps --editable .
  rm -f .venv/stamp-*
  touch "$stamp"
fi
# pip compiles what it installs, but not what it installs as editable: without this a fifth of every start is compiling.
.venv/bin/python -m compileall -q src
.venv/bin/python -m zerotoil.minilab.tools butane ignition-validate
