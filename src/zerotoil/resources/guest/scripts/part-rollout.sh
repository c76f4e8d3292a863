# shellcheck shell=sh disable=SC2034
# Whether a Deployment, StatefulSet or DaemonSet has arrived where it is to be: jq's `rollout` says why not, or nothing. A part of
# scripts that ask a cluster.
rollout='
  def replicas: (.spec.replicas // 1) as $n | .status as $s
    | if ($s.observedGeneration // 0) < .metadata.generation then "it is not taken up yet"
    elif ($s.updatedReplicas // 0) < $n then "\($s.updatedReplicas // 0) of \($n) pods are of this version"
    elif (($s.availableReplicas // $s.readyReplicas) // 0) < $n
    then "\(($s.availableReplicas // $s.readyReplicas) // 0) of \($n) pods are available" else "" end;
  def daemons: .status as $s | if ($s.observedGeneration // 0) < .metadata.generation then "it is not taken up yet"
    elif .spec.updateStrategy.type != "OnDelete" and ($s.updatedNumberScheduled // 0) < $s.desiredNumberScheduled
    then "\($s.updatedNumberScheduled // 0) of \($s.desiredNumberScheduled) pods are of this version"
    elif ($s.numberAvailable // 0) < $s.desiredNumberScheduled
    then "\($s.numberAvailable // 0) of \($s.desiredNumberScheduled) pods are available" else "" end;
  def rollout: if .kind == "DaemonSet" then daemons elif (.kind == "Deployment" and (.spec.paused | not)) or .kind == "StatefulSet"
    then replicas else "" end;
'
