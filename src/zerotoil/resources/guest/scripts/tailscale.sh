#!/bin/sh
# Tailscale on this host. What it is kept by lies on the data disk, beside this script.
#
#   tailscale.sh install              after each boot, since the OS disk may be a new one: units, state, tailscaled started
#   tailscale.sh up                   the same by a deploy; waits until tailscaled answers, and prints its state
#   tailscale.sh keep                 copies a changed state to the data disk
#   tailscale.sh join FLAG...         joins with the key on stdin
#   tailscale.sh again                connects again what `tailscale down` has cut off
#   tailscale.sh set FLAG...          preferences
#   tailscale.sh serve PORT LOCAL     an HTTPS endpoint
#   tailscale.sh unserve PORT         ends one that was served by this script
#   tailscale.sh remove               leaves the tailnet; the state is kept
#   tailscale.sh observe              what is there, as JSON
# join, again, set, serve and unserve end with the line "ok", or "failed" and why.
#
# The state, which is what the tailnet knows the machine by, stays where tailscaled itself has it, /var/lib/tailscale on the OS disk,
# and the data disk holds a copy. So it outlives an OS disk, and an undo of the data does not bring back a key that the
# tailnet may have replaced meanwhile. tailscaled needs no data disk: it runs on, and whoever came over the tailnet stays
# connected, while an undo takes that disk out. And SELinux's policy finds the state where it expects it.
#
# Which of the two is newer says a number: that of the copy's folder, and the one that was noted on the OS disk.
set -eu
umask 077
root=${ZEROTOIL_ROOT:-}
own=$root/var/mnt/data/zerotoil/tailscale
state=$root/var/lib/tailscale
noted=$root/var/lib/zerotoil/tailscale           # on the OS disk: number and hash of the state that was copied last
enabled=$root/var/lib/zerotoil/tailscale-enabled # tailscaled.service was enabled by this script
system=$root/etc/systemd/system
sysctl=$root/etc/sysctl.d/90-zerotoil-tailscale.conf
run=$root/run
served=$state/zerotoil-served # goes with the state
mark='# Installed by tailscale.sh from the data disk.'
units='zerotoil-tailscale.path zerotoil-tailscale.service'
daemon=tailscaled.service

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

there() { command -v tailscale >/dev/null && command -v tailscaled >/dev/null; }

call() { # SECONDS ARGUMENT...
  most=$1
  shift
  timeout -k 5 "$most" tailscale "$@" </dev/null
}

note() { # FILE: stdin, in one step
  mkdir -p "${1%/*}"
  cat >"$1.new"
  sync "$1.new"
  mv "$1.new" "$1"
}

lock() {
  exec 9>"$run/zerotoil-tailscale.lock"
  flock -w 120 9 || fail 'another run of tailscale.sh does not end'
}

# --- units

differing() { # what in /etc is another text, or should not be there
  differing_units
  if [ -f "$own/forwarding.conf" ]; then
    cmp -s "$own/forwarding.conf" "$sysctl" || echo forwarding
  elif [ -e "$sysctl" ]; then
    echo forwarding
  fi
}

put() { # what differs
  changed=$(differing)
  [ -n "$changed" ] || return 0
  (umask 022 && mkdir -p "$system" "${sysctl%/*}")
  for item in $changed; do
    case $item in
      forwarding)
        if [ -f "$own/forwarding.conf" ]; then
          cp "$own/forwarding.conf" "$sysctl" && chmod 0644 "$sysctl"
          timeout 20 sysctl -q -p "$sysctl" >&2
        else
          rm -f "$sysctl" # what it set stays until the next boot: others may need it
        fi
        ;;
      *) put_unit "$item" ;;
    esac
  done
  systemd daemon-reload
}

# --- the state and its copy

sum() { # of all that is kept; nothing where there is no state
  [ ! -s "$state/tailscaled.state" ] ||
    cat "$state/tailscaled.state" "$served" "$state"/certs/* 2>/dev/null | sha256sum | cut -d' ' -f1
}

newest() { # the number of the copy; 0: there is none
  number=0
  for folder in "$own"/state.*; do
    found=${folder##*/state.}
    case $found in '' | *[!0-9]*) continue ;; esac
    [ "$found" -le "$number" ] || number=$found
  done
  echo "$number"
}

numbers() { # $here and $was: what is noted; $copy: the copy's
  here=0 was=
  if [ -s "$noted" ]; then read -r here was <"$noted" || true; fi
  copy=$(newest)
}

save() {
  now=$(sum)
  [ -n "$now" ] || return 0
  if [ "$now" != "$was" ]; then
    here=$((here + 1))
    echo "$here $now" | note "$noted" # first: a copy that is newer than what is noted would be taken for another OS disk's
  fi
  [ "$here" != "$copy" ] || return 0
  rm -rf "$own/state.new"
  mkdir -p "$own/state.new"
  cp "$state/tailscaled.state" "$own/state.new/"
  [ ! -f "$served" ] || cp "$served" "$own/state.new/"
  [ ! -d "$state/certs" ] || cp -R "$state/certs" "$own/state.new/"
  sync
  mv "$own/state.new" "$own/state.$here"
  sync "$own"
  for folder in "$own"/state.*; do [ "$folder" = "$own/state.$here" ] || rm -rf "$folder"; done
}

