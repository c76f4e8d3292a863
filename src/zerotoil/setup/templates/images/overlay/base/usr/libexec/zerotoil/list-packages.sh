#!/bin/sh
# Writes /usr/share/zerotoil/packages.txt: NAME VERSION BYTES, a line a package, sorted. Run while the image is built.
# Another file can be named, for tests.
set -eu
out=${1:-/usr/share/zerotoil/packages.txt}
export LC_ALL=C
mkdir -p "$(dirname "$out")"
draft=$out.draft
if command -v rpm >/dev/null; then
  # Keys that were imported are in rpm's database, too.
  rpm -qa --queryformat '%{NAME} %{EVR} %{SIZE}\n' >"$draft.all"
  sed '/^gpg-pubkey /d' "$draft.all" >"$draft"
  rm "$draft.all"
elif command -v dpkg-query >/dev/null; then
  # Installed-Size is in KiB, and not every package has one.
  dpkg-query --show --showformat '${Package} ${Version} ${Installed-Size}\n' >"$draft.kib"
  awk '{ printf "%s %s %d\n", $1, $2, $3 * 1024 }' "$draft.kib" >"$draft"
  rm "$draft.kib"
else
  echo "list-packages: neither rpm nor dpkg-query is in the image" >&2
  exit 1
fi
if ! [ -s "$draft" ]; then
  echo "list-packages: the image's database names no package" >&2
  exit 1
fi
sort -u "$draft" >"$out"
rm "$draft"
