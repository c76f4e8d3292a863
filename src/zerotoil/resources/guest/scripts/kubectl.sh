#!/bin/sh
# The objects of a cluster, looked at and applied through k3s's own kubectl; sent over SSH, kept nowhere.
#
#   plan     what there is, what a dry run would make of it, what is ours and no more declared, as JSON. Reads only
#   apply    definitions of kinds, namespaces, the rest; then takes away, if all was applied; what was refused, as JSON
#   ready    waits a moment: what is not ready, and why, as JSON
#   status   nodes, Plans, their jobs, what their channels answer, and what Keel waits for (keel.sh), as JSON
#
# Before it stands a function `given` that prints the objects, one JSON text. A cluster that does not answer is {"down": WHY}.
set -eu
umask 077
action=$1 owner=${2:-}
note=${ZEROTOIL_NOTE:-/var/mnt/data/zerotoil/k3s/objects} # that something was applied once
k3s=${ZEROTOIL_K3S:-/usr/local/bin/k3s}
work=$(mktemp -d /run/zerotoil-kubectl.XXXXXX)
trap 'rm -rf "$work"' EXIT
export KUBECACHEDIR="$work/cache"
given >"$work/given"

kubectl() { timeout 240 "$k3s" kubectl "$@" 2>"$work/err"; }

said() { # why kubectl failed, in its own words. To a file: it may quote a value, and arguments are seen by all
  grep -v '^Warning: ' "$work/err" | tail -n 3 | tr '\n' ' ' >"$work/why" || true
}

down() {
  said
  jq -nc --rawfile why "$work/why" '{down: $why}'
  exit 0
}

look() { # what kinds there are, which namespaces, which nodes
  # An API of an add-on that is down is missing in the list, and the rest is there.
  kubectl api-resources --no-headers >"$work/table" || [ -s "$work/table" ] || down
  awk '{ print $(NF-2), $NF, $(NF-1) }' "$work/table" | jq -Rn '[inputs | split(" ") | {key: "\(.[0]) \(.[1])", value: (.[2] == "true")}]
    | from_entries' >"$work/kinds"
  kubectl get namespaces,nodes -o json >"$work/lists" || down
  jq -c '[.items[] | select(.kind == "Namespace" and .metadata.deletionTimestamp == null) | .metadata.name]' "$work/lists" >"$work/spaces"
  jq -c '[.items[] | select(.kind == "Node") | {name: .metadata.name, version: .status.nodeInfo.kubeletVersion}]' "$work/lists" >"$work/nodes"
}

