#!/bin/sh
# Holds the data disk still for a snapshot: `freeze FOLDER SECONDS [MORE…]`, then `thaw FOLDER JOB [MORE…]`. Prints one line: what
# came of it. MORE are folders of the host's other volumes; those that are mounted are held with it, all of them or none.
# A disk that stays frozen is a dead guest. So a job is started first that thaws it after SECONDS, whatever becomes of this
# script, of SSH and of the controller; without a living job nothing is frozen. Nothing of it lies on the data disk.
set -u
action=$1 folder=$2 argument=$3
shift 3
more= # no folder has a space in its name
for each; do ! mountpoint -q "$each" || more="$more $each"; done
held=${ZEROTOIL_HELD:-/run/zerotoil-frozen} # a link that names the job: one snapshot at a time holds the disk

# shellcheck disable=SC2086
arm() { # fails unless the job is seen to live: it makes the link itself
  setsid sh -c '
    seconds=$1 held=$2 && shift 2
    ln -s "$$" "$held" || exit
    sleep "$seconds"
    again=0 # a freeze that took its time may come after the first thaw
    until left= && for each; do fsfreeze --unfreeze "$each" || left=yes; done && [ -z "$left" ] ||
      [ "$again" -ge 60 ]; do again=$((again + 1)) && sleep 1; done
    rm -f "$held"
  ' thaw "$1" "$held" "$folder" $more </dev/null >/dev/null 2>&1 &
  job=$!
  # The same once more by systemd, in case somebody ends the processes of this session.
  systemd-run --quiet --collect --unit="zerotoil-thaw-$job" --on-active="$1" --timer-property=AccuracySec=1s \
    sh -c 'for each; do fsfreeze --unfreeze "$each"; done' thaw "$folder" $more </dev/null >/dev/null 2>&1 || true
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(readlink "$held")" != "$job" ] || return 0
    sleep 0.1
  done
  return 1
}

disarm() {
  kill -TERM "-$job" 2>/dev/null || kill -TERM "$job" 2>/dev/null
  systemctl stop "zerotoil-thaw-$job.timer" >/dev/null 2>&1
  [ "$(readlink "$held")" != "$job" ] || rm -f "$held"
  return 0
}

freeze() {
  timeout 20 sync || { echo "unsynced" && return; }
  mountpoint -q "$folder" || { echo "synced $folder is not mounted" && return; }
  command -v fsfreeze >/dev/null || { echo "synced the guest has no fsfreeze" && return; }
  if other=$(readlink "$held"); then
    ! kill -0 "$other" 2>/dev/null || { echo "synced another snapshot is being taken" && return; }
    rm -f "$held" # of a job that was killed
  fi
  arm "$1" || { disarm && echo "synced no job could be started that would thaw it" && return; }
  frozen=
  for each in "$folder" $more; do
    said=$(timeout 10 fsfreeze --freeze "$each" 2>&1)
    case $? in
      0) frozen="$frozen $each" && continue ;;
      124 | 137) # it may have come through all the same
        frozen="$frozen $each"
        said="freezing took more than 10 s"
        ;;
    esac # else not frozen by us: somebody else's freeze is not ours to end
    for held_one in $frozen; do fsfreeze --unfreeze "$held_one" 2>/dev/null; done
    disarm
    echo "synced $said"
    return
  done
  echo "frozen $job"
}

thaw() {
  job=$1
  [ "$(readlink "$held")" = "$job" ] || { echo "not held" && return; }
  left=
  for each in "$folder" $more; do fsfreeze --unfreeze "$each" 2>/dev/null || left=yes; done
  if [ -z "$left" ]; then
    disarm
    echo "thawed"
  else # the job stays: it tries again
    echo "not frozen"
  fi
}

"$action" "$argument"
