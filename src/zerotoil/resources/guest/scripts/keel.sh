#!/bin/sh
# Keel's own API, asked by the node itself: functions for kubectl.sh, which is sent behind them.
#
#   approvals    updates that wait for a person, into "$work/approvals": [] where there is no Keel, null where it says nothing
#   approve      takes or rejects one of them ({"identifier", "action"} are given); those that wait afterwards, as JSON
#
# Source: keel-hq/keel pkg/http/approvals_endpoint.go. Its password is in the cluster; curl gets it on stdin, since arguments are
# seen by all.
: "${work:=}"

keel_api() { # PATH MORE...: its answer
  path=$1
  shift
  place=$(jq -r '.spec | "\(.clusterIP | if contains(":") then "[\(.)]" else . end):\(.ports[0].port)"' "$work/service")
  jq -r '.data["login.yaml"] // "" | @base64d | [scan("password: [\u0027\"]?([A-Za-z0-9_-]+)")[0]][0] // "" | "user = \"keel:\(.)\""' "$work/login" |
    curl --silent --fail --max-time 10 --config - "$@" "http://$place$path"
}

approvals() {
  kubectl get service keel -n keel --ignore-not-found -o json >"$work/service" || down
  kubectl get secret keel-values -n kube-system --ignore-not-found -o json >"$work/login" || down
  echo '[]' >"$work/approvals"
  if [ ! -s "$work/service" ] || [ ! -s "$work/login" ]; then return; fi
  if keel_api /v1/approvals >"$work/answer" && jq -e 'type == "array"' "$work/answer" >/dev/null 2>&1; then
    jq -c 'map(select(.archived != true and .rejected != true and .votesReceived < .votesRequired)
      | {identifier, from: .currentVersion, to: .newVersion, deadline, votes: "\(.votesReceived) of \(.votesRequired)"})' "$work/answer" >"$work/approvals"
  else
    echo null >"$work/approvals"
  fi
}

approve() {
  approvals
  if jq -e --slurpfile given "$work/given" 'any(.[]?; .identifier == $given[0].identifier)' "$work/approvals" >/dev/null; then
    jq -c '{identifier, action, voter: "zerotoil"}' "$work/given" >"$work/vote"
    keel_api /v1/approvals --header 'Content-Type: application/json' --data "@$work/vote" >/dev/null || true
    cp "$work/approvals" "$work/before"
    approvals
    jq -c --slurpfile before "$work/before" '{was: $before[0], now: .}' "$work/approvals"
  else
    jq -c '{was: ., now: .}' "$work/approvals"
  fi
}
