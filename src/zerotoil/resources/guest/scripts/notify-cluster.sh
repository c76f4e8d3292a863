#!/bin/sh
# Tells what became of the cluster: Keel tells that it has set an image, not whether its pods run.
#
# A workload that zerotoil applied is told when it is not ready at two looks in a row: as a failed update where it has other images
# than when it was ready last, as unhealthy otherwise. So is a Plan whose job failed, and a cluster that does not answer. Which
# images were good is remembered in cluster.json; that one thing is told once within notify_repeat is the work of notify.sh.
set -u
umask 077
root=${ZEROTOIL_ROOT:-}
tree=$root/var/mnt/data/zerotoil
k3s=${ZEROTOIL_K3S:-/usr/local/bin/k3s}
state=$tree/notify/cluster.json
silent=$tree/notify/cluster.silent # it did not answer at the last look
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kubectl() { timeout 120 "$k3s" kubectl --request-timeout=60s "$@" 2>"$work/err"; }

tell() { /bin/sh "$tree/bin/notify.sh" "$1" "$2" || true; }

unreachable() {
  if [ -e "$silent" ]; then
    printf 'The cluster does not answer: %s\nLook: journalctl -u k3s\n' "$(tail -n 1 "$work/err")" | tell unhealthy k3s
  fi
  : >"$silent"
  exit 0
}

remember() { # nothing is written where all is as it was: the data disk's snapshots would hold it
  cmp -s "$work/state" "$state" || { cp "$work/state" "$state.new" && sync "$state.new" && mv "$state.new" "$state"; }
}

judge() { # $work/live and what was known -> $work/state and $work/told, a line of JSON for each thing that is to be told
  jq -e . "$state" >"$work/known" 2>/dev/null || echo '{}' >"$work/known"
  # shellcheck disable=SC2154 # part-rollout.sh
  jq -c --slurpfile known "$work/known" "$rollout"'
    def key: "\(.kind) \(.metadata.namespace)/\(.metadata.name)";
    def images: [.spec.template.spec | (.initContainers, .containers)[]? | .image];
    $known[0] as $known
    | [.items[] | key as $key | {key: $key, value: {why: rollout, now: images, good: ($known[$key].good // null)}}
        | if .value.why == "" then .value.good = .value.now else . end]
    | from_entries as $state
    | {state: $state,
       told: [$state | to_entries[] | select(.value.why != "" and ($known[.key].why // "") != "") | .value as $v
         | (.key | split(" ")) as [$kind, $name] | ($name | split("/")) as [$space, $short]
         | ($v.good != null and $v.good != $v.now) as $moved
         | {event: (if $moved then "update-failed" else "unhealthy" end), subject: $name,
            text: ("\($kind) \($name): \($v.why)."
              + (if $moved then " It runs \($v.now | join(", ")); it was ready with \($v.good | join(", "))." else "" end)
              + "\nLook: sudo k3s kubectl -n \($space) describe \($kind | ascii_downcase) \($short)")}]}' "$work/live" >"$work/judged"
  jq -c .state "$work/judged" >"$work/state"
  jq -c '.told[]' "$work/judged" >"$work/told"
}

plans() { # whose job failed: system-upgrade-controller does not try again by itself
  kubectl get plans.upgrade.cattle.io --all-namespaces --ignore-not-found -o json >"$work/plans" || return 0 # none of that kind
  [ -s "$work/plans" ] || return 0
  jq -c "$rollout"'.items[] | .metadata.name as $name | (.status.applying // []) as $nodes | failed_job | select(. != "")
    | {event: "update-failed", subject: "Plan \($name)",
       text: ("Plan \($name)\(if $nodes == [] then "" else " on \($nodes | join(", "))" end): \(.)."
         + "\nWhat to do: zerotoil k3s status, for a server of the cluster")}' "$work/plans" >>"$work/told"
}

kubectl get deployments,statefulsets,daemonsets --all-namespaces --selector zerotoil/managed -o json >"$work/live" || unreachable
rm -f "$silent"
judge || exit 1
plans
while read -r line; do
  printf '%s' "$line" | jq -r .text | tell "$(printf '%s' "$line" | jq -r .event)" "$(printf '%s' "$line" | jq -r .subject)"
done <"$work/told"
remember
