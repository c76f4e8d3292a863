#!/bin/sh
# Installs zerotoil's units from the data disk: after a deploy changed them, and at every boot, so that they are back after
# a new OS disk. Changes nothing where all is in place.
set -eu
tree=${ZEROTOIL_TREE:-/var/mnt/data/zerotoil}
system=${ZEROTOIL_SYSTEM:-/etc/systemd/system}
mark='# Installed by zerotoil from the data disk.'
changed=
for old in "$system"/zerotoil-* "$system"/*.d/zerotoil.conf; do # what is declared no more
  if [ ! -f "$old" ] || [ -f "$tree/units/${old#"$system"/}" ]; then continue; fi
  head -n 1 "$old" | grep -qxF "$mark" || continue
  case $old in *.service | *.timer | *.path) systemctl disable --now "${old##*/}" || true ;; esac
  rm -f "$old"
  changed=yes
done
if [ -d "$tree/units" ]; then
  cd "$tree/units"
  for unit in *.service *.timer *.path *.d/zerotoil.conf; do
    [ -f "$unit" ] || continue
    { echo "$mark" && cat "$unit"; } >"$tree/.zerotoil/unit.new"
    if ! cmp -s "$tree/.zerotoil/unit.new" "$system/$unit"; then
      mkdir -p "$(dirname "$system/$unit")"
      cat "$tree/.zerotoil/unit.new" >"$system/$unit.new"
      chmod 0644 "$system/$unit.new"
      mv "$system/$unit.new" "$system/$unit"
      changed="$changed $unit"
    fi
  done
  rm -f "$tree/.zerotoil/unit.new"
fi
[ -z "$changed" ] || systemctl daemon-reload
if [ -d "$tree/units" ]; then
  for unit in *.service *.timer *.path; do
    case $unit in *@*) continue ;; esac # instances are enabled one by one
    if [ ! -f "$unit" ] || ! grep -q '^\[Install\]' "$unit"; then continue; fi
    systemctl is-enabled --quiet "$unit" || systemctl enable "$unit"
    case " $changed " in
      *" $unit "*) systemctl restart "$unit" ;;
      *) systemctl is-active --quiet "$unit" || systemctl start "$unit" ;;
    esac
  done
fi
[ ! -f "$tree/bin/registries.sh" ] || sh "$tree/bin/registries.sh"
# A disk that comes from a system without SELinux carries no labels: given once, since containers may have their own.
labelled=$tree/.zerotoil/labelled
if [ ! -e "$labelled" ] && command -v selinuxenabled >/dev/null && selinuxenabled && command -v restorecon >/dev/null; then
  case $(stat -c %C /var/mnt/data) in
    *:unlabeled_t:* | *:file_t:* | '?')
      echo 'the data disk carries no SELinux labels: they are given now' >&2
      restorecon -RF /var/mnt/data
      ;;
  esac
  : >"$labelled"
fi
# Apps that ran on the OS disk before this one.
for folder in "${tree%/*}"/apps/*; do
  if [ ! -f "$folder/.zerotoil/files" ] || [ -e "$folder/.zerotoil/stopped" ]; then continue; fi
  unit=zerotoil-app@${folder##*/}.service
  [ -f "$system/zerotoil-app@.service" ] || continue
  systemctl is-enabled --quiet "$unit" && continue
  systemctl enable "$unit"
  systemctl start --no-block "$unit"
done
if [ -f "$tree/k3s/k3s.sh" ]; then sh "$tree/k3s/k3s.sh" install || echo 'k3s was not installed: see above' >&2; fi
if [ -f "$tree/tailscale/tailscale.sh" ]; then sh "$tree/tailscale/tailscale.sh" install || echo 'Tailscale is not set up: see above' >&2; fi
if [ -f "$tree/os/os.sh" ]; then sh "$tree/os/os.sh" install || echo 'OS updates are not set up: see above' >&2; fi
