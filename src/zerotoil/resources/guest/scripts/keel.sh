#!/bin/sh
# What Keel asks its owner before it updates a workload, and the answer; sent over SSH, kept nowhere.
#
#   list                        what it asks, as JSON
#   approve|reject IDENTIFIER   answers one question, and prints what is asked then
#
# Keel is asked at its Service, with the password that was made in the cluster, which curl reads from stdin. Where it does not
# answer that is {"trouble": WHY}. Its API: POST /v1/approvals with identifier, voter and action.
set -eu
action=$1 identifier=${2:-}
k3s=${ZEROTOIL_K3S:-/usr/local/bin/k3s}
place=${ZEROTOIL_KEEL:-}

kubectl() { timeout 60 "$k3s" kubectl --request-timeout=30s "$@"; }

trouble() {
  jq -nc --arg why "$1" '{trouble: $why}'
  exit 0
}

ask() { # curl's further arguments: what Keel answers, or curl's word
  printf 'user = "keel:%s"\n' "$password" |
    curl --silent --show-error --fail --noproxy '*' --max-time 20 --config - "$@" "http://$place/v1/approvals" 2>&1
}

if [ -z "$place" ]; then
  service=$(kubectl -n keel get service keel -o json 2>/dev/null) || trouble 'it has no Service: its chart is not there yet'
  place=$(printf '%s' "$service" | jq -r '.spec | "\(.clusterIP | if contains(":") then "[\(.)]" else . end):\(.ports[0].port)"')
fi
secret=$(kubectl -n kube-system get secret keel-values -o json 2>/dev/null) || trouble 'its password is not there: zerotoil apply'
password=$(printf '%s' "$secret" | jq -r '.data["login.yaml"] // "" | @base64d' | sed -n 's/^ *password: *//p' | tr -d "'\"")
[ -n "$password" ] || trouble 'its password is not there: zerotoil apply'
if [ "$action" != list ]; then
  answer=$(jq -nc --arg identifier "$identifier" --arg action "$action" '{$identifier, $action, voter: "zerotoil"}')
  said=$(ask --header 'Content-Type: application/json' --data "$answer") || trouble "$said"
fi
said=$(ask) || trouble "$said"
printf '%s' "$said" | jq -c '{approvals: .}' 2>/dev/null || trouble "it answers no JSON: $(printf '%s' "$said" | head -c 200)"