restore() { # another OS disk has run meanwhile, and this one is new or old
  echo "the state on the data disk is newer than this OS disk's: it is taken" >&2
  running=no
  ! systemd is-active --quiet "$daemon" || running=yes
  systemd stop "$daemon"
  (umask 022 && mkdir -p "${state%/*}") && mkdir -p "$state"
  rm -rf "$state/certs" "$served"
  cp -R "$own/state.$copy/." "$state/"
  if command -v selinuxenabled >/dev/null && selinuxenabled; then restorecon -R "$state"; fi
  sync
  echo "$copy $(sum)" | note "$noted"
  [ "$running" = no ] || systemd start "$daemon"
}

settle() { # the newer one counts
  numbers
  if [ "$copy" -gt "$here" ]; then restore; else save; fi
}

# --- tailscaled

prepare() { # all but its start
  there || fail 'the program tailscale is not in this OS'
  [ -f "$own/tailscale.sh" ] || fail 'the data disk is not mounted, or it holds no Tailscale'
  lock
  rm -f "$run"/zerotoil-tailscale-key.* # of a run that was killed
  put
  settle
  if ! systemd is-enabled --quiet "$daemon"; then
    systemd enable "$daemon" >&2
    mkdir -p "${enabled%/*}" && : >"$enabled"
  fi
  if [ -f "$system/zerotoil-tailscale.path" ]; then
    systemd is-enabled --quiet zerotoil-tailscale.path || systemd enable zerotoil-tailscale.path >&2
    systemd is-active --quiet zerotoil-tailscale.path || systemd start --no-block zerotoil-tailscale.path
  fi
}

install() {
  prepare
  systemd is-active --quiet "$daemon" || systemd start --no-block "$daemon"
}

backend() { call 10 status --json --peers=false 2>/dev/null | jq -r '.BackendState // ""'; }

up() {
  prepare
  systemd is-active --quiet "$daemon" || systemd start "$daemon" || true
  left=${ZEROTOIL_TRIES:-15}
  while :; do
    found=$(backend) || found=
    case $found in '' | NoState | Starting) ;; *) break ;; esac
    left=$((left - 1))
    [ "$left" -gt 0 ] || break
    sleep 2
  done
  settle
  echo "state ${found:-silent}"
}

masked() { # stdin without the key: by the shell itself, since arguments are seen by all
  text=$(tail -n 4 | tr -s '\n\t' '  ' | sed 's/^ *//; s/ *$//')
  secret=
  [ -z "${key:-}" ] || secret=$(cat "$key")
  secret=${secret%%\?*} # an OAuth client's without its parameters
  if [ -n "$secret" ]; then
    while :; do
      case $text in *"$secret"*) text="${text%%"$secret"*}********${text#*"$secret"}" ;; *) break ;; esac
    done
  fi
  printf '%s\n' "$text"
}

attempt() { # SECONDS ARGUMENT...: its end in one line
  seconds=${ZEROTOIL_SECONDS:-$1}
  shift
  if said=$(call "$seconds" "$@" 2>&1); then
    settle
    echo ok
    return
  else
    code=$?
  fi
  settle
  words=$(printf '%s\n' "$said" | masked)
  case $code in 124 | 137) words="no answer within $seconds seconds${words:+: $words}" ;; esac
  echo "failed ${words:-without a word (exit code $code)}"
}

join() {
  lock
  rm -f "$run"/zerotoil-tailscale-key.*
  key=$(mktemp "$run/zerotoil-tailscale-key.XXXXXX") # 0600, in memory
  trap 'rm -f "$key"' EXIT
  trap 'exit 1' HUP INT TERM
  cat >"$key"
  attempt 75 up --auth-key="file:$key" --timeout=60s "$@"
}

serve() { # PORT LOCAL. Where HTTPS is off in the tailnet it prints where to switch it on, and waits
  lock
  mkdir -p "$state"
  { grep -v "^$1 " "$served" 2>/dev/null || true; echo "$1 $2"; } | note "$served" # first: what was cut off is ours all the same
  attempt 30 serve --bg --https="$1" "http://127.0.0.1:$2"
}

