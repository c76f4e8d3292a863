# shellcheck shell=sh disable=SC2034
# Whether a workload has arrived where it is to be, and a Plan's upgrade has not failed: jq's `rollout` says why not, or nothing.
# A part of scripts that ask a cluster.
rollout='
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
'
