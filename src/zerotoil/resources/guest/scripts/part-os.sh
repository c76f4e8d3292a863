# shellcheck shell=sh
# The OS's deployments, by rpm-ostree or by bootc: all that is asked of either goes through here. A part of os.sh and health.sh, which
# say what $backend is. What a call says when it fails is on stdout and stderr of these functions; none takes longer than its deadline.
#   os_status        {booted, staged, rollback, first: D, all: [checksum], packages: [text]}, D is {checksum, version, digest, image, time}
#                    or null; `first` is what boots where nothing is staged. An image is written as rpm-ostree is told it.
#   os_stage         the newest image of the booted deployment's own reference; 77 where that is the booted or the staged one
#   os_rebase REF    the image of another reference, staged
#   os_back          the other deployment becomes the next one: the rollback one, or the booted one where it is not
#   os_drop_staged   what is staged
#   os_live          what is staged, into the running system
#   os_layer NAME... / os_unlayer NAME...   packages, where the OS is a stream
# shellcheck disable=SC2154

ostree() { # SECONDS ARGUMENT...
  most=$1
  shift
  timeout -k 5 "$most" rpm-ostree "$@" </dev/null
}

bootc_call() { # SECONDS ARGUMENT...
  most=$1
  shift
  timeout -k 5 "$most" bootc "$@" </dev/null
}

os_program() { command -v "$backend" >/dev/null; }

status_by_rpm_ostree() {
  ostree 60 status --json | jq -c '
    def image: if . == null then null
      else sub("^ostree-unverified-image:(docker://|registry:)"; "ostree-unverified-registry:")
        | sub("^ostree-image-signed:registry:"; "ostree-image-signed:docker://") end;
    def d: if . == null then null else {checksum, version: (.version // ""), digest: (."container-image-reference-digest" // null),
      image: ((."container-image-reference" // .origin) | image), time: (.timestamp // null)} end;
    .deployments as $all
    | ([$all | to_entries[] | select(.value.booted)][0].key) as $at
    | (if $at == null then error("no deployment is booted") else . end)
    | ([$all[] | select(.staged)][0]) as $staged
    | ([$all[] | select(.staged | not)]) as $there
    | ([$all[$at + 1:][], $all[:$at][] | select(.staged | not)][0]) as $rollback
    | {booted: ($all[$at] | d), staged: ($staged | d), rollback: ($rollback | d), first: ($there[0] | d),
       all: [$all[].checksum], packages: (($staged // $all[$at])."requested-packages" // [])}'
}

status_by_bootc() {
  bootc_call 60 status --json | jq -c '
    def image: (.image.image // null) | if . == null then null
      elif (.signature | . == "containerPolicy" or type == "object") then "ostree-image-signed:docker://\(.image)"
      else "ostree-unverified-registry:\(.image)" end;
    def d: if . == null then null else {checksum: (.ostree.checksum // .composefs.verity // .image.imageDigest // ""),
      version: (.image.version // ""), digest: (.image.imageDigest // null), image: image,
      time: (.image.timestamp | if . == null then null else (sub("\\.[0-9]+"; "") | sub("[+]00:00$"; "Z") | fromdateiso8601?) // null end)} end;
    .status as $s
    | (if $s.booted == null then error("no deployment is booted") else . end)
    | {booted: ($s.booted | d), staged: ($s.staged | d), rollback: ($s.rollback | d),
       first: ((if $s.rollbackQueued then $s.rollback else $s.booted end) | d),
       all: [$s.staged, $s.booted, $s.rollback, $s.otherDeployments[]? | select(.) | d.checksum], packages: []}'
}

os_status() {
  case $backend in bootc) status_by_bootc ;; *) status_by_rpm_ostree ;; esac
}

os_stage() {
  case $backend in
    bootc) # it does not say whether something was new
      was=$(os_status | jq -r '.staged.checksum // .booted.checksum') || return 1
      bootc_call 7200 upgrade || return 1
      is=$(os_status | jq -r '.staged.checksum // .booted.checksum') || return 1
      [ "$was" != "$is" ] || return 77
      ;;
    *) ostree 7200 upgrade --unchanged-exit-77 ;;
  esac
}

os_rebase() { # REF; the OS's own updater, Zincati, has registered itself as the one that drives rpm-ostree
  case $backend:$1 in
    bootc:ostree-image-signed:docker://*) bootc_call 7200 switch --enforce-container-sigpolicy "${1#ostree-image-signed:docker://}" ;;
    bootc:*) bootc_call 7200 switch "${1#ostree-unverified-registry:}" ;;
    *) ostree 7200 rebase --bypass-driver "$1" ;;
  esac
}

os_back() {
  case $backend in bootc) bootc_call 300 rollback ;; *) ostree 300 rollback ;; esac
}

os_drop_staged() { # bootc has no word for it: whatever it stages next takes the place
  case $backend in bootc) ! command -v rpm-ostree >/dev/null || ostree 300 cleanup -p ;; *) ostree 300 cleanup -p ;; esac
}

os_live() {
  [ "$backend" = rpm-ostree ] || { echo 'bootc cannot change the running system' && return 1; }
  ostree 1800 apply-live --allow-replacement
}

os_layer() { ostree 7200 install --idempotent --allow-inactive "$@"; }

os_unlayer() { ostree 7200 uninstall --idempotent "$@"; }
