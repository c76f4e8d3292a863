#!/bin/sh
# A stand-in for k3s @VERSION@: it plays what k3s does to its host, and no Kubernetes. Served by the lab's mirror as a release.
#
#   k3s server|agent                        reads config.yaml, keeps a datastore, runs a "pod", says that it is ready
#   k3s kubectl [--kubeconfig F] get nodes|node NAME -o json
#   k3s kubectl [--kubeconfig F] create configmap NAME; get configmaps -o name
#   k3s --version
#
# As k3s does, it refuses to start on a datastore that a newer release has written, with another token than the datastore was made
# with, and as a node whose password is not the one that the cluster knows. It refuses flags that it does not know, which k3s
# itself only warns of on servers. A datastore of SQLite becomes one of etcd where cluster-init is asked for. It joins nobody.
set -eu
version=@VERSION@
root=${ZEROTOIL_ROOT:-}
etc=$root/etc/rancher
config=$etc/k3s/config.yaml
data=$root/var/lib/rancher/k3s
running=$root/run/k3s-standin.pid
known='node-name selinux write-kubeconfig-mode token-file server cluster-init disable-default-registry-endpoint disable
  disable-network-policy cluster-cidr service-cidr cluster-dns cluster-domain flannel-backend tls-san node-label node-ip debug'

fatal() {
  printf 'level=fatal msg="%s"\n' "$1" >&2
  exit 1
}

value() { sed -n "s/^$1: *//p" "$config" | tr -d "'\""; }

check_config() {
  [ -f "$config" ] || fatal "$config is not there"
  # shellcheck disable=SC2086,SC2116
  sed -n 's/^\([a-z][a-z0-9-]*\):.*/\1/p' "$config" | while read -r flag; do
    case " $(echo $known) " in *" $flag "*) ;; *) fatal "flag provided but not defined: -$flag" ;; esac
  done
  [ "$(value selinux)" = true ] || fatal 'selinux is not true'
}

store() { # the datastore's file
  if [ -d "$data/server/db/etcd" ]; then echo "$data/server/db/etcd/db"; else echo "$data/server/db/state.db"; fi
}

open_store() {
  mkdir -p "$data/server/db"
  if [ "$(value cluster-init)" = true ] || [ -n "$(value server)" ]; then
    if [ ! -d "$data/server/db/etcd" ]; then
      mkdir "$data/server/db/etcd"
      if [ -f "$data/server/db/state.db" ]; then
        cp "$data/server/db/state.db" "$data/server/db/etcd/db"
        mv "$data/server/db/state.db" "$data/server/db/state.db.migrated"
      fi
    fi
  fi
  db=$(store)
  [ -f "$db" ] || : >"$db"
  last=$(sed -n 's/^written-by //p' "$db" | sort -V | tail -n 1)
  [ -z "$last" ] || [ "$(printf '%s\n%s\n' "$last" "$version" | sort -V | tail -n 1)" = "$version" ] ||
    fatal "the datastore was written by $last, which is newer than $version"
  [ "$last" = "$version" ] || echo "written-by $version" >>"$db"
  exec 7>>"$db"
}

check_token() {
  file=$(value token-file)
  if [ -n "$file" ]; then
    token=$(cat "$root$file") || fatal "$file cannot be read"
  elif [ -f "$data/server/token" ]; then
    token=$(sed 's/.*://' "$data/server/token")
  else
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  fi
  made=$(sed -n 's/^token //p' "$db")
  [ -n "$made" ] || { made=$token && echo "token $token" >>"$db"; }
  [ "$made" = "$token" ] || fatal 'bootstrap data already found and encrypted with different token'
  (
    umask 077
    echo "K10standin::server:$token" >"$data/server/token"
    cp "$data/server/token" "$data/server/node-token"
  )
}

check_node() {
  file=$etc/node/password
  [ -s "$file" ] || fatal 'there is no node password'
  name=$(value node-name) given=$(cat "$file")
  made=$(sed -n "s/^node $name //p" "$db")
  [ -n "$made" ] || { made=$given && echo "node $name $given" >>"$db"; }
  [ "$made" = "$given" ] || fatal "Node password rejected, duplicate hostname or contents of '$file'"
}

pod() { # a process that outlives k3s and writes below /var/lib/rancher
  shim=$data/data/standin/bin/containerd-shim-runc-v2
  mkdir -p "${shim%/*}" "$data/agent"
  [ -x "$shim" ] || cp "$(readlink -f /bin/sh)" "$shim"
  if [ -f "$root/run/k3s-standin-pod.pid" ] && kill -0 "$(cat "$root/run/k3s-standin-pod.pid")" 2>/dev/null; then return 0; fi
  # shellcheck disable=SC2016
  setsid "$shim" -c 'echo $$ >"$1" && while :; do sleep 3600; done' pod "$root/run/k3s-standin-pod.pid" \
    >>"$data/agent/pod.log" 2>&1 </dev/null 7>&- &
}

serve() { # until SIGTERM
  if [ -n "${NOTIFY_SOCKET:-}" ]; then systemd-notify --ready; fi
  echo $$ >"$running"
  trap 'rm -f "$running"; kill $! 2>/dev/null; exit 0' TERM INT
  echo "level=info msg=\"k3s $version is up and running\"" >&2
  while :; do
    sleep 3600 7>&- &
    wait $!
  done
}

server() {
  check_config
  open_store
  check_token
  check_node
  (
    umask 077
    mkdir -p "$etc/k3s"
    echo "{server: https://127.0.0.1:6443, standin: $version}" >"$etc/k3s/k3s.yaml"
  )
  pod
  serve
}

agent() {
  check_config
  if [ -z "$(value server)" ] || [ -z "$(value token-file)" ]; then fatal '--server and --token are required'; fi
  db=$data/agent/standin.db
  mkdir -p "${db%/*}"
  touch "$db"
  check_node
  (umask 077 && echo 'server: https://127.0.0.1:6444' >"$data/agent/kubelet.kubeconfig")
  pod
  serve
}

node() { # as JSON
  ready=False
  if kill -0 "$(cat "$running" 2>/dev/null || echo none)" 2>/dev/null; then ready=True; fi
  printf '{"kind": "Node", "metadata": {"name": "%s"}, "status": {"nodeInfo": {"kubeletVersion": "%s"}, "conditions": [
    {"type": "Ready", "status": "%s", "message": "the stand-in does not run"}]}}\n' "$(value node-name)" "$version" "$ready"
}

kubectl() {
  if [ "${1:-}" = --kubeconfig ]; then
    [ -f "$2" ] || fatal "$2 is not there"
    shift 2
  fi
  [ -f "$running" ] || fatal 'The connection to the server 127.0.0.1:6443 was refused'
  case "${1:-} ${2:-}" in
    'get nodes') echo "{\"kind\": \"List\", \"items\": [$(node)]}" ;;
    'get node') [ "$3" = "$(value node-name)" ] && node ;;
    'create configmap') echo "configmap/$3" >>"$(store)" && echo "configmap/$3 created" ;;
    'get configmaps') grep '^configmap/' "$(store)" || : ;;
    *) fatal "the stand-in does not play kubectl $*" ;;
  esac
}

case ${1:-} in
  --version) printf 'k3s version %s (standin)\ngo version none\n' "$version" ;;
  server | agent) "$1" ;;
  kubectl) shift && kubectl "$@" ;;
  *) fatal "the stand-in does not play k3s $*" ;;
esac
