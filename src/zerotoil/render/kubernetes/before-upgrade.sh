#!/bin/sh
# Run by a server's Plan before k3s is replaced, in the host's own root: a copy of the datastore beside it on the data disk, and
# an entry in the ledger. A copy that cannot be made ends the upgrade before the node is cordoned.
set -eu
umask 077
root=${ZEROTOIL_ROOT:-}
data=$root/var/mnt/data
own=$data/zerotoil/k3s
db=$data/k3s/k3s/server/db
keep=3
k3s=$root/usr/local/bin/k3s
version=$(timeout 60 "$k3s" --version | sed -n '1s/^k3s version \([^ ]*\).*/\1/p')
name=$(date -u +%Y-%m-%dT%H-%M-%SZ)-${version:-unknown}
copies=$own/before-upgrade

state() { # of what a checkpoint would change: the database, and the head of its log
  stat -c '%s %Y %Z' "$db/state.db" && head -c 32 "$db/state.db-wal" 2>/dev/null | sha256sum
}

sqlite() { # the log only grows between two checkpoints, so a copy between two equal states is whole
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    before=$(state)
    cp "$db/state.db" "$copies/.new/state.db"
    if [ -f "$db/state.db-wal" ]; then cp "$db/state.db-wal" "$copies/.new/state.db-wal"; fi
    if [ "$(state)" = "$before" ]; then return 0; fi
    sleep 1
  done
  echo 'the datastore changes too fast to be copied' >&2
  return 1
}

[ -d "$db/etcd" ] || [ -f "$db/state.db" ] || { echo "$db/state.db is not there: nothing was copied" >&2 && exit 1; }
mkdir -p "$copies"
trap 'rm -rf "$copies/.new"' EXIT
rm -rf "$copies/.new"
mkdir "$copies/.new"
if [ -d "$db/etcd" ]; then
  timeout 600 "$k3s" etcd-snapshot save --name zerotoil-before-upgrade --snapshot-retention "$keep" --dir "$copies/.new" >&2
else
  sqlite
fi
echo "$version" >"$copies/.new/version"
if [ -f "$data/k3s/k3s/server/token" ]; then cp "$data/k3s/k3s/server/token" "$copies/.new/token"; fi
sync
mv "$copies/.new" "$copies/$name"
# The oldest go; a name begins with its time.
for old in $(find "$copies" -mindepth 1 -maxdepth 1 -type d -name '2*' -exec basename {} \; | sort -r | tail -n +$((keep + 1))); do
  rm -rf "${copies:?}/$old"
done
if [ -f "$data/zerotoil/bin/ledger.sh" ]; then sh "$data/zerotoil/bin/ledger.sh" before-snapshot >&2 || true; fi
echo "copied the datastore of $version to $copies/$name"
