#!/bin/sh
# Prints the ledger of a guest as one JSON object, oldest entry first: {entries, unreadable, told}. Reads only.
# The newest 200 entries, those that tell something before those that only name another one. `told` is what notify.sh
# remembers of what it has told lately.
set -eu
LC_ALL=C
export LC_ALL
data=${ZEROTOIL_DATA:-${ZEROTOIL_ROOT:-}/var/mnt/data}
most=200
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/full" && : >"$work/same"
if [ -d "$data/zerotoil/ledger" ]; then
  cd "$data/zerotoil/ledger"
  for file in 2*Z.json; do [ ! -e "$file" ] || echo "$file"; done | tail -n "$most" >"$work/full"
  for file in 2*Z.same.json; do [ ! -e "$file" ] || echo "$file"; done |
    tail -n $((most - $(wc -l <"$work/full"))) >"$work/same"
fi
# One that is no JSON is told and left out: a line each of name and text.
sort "$work/full" "$work/same" | while read -r file; do
  printf '%s ' "$file"
  tr -d '\n' <"$file"
  echo
done >"$work/lines"
cat "$data/zerotoil/notify/state.json" >"$work/state" 2>/dev/null || : # there may be none
jq -Rnc --rawfile state "$work/state" '
  [inputs | index(" ") as $gap | {name: .[:$gap], entry: ([.[$gap + 1:] | try fromjson catch null] | .[0])}] as $lines
  | {
      entries: [$lines[] | select(.entry | type == "object") | .entry + {name: (.name | sub("(\\.same)?\\.json$"; ""))}],
      unreadable: [$lines[] | select(.entry | type != "object") | .name],
      told: ([$state | try fromjson catch null | objects | .seen | objects | to_entries[]
        | {what: .key, time: .value.time}])
    }' <"$work/lines"
