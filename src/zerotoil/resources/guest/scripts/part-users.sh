# shellcheck shell=sh
# Who uses a disk. A part of scripts that are sent (packaged.sent), which say what $proc is.
# shellcheck disable=SC2154

users() { # FOLDER: ids of processes whose working folder, root, program or open file is in it
  find "$proc"/[0-9]*/cwd "$proc"/[0-9]*/root "$proc"/[0-9]*/exe "$proc"/[0-9]*/fd -maxdepth 1 \
    \( -lname "$1" -o -lname "$1/*" \) 2>/dev/null | sed -n "s|^$proc/\([0-9]*\)/.*|\1|p"
}

holders() { # MAJOR:MINOR: ids of processes in whose namespace a device is mounted, wherever
  grep -l "^[0-9]* [0-9]* $1 " "$proc"/[0-9]*/mountinfo 2>/dev/null | sed -n "s|^$proc/\([0-9]*\)/.*|\1|p"
}

elsewhere() { # those of the ids that come in whose namespace of mounts is another than ours
  ours=$(readlink "$proc/self/ns/mnt")
  while read -r pid; do
    [ -n "$ours" ] && [ "$(readlink "$proc/$pid/ns/mnt")" = "$ours" ] || echo "$pid"
  done
}

named() { # "PID (program), …" of the ids that come in, not too many
  sort -un | head -n 5 | while read -r pid; do
    echo "$pid ($(cat "$proc/$pid/comm" 2>/dev/null))"
  done | tr '\n' ',' | sed 's/,$//; s/,/, /g'
}