serving() { call 10 serve status --json 2>/dev/null | jq -c '
  def port: capture(":(?<p>[0-9]+)$").p;
  . as $all | [(.Web // {}) | to_entries[] | select(.value.Handlers["/"].Proxy) | {key: (.key | port), value:
    (.value.Handlers["/"].Proxy + (if $all.AllowFunnel[.key] then ", open to the internet" else "" end))}] | from_entries'; }

unserve() { # PORT: the handler that was made here, and no other path of that port
  lock
  to=$(sed -n "s/^$1 //p" "$served" 2>/dev/null)
  now=$(serving | jq -r --arg port "$1" '.[$port] // ""')
  said=ok
  case $now in "http://127.0.0.1:$to" | "http://127.0.0.1:$to,"*) said=$(attempt 30 serve --https="$1" --set-path=/ off) ;; esac
  if [ "$said" = ok ] && [ -f "$served" ]; then
    { grep -v "^$1 " "$served" || true; } | note "$served"
    settle
  fi
  echo "$said"
}

remove() { # what is ours
  if there && systemd is-active --quiet "$daemon"; then
    ports=$(cut -d' ' -f1 "$served" 2>/dev/null || true)
    for port in $ports; do (unserve "$port") >&2; done
    [ -e "$enabled" ] || call 30 down --accept-risk=lose-ssh >&2
  fi
  lock
  if [ -f "$own/tailscale.sh" ]; then settle; fi
  if [ -e "$enabled" ]; then
    systemd stop "$daemon"
    systemd disable "$daemon" >&2
    rm -f "$enabled"
  fi
  for unit in $units; do
    if head -n 1 "$system/$unit" 2>/dev/null | grep -qxF "$mark"; then take_away "$unit"; fi
  done
  rm -f "$sysctl"
  systemd daemon-reload
}

# --- what is there

observe() {
  numbers
  program=no prefs='{}' status='{}' serve='{}'
  if there; then
    program=yes
    prefs=$(call 10 debug prefs 2>/dev/null) || prefs='{}'
    peers=--peers=false # there may be thousands: only the name of an exit node is among them
    ! printf '%s' "$prefs" | jq -e '(.ExitNodeID // "") != ""' >/dev/null 2>&1 || peers=--peers=true
    status=$(call 10 status --json "$peers" 2>/dev/null) || status='{}'
    serve=$(serving) || serve='{}'
    [ -n "$prefs" ] || prefs='{}'
    [ -n "$status" ] || status='{}'
    [ -n "$serve" ] || serve='{}'
  fi
  kept=yes
  if [ "$copy" -gt "$here" ]; then kept=newer; elif [ "$copy" != "$here" ] || [ "$(sum)" != "$was" ]; then kept=no; fi
  ours=no
  [ ! -e "$enabled" ] || ours=yes
  # Only what is compared goes on: preferences and status have keys in them.
  {
    printf '%s\n' "$prefs" "$status" "$serve"
    { cat "$served" 2>/dev/null || true; } | jq -Rn '[inputs | split(" ") | {key: .[0], value: .[1]}] | from_entries'
    systemd show --property=Id,ActiveState,UnitFileState "$daemon" zerotoil-tailscale.path |
      jq -Rs 'split("\n\n") | map(split("\n") | map(split("=") | select(length > 1) | {key: .[0], value: .[1]}) | from_entries
        | select(.Id) | {key: .Id, value: .}) | from_entries'
  } | jq -sc --arg program "$program" --arg kept "$kept" --arg ours "$ours" --arg in_etc "$(differing | tr '\n' ' ')" '
    .[0] as $p | .[1] as $s | ($s.Peer // {} | map(select(.ID == $p.ExitNodeID)) | .[0]) as $exit | {
      program: ($program == "yes"), $kept, enabled_here: ($ours == "yes"), in_etc: ($in_etc | split(" ") | map(select(. != ""))),
      state: ($s.BackendState // ""), have_key: ($s.HaveNodeKey // false), expiry: ($s.Self.KeyExpiry // ""),
      tags: ($s.Self.Tags // []), prefs: (if $p | has("RouteAll") then {
        hostname: ($p.Hostname // ""), accept_routes: ($p.RouteAll // false), accept_dns: ($p.CorpDNS // false), ssh: ($p.RunSSH // false),
        routes: ($p.AdvertiseRoutes // []), login_server: ($p.ControlURL // ""), tags: ($p.AdvertiseTags // []),
        exit_node: ([$p.ExitNodeIP, $p.ExitNodeID, $exit.HostName, ($exit.DNSName // "" | rtrimstr(".")), $exit.TailscaleIPs[]?]
          | map(select(. and . != "")) | unique)
      } else null end), serve: .[2], served: .[3], units: .[4]}'
}

case ${1:-} in
  install | up | remove | observe) "$1" ;;
  keep) lock && settle ;;
  join | serve | unserve) verb=$1 && shift && "$verb" "$@" ;;
  set) shift && lock && attempt 30 set --accept-risk=lose-ssh "$@" ;; # declared: no one is there to be asked
  again) lock && attempt 60 up ;;
  *) echo 'usage: tailscale.sh install|up|keep|join|again|set|serve|unserve|remove|observe' >&2 && exit 2 ;;
esac
