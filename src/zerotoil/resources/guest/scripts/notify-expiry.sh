#!/bin/sh
# Tells when a certificate or Tailscale's key of this host is about to end: three weeks, a week and a day before, and when it
# has ended. Looks once a day, however often it is run; what was told is noted in the same file whose age says when that was.
set -u
LC_ALL=C
export LC_ALL
root=${ZEROTOIL_ROOT:-}
data=$root/var/mnt/data
base=$data/zerotoil/notify
told=$base/expiring # lines of DAYS, END and what ends
day=86400
now=$(date +%s)
[ -z "$(find "$told" -mmin -1380 2>/dev/null)" ] || exit 0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

ends() { # DER on stdin: notAfter. Validity is the one place where two times stand in a row, in UTC (RFC 5280, 4.1.2.5).
  # A line each of the two times, of 12 digits (UTCTime) or 14; CoreOS need not have openssl.
  digits='( 3[0-9])'
  time="( 17 0d$digits{12}| 18 0f$digits{14}) 5a"
  od -An -v -tx1 | tr -s '\n' ' ' | grep -oE " 30 (1e|20|22)$time$time" | head -n 1 |
    sed -E 's/^.*( 17 0d| 18 0f)(.*) 5a$/\2/; s/ 3//g' | while read -r stamp; do
    case ${#stamp}:$stamp in
      12:[5-9]*) stamp=19$stamp ;;
      12:*) stamp=20$stamp ;;
    esac
    echo "$stamp" | sed -E 's/(....)(..)(..)(..)(..)(..)/\1-\2-\3 \4:\5:\6 UTC/'
  done
}

certificates() { # of one PEM file, a file of base64 each
  rm -f "$work"/pem.*
  awk -v out="$work/pem." '/-----BEGIN CERTIFICATE-----/ { n++; on = 1; next } /-----END CERTIFICATE-----/ { on = 0 } on { print >(out n) }' "$1"
}

ours() { # files of zerotoil's and of the apps, by their manifests, and what Docker and podman trust
  for tree in "$data/zerotoil" "$data"/apps/*; do
    [ ! -f "$tree/.zerotoil/files" ] || sed -nE "s|^[0-7]+ [0-9a-f]+ (.*\.(pem\|crt\|cer))$|$tree/\1|p" "$tree/.zerotoil/files"
  done
  for file in "$root"/etc/docker/certs.d/*/*.crt "$root"/etc/containers/certs.d/*/*.crt; do
    [ ! -f "$file" ] || echo "$file"
  done
}

found() { # lines of END and what ends
  ours | while read -r file; do
    [ -f "$file" ] || continue
    certificates "$file"
    for part in "$work"/pem.*; do
      [ -f "$part" ] || continue
      end=$(base64 -d <"$part" 2>/dev/null | ends)
      [ -z "$end" ] || echo "$(date -d "$end" +%s) certificate ${file#"$root"}"
    done
  done
  if command -v tailscale >/dev/null; then
    end=$(timeout 20 tailscale status --json 2>/dev/null | jq -r '.Self.KeyExpiry // empty' 2>/dev/null)
    [ -z "$end" ] || echo "$(date -d "$end" +%s) Tailscale's key of this host"
  fi
}

found | sort -u | while read -r end what; do
  left=$((end - now))
  for days in 0 1 7 21 none; do
    [ "$days" = none ] || [ "$left" -ge $((days * day)) ] || break
  done
  [ "$days" != none ] || continue
  note="$days $end $what"
  echo "$note" >>"$work/told"
  grep -qxF "$note" "$told" 2>/dev/null && continue
  date=$(date -u -d "@$end" +%Y-%m-%d)
  if [ "$days" = 0 ]; then
    echo "It ended on $date."
  else
    echo "It ends on $date, in $((left / day)) days."
  fi | /bin/sh "$data/zerotoil/bin/notify.sh" expiring "$what"
done
touch "$work/told"
cp "$work/told" "$told.new" && mv "$told.new" "$told"
