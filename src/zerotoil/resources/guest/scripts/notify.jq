# What becomes of one message.
# Input: its text. Output, a line each: "send", "hold" or "skip"; why; how many old messages go; the message; the state.
# "hold" makes the summary anew, which is its message. A state or summary that is broken counts as none.
# $config {host, events, repeat, burst}, $state {seen, sent, lost}, $summary (the one that waits), $waiting (queue length).

def words: gsub("-"; " ");
def plain:
  gsub("\u001b\\[[0-9;?]*[A-Za-z]"; "")
  | explode | map(select((. >= 32 and . != 127) or . == 10 or . == 9)) | implode;
def cut($most): if length > $most then .[0:$most - 1] + "…" else . end;
def count($number; $word): "\($number) \($word)\(if $number == 1 then "" else "s" end)";

def read: try (fromjson | select(type == "object")) catch empty;

$config[0] as $c
| (($state | read) // {}) as $s
| (plain | cut(3000) | sub("\\s+$"; "")) as $text
| ($subject | plain | gsub("\\s+"; " ") | cut(200)) as $about
| ([$event | words] + (if $about == "" then [] else [$about] end) | join(": ")) as $line
| "\($event) \($about)" as $key
# A time in the future is of a clock that was wrong: it counts for nothing.
| ($s.seen // {} | with_entries(select(.value.time <= $now and .value.time > $now - 2 * $c.repeat))) as $seen
| ($s.sent // [] | map(select(. <= $now and . > $now - 3600))) as $sent
| (if $waiting == 0 then 0 else $s.lost // 0 end) as $lost
| (if $waiting < $most then 0 else $waiting - $most + 1 end) as $drop
| {seen: ($seen + {($key): {time: $now, again: 0}}), sent: $sent, lost: $lost} as $after
| {id: $id, time: ($now | todate), host: $c.host, done: []} as $blank
| if $event != "test" and ($c.events | index($event) | not) then
    {do: "skip", why: "not among notify_events", state: $s}
  elif $event != "test" and $seen[$key] and $seen[$key].time > $now - $c.repeat then
    {do: "skip", why: "told already", state: ($s | .seen[$key].again += 1)}
  elif $event != "test" and ($sent | length) >= $c.burst then
    (($summary | read) // ($blank + {lines: [], count: 0, not_before: (($sent | min) + 3600)})) as $waits
    | ($waits.lines + [$line])[0:30] as $lines
    | ($waits.count + 1) as $number
    | ($lines | map("- \(.)\n") | add) as $list
    | (if $number > ($lines | length) then "and \($number - ($lines | length)) more\n" else "" end) as $rest
    | {
        do: "hold",
        why: "\($c.burst) messages were sent within the hour",
        state: $after,
        message: ($waits + {
          event: "summary", subject: "", lines: $lines, count: $number,
          title: "\($c.host): \(count($number; "more message"))",
          text: "More than \(count($c.burst; "message")) came within an hour. These were held back:\n\($list)\($rest)"
        })
      }
  else
    ($seen[$key].again // 0) as $again
    | [
        $text,
        (if $again > 0 then "(\(count($again; "more time")) since it was last told)" else empty end),
        (if $lost + $drop > 0 then "(\(count($lost + $drop; "older message")) lost: no sink took them in time)" else empty end)
      ] as $parts
    | {
        do: "send",
        drop: $drop,
        state: (if $event == "test" then $s else $after | .sent += [$now] end | .lost = $lost + $drop),
        message: ($blank + {
          $event, subject: $about, title: "\($c.host): \($line)", text: ($parts | map(select(. != "")) | join("\n"))
        })
      }
  end
| .do, .why // "", .drop // 0, (.message | tojson), (.state | tojson)
