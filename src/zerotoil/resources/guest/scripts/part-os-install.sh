# shellcheck shell=sh
# What the tree on the data disk brings to the OS disk: the scripts and what is declared, since the gate must run though the data disk
# does not come, units, and how signatures are checked. A part of os.sh.
# shellcheck disable=SC2154
kept='os.sh health.sh declared.json'
containers=$root/etc/containers
policy=$containers/policy.json
registries=$containers/registries.d/zerotoil-os.yaml
key=$root/etc/pki/containers/zerotoil-os.pub
upstream=$system/rpm-ostreed.service.d/coreos-containers-policy.conf # CoreOS's own puts another policy before rpm-ostree's eyes
watchdog=$root/etc/systemd/system.conf.d/90-zerotoil-watchdog.conf
zincati_pin=$root/etc/zincati/config.d/95-zerotoil-pin.toml
login=$root/etc/ostree/auth.json # containers-auth.json(5); where rpm-ostree and bootc look for it
login_ours=$base/login            # what was there before; empty where nothing was
zincati_masked=$base/zincati-masked
zincati=$root/etc/zincati/config.d/90-zerotoil.toml # when a stream's updater restarts this host, as declared

repository() { # that images are declared to come from
  declared '.reference // "" | sub("^ostree-unverified-registry:"; "") | sub("^ostree-image-signed:docker://"; "") | sub(":[^/:]*$"; "")'
}

policy_text() { # containers-policy.json(5): what is not named is refused; where podman runs apps from anywhere, its other images are not
  fedora=$(jq -c '.transports.docker["quay.io/fedora/fedora-coreos"] // empty' "$root/usr/lib/coreos/coreos-containers-policy.json" 2>/dev/null)
  jq -n --argjson fedora "${fedora:-null}" --arg repository "$(repository)" --arg key "${key#"$root"}" --arg engine "$(declared .engine)" '
    [{type: "insecureAcceptAnything"}] as $any | {
      default: [{type: "reject"}],
      transports: {
        docker: ({($repository): [{type: "sigstoreSigned", keyPath: $key, signedIdentity: {type: "matchRepository"}}]}
          + (if $fedora then {"quay.io/fedora/fedora-coreos": $fedora} else {} end)
          + (if $engine == "podman" then {"": $any} else {} end)),
        "containers-storage": {"": $any}, "docker-daemon": {"": $any}, oci: {"": $any}, "oci-archive": {"": $any}
      }
    }'
}

registries_text() { # containers-registries.d(5): cosign puts signatures beside the image
  printf '%s\ndocker:\n  %s:\n    use-sigstore-attachments: true\n' "$mark" "$(repository)"
}

signed() { [ "$(declared '.signed // false')" = true ] && [ -f "$own/cosign.pub" ]; }

same() { # FILE: does it hold what comes on stdin?
  cmp -s - "$1"
}

put() { # FILE MODE: stdin, in one step, where it differs; adds its name to $changed
  text=$(cat)
  if printf '%s\n' "$text" | same "$1"; then return 0; fi
  (umask 022 && mkdir -p "${1%/*}")
  printf '%s\n' "$text" | note "$1" && chmod "$2" "$1"
  changed="$changed ${1##*/}"
}

differing_signatures() { # those of these files that are not as declared
  if signed; then
    policy_text | same "$policy" || echo policy.json
    registries_text | same "$registries" || echo "${registries##*/}"
    cmp -s "$own/cosign.pub" "$key" || echo "${key##*/}"
    [ "$(readlink "$upstream")" = /dev/null ] || echo "${upstream##*/}"
  elif [ -e "$registries" ]; then
    echo "${registries##*/}"
  fi
}

put_signatures() {
  [ -n "$(differing_signatures)" ] || return 0
  if signed; then
    [ -e "$registries" ] || [ ! -f "$policy" ] || [ -f "$base/policy.before" ] || note "$base/policy.before" <"$policy"
    (umask 022 && mkdir -p "${key%/*}")
    note "$key" <"$own/cosign.pub" && chmod 0644 "$key"
    put "$registries" 0644 <<END
$(registries_text)
END
    put "$policy" 0644 <<END
$(policy_text)
END
    mkdir -p "${upstream%/*}" && ln -sfn /dev/null "$upstream"
  else
    forget_signatures
  fi
  changed="$changed signatures"
}

forget_signatures() {
  [ -e "$registries" ] || return 0
  if [ -f "$base/policy.before" ]; then note "$policy" <"$base/policy.before"; else rm -f "$policy"; fi
  rm -f "$key" "$base/policy.before"
  [ "$(readlink "$upstream")" != /dev/null ] || rm -f "$upstream"
  rmdir "${upstream%/*}" 2>/dev/null
  rm -f "$registries" # last: by it the rest is known as ours
}

differing_login() {
  if [ -f "$own/auth.json" ]; then
    cmp -s "$own/auth.json" "$login" || echo auth.json
  elif [ -e "$login_ours" ]; then
    echo auth.json
  fi
}

put_login() {
  [ -n "$(differing_login)" ] || return 0
  [ -f "$own/auth.json" ] || { forget_login && return; }
  (umask 022 && mkdir -p "${login%/*}")
  if [ ! -e "$login_ours" ]; then
    before=$login
    [ -f "$before" ] || before=/dev/null
    (umask 077 && note "$login_ours" <"$before")
  fi
  (umask 077 && note "$login" <"$own/auth.json")
}

