# shellcheck shell=sh
# Units that a tree on the data disk brings, and their copies in /etc. A part of scripts that say what $own (the tree), $system,
# $units (names) and $mark (a copy's first line) are.
# shellcheck disable=SC2154

systemd() { timeout -k 5 300 systemctl "$@"; }

unit_text() { # NAME: as it stands in /etc
  echo "$mark" && cat "$own/units/$1"
}

differing_units() { # those whose text in /etc is another one, or should not be there
  for unit in $units; do
    if [ -f "$own/units/$unit" ]; then
      unit_text "$unit" | cmp -s - "$system/$unit" || echo "$unit"
    elif head -n 1 "$system/$unit" 2>/dev/null | grep -qxF "$mark"; then
      echo "$unit"
    fi
  done
}

take_away() { # UNIT
  systemd stop "$1" || true
  systemd disable "$1" >&2 || true
  rm -f "$system/$1"
}

put_unit() { # UNIT: as the tree has it, or away where it has none
  if [ ! -f "$own/units/$1" ]; then
    take_away "$1"
  else
    unit_text "$1" >"$system/$1.zerotoil-new"
    chmod 0644 "$system/$1.zerotoil-new"
    mv "$system/$1.zerotoil-new" "$system/$1"
  fi
}