# Definitions that jq programs share. kubectl notes in last-applied-configuration the whole object, a Secret's data too.
shared='
  def key: "\(.apiVersion | if contains("/") then split("/")[0] else "" end) \(.kind) \(.metadata.namespace // "") \(.metadata.name)";
  def listed: if .kind == "List" or (.items | type) == "array" then .items[] else . end;
  def bare: del(.metadata.managedFields, .metadata.resourceVersion, .metadata.generation, .metadata.uid, .metadata.creationTimestamp,
    .metadata.selfLink, .metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"], .status) | if .metadata.annotations == {} then del(.metadata.annotations) else . end;
  def ours: any(.metadata.managedFields[]?; .manager == "zerotoil" and .operation == "Apply");
  def of($what): [.status.conditions[]? | select(.type == $what and .status == "True")][0];
  def replicas: (.spec.replicas // 1) as $wanted | .status as $status
    | if ($status.observedGeneration // 0) < .metadata.generation then "it is not taken up yet"
    elif ($status.updatedReplicas // 0) < $wanted then "\($status.updatedReplicas // 0) of \($wanted) pods are of this version"
    elif (($status.availableReplicas // $status.readyReplicas) // 0) < $wanted
    then "\(($status.availableReplicas // $status.readyReplicas) // 0) of \($wanted) pods are available" else "" end;
  def daemons: .status as $status | if ($status.observedGeneration // 0) < .metadata.generation then "it is not taken up yet"
    elif .spec.updateStrategy.type != "OnDelete" and ($status.updatedNumberScheduled // 0) < $status.desiredNumberScheduled
    then "\($status.updatedNumberScheduled // 0) of \($status.desiredNumberScheduled) pods are of this version"
    elif ($status.numberAvailable // 0) < $status.desiredNumberScheduled
    then "\($status.numberAvailable // 0) of \($status.desiredNumberScheduled) pods are available" else "" end;
  def failed_job: [.status.conditions[]? | select(.type == "Complete" and .reason == "JobFailed")][0]
    | if . then "its job failed, and nothing tries again: \(.message // "no word")" else "" end;
  def rollout: if .kind == "DaemonSet" then daemons elif (.kind == "Deployment" and (.spec.paused | not)) or .kind == "StatefulSet"
    then replicas elif .kind == "Plan" and .apiVersion == "upgrade.cattle.io/v1" then failed_job else "" end;
  def pods: [.spec.template.spec | (.containers, .initContainers)[]?];
'

sort_out() { # which objects can be asked about: their kind is known and their namespace is there
  jq -c --slurpfile kinds "$work/kinds" --slurpfile spaces "$work/spaces" "$shared"'
    $kinds[0] as $kinds | ($spaces[0] | map({key: ., value: true}) | from_entries) as $spaces
    | .objects | to_entries | map(.value as $declared | "\($declared.apiVersion) \($declared.kind)" as $kind
      | (if $kinds[$kind] then ($declared.metadata.namespace // "default") else "" end) as $space
      | {index: .key, object: ($declared | if $space == "" then del(.metadata.namespace) else .metadata.namespace = $space end),
         state: (if $kinds | has($kind) | not then "kind" elif $space != "" and ($spaces[$space] | not) then "namespace" else "known" end)}
      | if .state == "known" then . else .object = $declared end
      | .key = (.object | key))' "$work/given" >"$work/sorted"
  jq -c '{apiVersion: "v1", kind: "List", items: [.[] | select(.state == "known") | .object
    | {apiVersion, kind, metadata: (.metadata | {name} + if .namespace then {namespace} else {} end)}]}' "$work/sorted" >"$work/stubs"
  echo '{"items": []}' >"$work/live"
  if [ "$(jq '.items | length' "$work/stubs")" != 0 ]; then
    kubectl get -f "$work/stubs" --ignore-not-found --show-managed-fields -o json >"$work/live" || down
    [ -s "$work/live" ] || echo '{"items": []}' >"$work/live"
  fi
  # A password is made once, here, and stays. Images that Keel chose stay until others are declared; a binding to cluster-admin of an old upgrade controller is set aside.
  head -c 18 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n' >"$work/password"
  jq -c --slurpfile live "$work/live" --rawfile password "$work/password" "$shared"'
    ([$live[0] | listed | {key: key, value: .}] | from_entries) as $live
    | map($live[.key] as $is | .live = $is
      | .object as $declared
      | (.object.metadata.annotations["zerotoil/generated"] // "") as $made
      | if $made != "" then .object.data[$made] |= ($is.data[$made] // (@base64d | gsub("@GENERATED@"; $password) | @base64))
        else . end
      | if $is == null then .
        elif .object.kind == "ClusterRoleBinding" and .object.metadata.name == "system-upgrade" and $is.roleRef.name == "cluster-admin"
          and $is.subjects == [{kind: "ServiceAccount", name: "system-upgrade", namespace: "system-upgrade"}]
        then .state = "superseded"
        elif ($declared.metadata.annotations["zerotoil/images"] // "") != ""
          and $declared.metadata.annotations["zerotoil/images"] == $is.metadata.annotations["zerotoil/images"]
        then ([$is | pods[] | {key: .name, value: .image}] | from_entries) as $images
          | .object.spec.template.spec |= with_entries(if .key == "containers" or .key == "initContainers"
              then .value |= map(.image = ($images[.name] // .image)) else . end)
        else . end)' "$work/sorted" >"$work/judged"
}

chosen() { # FILTER: the objects that are meant, as a list in "$work/list"
  jq -c "{apiVersion: \"v1\", kind: \"List\", items: [.[] | select($1) | .object]}" "$work/judged" >"$work/list"
  jq -c "[.[] | select($1) | .index]" "$work/judged" >"$work/indices"
}

push() { # FROM TO MODE...: applies these of the list; halved until each that is refused stands alone
  [ "$1" -lt "$2" ] || return 0
  jq -c --argjson from "$1" --argjson to "$2" '.items |= .[$from:$to]' "$work/list" >"$work/part"
  from=$1 to=$2
  shift 2
  if kubectl apply --server-side --force-conflicts --validate=false --field-manager=zerotoil "$@" -o json -f "$work/part" >"$work/out"; then
    jq -c "$shared"'listed' "$work/out" >>"$work/made"
  elif [ $((to - from)) = 1 ]; then
    said
    jq -c --argjson at "$from" --rawfile why "$work/why" '{index: .[$at], why: $why}' "$work/indices" >>"$work/refused"
  else
    half=$(((from + to) / 2))
    (push "$from" "$half" "$@") # by itself: it has numbers of its own
    push "$half" "$to" "$@"
  fi
}

owned() { # what bears our label and was applied by us: objects that others made of ours have copies of the label
  : >"$work/owned"
  jq -r --slurpfile kinds "$work/kinds" '.prunable[] | select(. as $kind | $kinds[0] | has($kind)) | split(" ")
    | (.[0] | split("/")) as $api | .[1] + (if ($api | length) == 2 then ".\($api[1]).\($api[0])" else "" end)' "$work/given" >"$work/names"
  split -l 8 "$work/names" "$work/names."
  for names in "$work"/names.*; do
    [ -e "$names" ] || continue
    (timeout 240 "$k3s" kubectl get "$(tr '\n' ',' <"$names" | sed 's/,$//')" --all-namespaces --selector "zerotoil/managed=$owner" \
      --show-managed-fields -o json >"$names.json" 2>"$names.err" || echo failed >"$names.failed") &
  done
  wait
  for names in "$work"/names.*.json; do
    [ -e "$names" ] || continue
    [ ! -e "${names%.json}.failed" ] || { cp "${names%.json}.err" "$work/err" && down; }
    jq -c "$shared"'listed | select(ours and .metadata.deletionTimestamp == null and .metadata.ownerReferences == null)
      | {apiVersion, kind, metadata: (.metadata | {name, namespace})} + if .kind == "HelmChart"
        then {secrets: [.spec.valuesSecrets[]?.name], into: (.spec.targetNamespace // .metadata.namespace)} else {} end' \
      "$names" >>"$work/owned"
  done
}

extra() { # what of that is declared no more; of a chart, the claims that go with its release
  jq -c --slurpfile judged "$work/judged" "$shared"'
    ($judged[0] | map({key: .key, value: true}) | from_entries) as $wanted | select($wanted[key] | not)' "$work/owned" >"$work/gone"
  echo '{"items": []}' >"$work/claims"
  if grep -q '"HelmChart"' "$work/gone"; then kubectl get persistentvolumeclaims --all-namespaces -o json >"$work/claims" || down; fi
  jq -sc --slurpfile claims "$work/claims" 'map(if .kind == "HelmChart" then . as $chart
    | .claims = [$claims[0].items[].metadata | select(.annotations["meta.helm.sh/release-name"] == $chart.metadata.name
        and .annotations["meta.helm.sh/release-namespace"] == $chart.into and .annotations["helm.sh/resource-policy"] != "keep")
      | "\(.namespace)/\(.name)"] else . end)' "$work/gone" >"$work/extra"
}

plan() {
  if [ ! -x "$k3s" ]; then # the deploy puts it there before it comes to the objects
    echo '{"absent": true}'
    return
  fi
  look
  sort_out
  : >"$work/made" && : >"$work/refused"
  chosen '.state == "known"'
  push 0 "$(jq '.items | length' "$work/list")" --dry-run=server
  owned
  extra
  jq -c --slurpfile made "$work/made" --slurpfile refused "$work/refused" --slurpfile extra "$work/extra" --slurpfile nodes "$work/nodes" \
    "$shared"'
    def foreign: [.metadata.managedFields[]? | select(.subresource == null) | {manager, operation, fieldsV1}];
    def masked($other): if .kind == "Secret" and .apiVersion == "v1" and .data then .data |= with_entries(
      .value = if $other.data[.key] == .value then "as declared" else "another value" end) else . end;
    ([$made[] | {key: key, value: .}] | from_entries) as $made
    | ([$refused[] | {key: (.index | tostring), value: .why}] | from_entries) as $refused
    | {nodes: $nodes[0], extra: $extra[0],
       items: map(
         (.live | if . then bare else null end) as $live | ($made[.key] | if . then bare else null end) as $planned
         | {index, state, exists: (.live != null), refused: $refused[.index | tostring]}
           + (if .live then {fields: (.live | foreign), unready: (.live | rollout),
             name: [.live.status.loadBalancer?.ingress[]?.hostname | select(.)][0]} else {} end)
           + (if .state == "superseded" then {live: $live} elif $live != null and $planned != null and $live != $planned
              then {live: ($live | masked($planned)), planned: ($planned | if .kind == "Secret" and .data then .data |= map_values("as declared") else . end)}
              else {} end))}' "$work/judged"
}

apply() {
  : >"$work/made" && : >"$work/refused"
  jq -c '[.objects | to_entries[] | {index: .key, object: .value}]' "$work/given" >"$work/judged"
  chosen '.object.kind == "CustomResourceDefinition"'
  kubectl get --raw /readyz >/dev/null || down
  mkdir -p "${note%/*}"
  : >"$note"
  push 0 "$(jq '.items | length' "$work/list")"
  jq -r '.items[].metadata.name | "crd/\(.)"' "$work/list" >"$work/crds"
  if [ -s "$work/crds" ]; then # a refused one is no reason to wait
    # shellcheck disable=SC2046
    kubectl wait --for=condition=Established --timeout=60s $(cat "$work/crds") >/dev/null || true
  fi
  chosen '.object.kind == "Namespace"'
  push 0 "$(jq '.items | length' "$work/list")"
  rm -rf "$work/cache"
  look
  sort_out
  if jq -e 'any(.[]; .state == "superseded")' "$work/judged" >/dev/null; then
    kubectl delete clusterrolebinding system-upgrade >/dev/null || true
    jq -c 'map(if .state == "superseded" then .state = "known" else . end)' "$work/judged" >"$work/judged.new"
    mv "$work/judged.new" "$work/judged"
  fi
  chosen '.state == "known" and .object.kind != "CustomResourceDefinition" and .object.kind != "Namespace"'
  push 0 "$(jq '.items | length' "$work/list")"
  # Where something could not be applied, what took its place may be missing: nothing goes then.
  if [ ! -s "$work/refused" ] && jq -e 'all(.[]; .state == "known")' "$work/judged" >/dev/null; then take_away; fi
  jq -sc --slurpfile judged "$work/judged" '{refused: ., unknown: [$judged[0][] | select(.state != "known") | {index, state}]}' "$work/refused"
}

take_away() {
  jq -c '{apiVersion: "v1", kind: "List", items: .delete}' "$work/given" >"$work/gone"
  [ "$(jq '.items | length' "$work/gone")" != 0 ] || return 0
  if ! kubectl delete -f "$work/gone" --ignore-not-found --wait=false >/dev/null; then
    said
    jq -nc --rawfile why "$work/why" '{index: null, why: $why}' >>"$work/refused"
  fi
}

waiting() { # what is not ready yet, one JSON object each
  jq -c '{apiVersion: "v1", kind: "List", items: .objects}' "$work/given" >"$work/stubs"
  kubectl get -f "$work/stubs" --ignore-not-found --show-managed-fields -o json >"$work/live" || down
  echo '{"items": []}' >"$work/jobs"
  if grep -q '"HelmChart"' "$work/stubs"; then kubectl get jobs --all-namespaces -o json >"$work/jobs" || down; fi
  jq -c --slurpfile jobs "$work/jobs" --slurpfile given "$work/given" "$shared"'
    def job: if of("Complete") or .spec.suspend then "" elif of("Failed") then "its job failed: \(of("Failed").message)" else "its job has not ended" end;
    def applied: [.metadata.managedFields[]? | select(.manager == "zerotoil") | .time | fromdate] | max // 0;
    def chart: (.metadata.namespace) as $ns | .status.jobName as $name | applied as $since
      | [$jobs[0] | listed | select(.metadata.namespace == $ns and .metadata.name == $name)][0] as $job
      | if of("Failed") then "the chart failed: \(of("Failed").message)"
        elif $name == null then "the chart has no job yet"
        elif $job == null then "" elif ($job.metadata.creationTimestamp | fromdate) < $since and now - $since < 20 then "its job has not begun"
        else $job | job end;
    [listed | {kind, space: .metadata.namespace, selector: .spec.selector.matchLabels, name: .metadata.name,
      why: (if .kind == "Job" then job elif .kind == "HelmChart" then chart else rollout end)}
     | select(.why != "")]' "$work/live" >"$work/waiting"
}

pods_say() { # adds what their pods say
  kubectl get pods --all-namespaces -o json >"$work/pods" || echo '{"items": []}' >"$work/pods"
  jq -c --slurpfile pods "$work/pods" '
    def word: ([(.status.initContainerStatuses, .status.containerStatuses)[]? | (.state.waiting // .state.terminated // empty)
        | select(.reason and .reason != "Completed" and .reason != "ContainerCreating" and .reason != "PodInitializing")
        | "\(.reason)\(if .message then ": \(.message)" else "" end)"]
      + [.status.conditions[]? | select(.type == "PodScheduled" and .status == "False") | .message])[0];
    [$pods[0].items[] | {space: .metadata.namespace, labels: (.metadata.labels // {}), word: word} | select(.word)] as $pods
    | {waiting: map(. as $waiting | .pod = ([$pods[] | select(.space == $waiting.space) | . as $pod
        | select((if $waiting.selector then $waiting.selector elif $waiting.kind == "HelmChart" then {"helmcharts.helm.cattle.io/chart": $waiting.name}
            else {"batch.kubernetes.io/job-name": $waiting.name} end) | to_entries | all(.value == $pod.labels[.key])) | .word][0]))}' "$work/waiting"
}

ready() {
  left=${ZEROTOIL_TRIES:-5}
  while :; do
    waiting
    left=$((left - 1))
    if [ "$left" -le 0 ] || [ "$(cat "$work/waiting")" = '[]' ]; then break; fi
    sleep 2
  done
  pods_say
}

status() {
  look
  echo '{"items": []}' | tee "$work/plans" >"$work/jobs"
  if jq -e 'has("upgrade.cattle.io/v1 Plan")' "$work/kinds" >/dev/null; then
    kubectl get plans.upgrade.cattle.io --all-namespaces -o json >"$work/plans" || down
    kubectl get jobs -n system-upgrade -o json >"$work/jobs" || down
  fi
  : >"$work/channels"
  jq -r '.items[].spec.channel // empty' "$work/plans" | sort -u | while read -r url; do
    answer=$(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code} %{redirect_url}' "$url") || true
    jq -nc --arg url "$url" --arg answer "$answer" '$answer | split(" ") | {key: $url, value: {code: .[0], to: (.[1] // "" | split("/") | last)}}' \
      >>"$work/channels"
  done
  approvals
  jq -c --slurpfile plans "$work/plans" --slurpfile jobs "$work/jobs" --slurpfile channels "$work/channels" \
    --slurpfile approvals "$work/approvals" '
    def of($what): [.status.conditions[]? | select(.type == $what)][0];
    {nodes: [.items[] | select(.kind == "Node") | {name: .metadata.name, version: .status.nodeInfo.kubeletVersion,
        ready: (of("Ready").status == "True"), cordoned: (.spec.unschedulable // false),
        server: (.metadata.labels["node-role.kubernetes.io/control-plane"] == "true")}],
     plans: [$plans[0].items[] | {name: .metadata.name, channel: .spec.channel, version: .spec.version, latest: .status.latestVersion,
        applying: (.status.applying // []), complete: of("Complete") | {status, reason, message}}],
     jobs: [$jobs[0].items[] | {name: .metadata.name, node: .metadata.labels["upgrade.cattle.io/node"],
        plan: .metadata.labels["upgrade.cattle.io/plan"], failed: (of("Failed").message // null), done: (of("Complete") != null)}],
     channels: ($channels | from_entries), approvals: $approvals[0]}' "$work/lists"
}

"$action"