forget_login() {
  [ -e "$login_ours" ] || return 0
  if [ -s "$login_ours" ]; then (umask 077 && note "$login" <"$login_ours"); else rm -f "$login"; fi
  rm -f "$login_ours"
}

differing_copies() { # what of the tree the OS disk has otherwise
  for file in $kept; do cmp -s "$own/$file" "$base/$file" || echo "$file"; done
}

differing_zincati() {
  if [ -f "$own/zincati.toml" ]; then
    cmp -s "$own/zincati.toml" "$zincati" || echo zincati.toml
  elif head -n 1 "$zincati" 2>/dev/null | grep -qx '# Written by zerotoil\.'; then
    echo zincati.toml
  fi
}

put_zincati() {
  [ -n "$(differing_zincati)" ] || return 0
  if [ -f "$own/zincati.toml" ]; then
    mkdir -p "${zincati%/*}"
    note "$zincati" <"$own/zincati.toml" && chmod 0644 "$zincati"
  else
    rm -f "$zincati"
  fi
  systemd try-restart zincati.service >&2 || true
}

puts_watchdog() { # a guest that hangs is reset, and GRUB counts it; without counting it would only hang again
  [ -e "$root/dev/watchdog" ] && counting
}

differing() {
  differing_copies
  differing_units
  differing_zincati
  differing_login
  [ ! -f "$base/declared.json" ] || differing_signatures
}

zincati_there() { # as on CoreOS
  [ -e "$root/usr/lib/systemd/system/zincati.service" ]
}

settle_zincati() { # on a stream a pin stops it; with an image of one's own it has nothing to say at all
  zincati_there || return 0
  if [ "$(declared '.reference // ""')" != "" ]; then
    rm -f "$zincati_pin"
    if [ "$(readlink "$system/zincati.service")" = /dev/null ]; then return 0; fi
    systemd mask --now zincati.service >&2 && : >"$zincati_masked"
  elif [ "$(ask '.pin != null')" = true ]; then
    [ ! -e "$zincati_pin" ] || return 0
    mkdir -p "${zincati_pin%/*}"
    printf '%s\n[updates]\nenabled = false\n' "$mark" | note "$zincati_pin" && chmod 0644 "$zincati_pin"
    systemd try-restart zincati.service >&2
  elif [ -e "$zincati_pin" ]; then
    rm -f "$zincati_pin"
    systemd try-restart zincati.service >&2
  fi
}

enable_units() { # those that say by whom they are wanted; timers run at once, and so does the first step of a new OS disk
  for unit in $units; do
    if [ ! -f "$system/$unit" ] || ! grep -q '^\[Install\]' "$system/$unit"; then continue; fi
    if ! systemd is-enabled --quiet "$unit"; then
      systemd enable "$unit" >&2
      case $unit in *-rebase.service) systemd start --no-block "$unit" ;; esac
    fi
    case $unit:" $changed " in
      *.timer:*" $unit "*) systemd restart "$unit" ;;
      *.timer:*) systemd is-active --quiet "$unit" || systemd start "$unit" ;;
    esac
  done
}

install() {
  [ -f "$own/os.sh" ] || fail 'the data disk is not mounted, or it holds nothing of OS updates'
  backend=$(jq -r .backend "$own/declared.json")
  os_program || fail "the program $backend is not in this OS"
  changed=
  mkdir -p "$base" && chmod 0700 "$base"
  for file in $(differing_copies); do
    note "$base/$file" <"$own/$file" || fail "$base/$file cannot be written"
    changed="$changed $file"
  done
  found=$(differing_units | tr '\n' ' ')
  [ -z "$found" ] || mkdir -p "$system"
  for unit in $found; do put_unit "$unit"; done
  changed="$changed $found"
  put_signatures
  put_login
  if puts_watchdog && [ ! -e "$watchdog" ]; then
    put "$watchdog" 0644 <<END
$mark
[Manager]
RuntimeWatchdogSec=60
END
  fi
  case $changed in *signatures* | *.service* | *.timer*) systemd daemon-reload ;; esac
  # The policy is read anew by a daemon that starts anew.
  case $changed in *signatures*) systemd try-restart rpm-ostreed.service >&2 || true ;; esac
  put_zincati
  settle_zincati
  enable_units
  # A deployment that nobody has judged could not be gone back to.
  if [ "$(os_status | jq -r .booted.checksum)" != "$(ask '.good.checksum // .gate.checksum // ""')" ]; then
    systemd start --no-block zerotoil-os-health.service
  fi
}

remove() { # what is ours; what is remembered stays
  for unit in $units; do
    if head -n 1 "$system/$unit" 2>/dev/null | grep -qxF "$mark"; then take_away "$unit"; fi
  done
  forget_signatures
  forget_login
  rm -f "$watchdog" "$zincati_pin"
  ! head -n 1 "$zincati" 2>/dev/null | grep -qx '# Written by zerotoil\.' || rm -f "$zincati"
  if [ -e "$zincati_masked" ]; then systemd unmask zincati.service >&2 && rm -f "$zincati_masked"; fi
  for file in $kept; do rm -f "$base/$file"; done
  systemd daemon-reload
}
