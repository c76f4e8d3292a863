#!/bin/sh
# Holds the data disk still for a snapshot: `freeze FOLDER SECONDS`, then `thaw FOLDER JOB`. Prints one line: what came of it.
# A disk that stays frozen is a dead guest. So a job is started first that thaws it after SECONDS, whatever becomes of this
# script, of SSH and of the controller; without a living job nothing is frozen. Nothing of it lies on the data disk.
set -u
action=$1 folder=$2
held=${ZEROTOIL_HELD:-/run/zerotoil-frozen} # a link that names the job: one snapshot at a time holds the disk

arm() { # fails unless the job is seen to live: it makes the link itself
  setsid sh -c '
    ln -s "$$" "$3" || exit
    sleep "$1"
    again=0 # a freeze that took its time may come after the first thaw
    until fsfreeze --unfreeze "$2" || [ "$again" -ge 60 ]; do again=$((again + 1)) && sleep 1; done
    rm -f "$3"
  ' thaw "$1" "$folder" "$held" </dev/null >/dev/null 2>&1 &
  job=$!
  # The same once more by systemd, in case somebody ends the processes of this session.
  systemd-run --quiet --collect --unit="zerotoil-thaw-$job" --on-active="$1" --timer-property=AccuracySec=1s \
    fsfreeze --unfreeze "$folder" </dev/null >/dev/null 2>&1 || true
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
  said=$(timeout 10 fsfreeze --freeze "$folder" 2>&1)
  case $? in
    0) echo "frozen $job" ;;
    124 | 137) # it may have come through all the same
      fsfreeze --unfreeze "$folder" 2>/dev/null
      disarm
      echo "synced freezing took more than 10 s"
      ;;
    *) # not frozen by us: somebody else's freeze is not ours to end
      disarm
      echo "synced $said"
      ;;
  esac
}

thaw() {
  job=$1
  [ "$(readlink "$held")" = "$job" ] || { echo "not held" && return; }
  if fsfreeze --unfreeze "$folder" 2>/dev/null; then
    disarm
    echo "thawed"
  else # the job stays: it tries again
    echo "not frozen"
  fi
}

"$action" "$3"
