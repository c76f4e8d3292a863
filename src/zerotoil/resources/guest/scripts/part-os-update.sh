# shellcheck shell=sh
# How a new deployment comes: asked for, fetched and staged at any time, or refused. A part of os.sh, whose words it uses.
# shellcheck disable=SC2154

ask_registry() { # sets $digest: what the tag names now
  image=${reference#ostree-unverified-registry:}
  image=docker://${image#ostree-image-signed:docker://}
  set -- inspect --no-tags --format '{{.Digest}}' "$image"
  for login in "$root/etc/ostree/auth.json" "$root/run/ostree/auth.json" "$root/usr/lib/ostree/auth.json"; do
    [ ! -f "$login" ] || { set -- "$@" --authfile "$login" && break; }
  done
  digest=$(timeout -k 5 180 skopeo "$@" 2>"$base/error" </dev/null) || digest=
  [ -n "$digest" ] ||
    give_up "the newest image cannot be asked for at ${image#docker://}: $(brief <"$base/error")"
  change '.checked = $now | if .problem.what // "" | startswith("the newest image") then .problem = null else . end'
}

stage() { # REF where it is another image's. Sets $came: what came of it
  if [ -n "${1:-}" ]; then os_rebase "$1"; else os_stage; fi >"$base/error" 2>&1
  code=$?
  case $code in
    0) ;;
    77) change '.seen = $digest | .problem = null' --arg digest "$digest" && came='nothing new' && return ;;
    124 | 137) give_up 'the new image does not come within two hours' ;;
    *) give_up "the new image is not staged: $(brief <"$base/error")" ;;
  esac
  look
  # The registry's name of it and the deployment's may be two, where one image is for several architectures.
  deployed=$(of '.staged.digest // ""')
  change 'if $deployed == "" then . else .names = ((.names // {} | to_entries)[-9:] + [{key: $deployed, value: $digest}] | from_entries) end | .problem = null' \
    --arg deployed "$deployed" --arg digest "$digest"
  if drop_refused; then # pinned meanwhile, or an old acquaintance under another name
    came="refused $what"
  else
    came=$(of 'if .staged then "staged \(.staged | called)" else "nothing new" end')
  fi
}

another() { # is what runs, and what is staged, of another image than the declared one?
  [ "$(of '.booted.image != $reference and (.staged.image // "") != $reference')" = true ]
}

may_take() { # ends where the newest image is not to be taken; sets $digest
  [ "$(ask '.pin != null')" = false ] || { drop_refused && look; end "pinned"; }
  ask_registry
  if [ "$(of '{checksum: "", digest: $digest} | refused($s)' --arg digest "$digest")" = true ]; then
    change '.problem = null'
    end "refused $digest, which was bad here"
  fi
}

rebase_once() {
  take_lock 600
  look
  [ -n "$reference" ] || end ok
  another || end "$(of 'if .booted.image == $reference then "ok" else "staged \(.staged | called)" end')"
  may_take
  stage "$reference"
  end "$came"
}

rebase() { # its unit starts it again where it fails
  came=$(rebase_once)
  say "$came"
  case $came in failed* | waits*) exit 1 ;; esac
}

update() {
  take_lock 0
  look
  [ -n "$reference" ] || end "waits the OS follows a stream, which Zincati looks after"
  if another; then
    may_take
    stage "$reference"
  else
    judged || end 'waits the running deployment is not judged yet'
    let_go >&2 || true
    may_take
    if [ "$(of '[.booted.digest, .staged.digest, $s.seen, $s.names[.booted.digest // ""], $s.names[.staged.digest // ""]] | index($digest) != null' \
      --arg digest "$digest")" = true ]; then
      change '.problem = null'
      came='nothing new'
    else
      stage
    fi
  fi
  say "$came"
  look
  [ "$(of '.staged != null')" = true ] || exit 0
  if [ "$(declared '.apply_live // false')" = true ]; then
    live
  elif [ "$(declared .strategy)" = immediate ]; then
    restart
  fi
}

live() {
  said=$(os_live 2>&1) || give_up "what is staged cannot be applied to the running system: $(printf '%s' "$said" | brief)"
  end ok
}

packages() { # what this script has layered is what it takes away
  take_lock 0
  [ "$(ask '.pin != null')" = false ] || end pinned
  wanted=$(declared '.packages // [] | .[]') ours=$base/packages
  touch "$ours"
  gone=$(printf '%s\n' "$wanted" | grep -vxFf - "$ours" || true)
  # shellcheck disable=SC2086
  [ -z "$wanted" ] || said=$(os_layer $wanted 2>&1) || give_up "packages cannot be layered: $(printf '%s' "$said" | brief)"
  # shellcheck disable=SC2086
  [ -z "$gone" ] || said=$(os_unlayer $gone 2>&1) || give_up "packages cannot be taken away: $(printf '%s' "$said" | brief)"
  printf '%s\n' "$wanted" | note "$ours"
  change '.problem = null'
  end ok
}
