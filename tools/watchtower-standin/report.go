package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Where a container stands in a session's report.
type state string

const (
	fresh     state = "Fresh"
	stale     state = "Stale" // a newer image is there, and was not taken
	linked    state = "Linked"
	updated   state = "Updated"
	restarted state = "Restarted"
	skipped   state = "Skipped"
	failed    state = "Failed"
)

// A line of the log, as a notification shows it.
type entry struct {
	at             time.Time
	level, message string
	fields         map[string]string
}

// The log: every line goes to `out`, those of info and above are kept for the session's notification.
type journal struct {
	out     io.Writer
	lock    sync.Mutex
	entries []entry
}

func (j *journal) say(level, message string, pairs ...string) {
	now := entry{time.Now(), level, message, map[string]string{}}
	line := fmt.Sprintf("time=%q level=%s msg=%q", now.at.Format(time.RFC3339), level, message)
	for i := 0; i+1 < len(pairs); i += 2 {
		now.fields[pairs[i]] = pairs[i+1]
		line += " " + pairs[i] + "=" + quoted(pairs[i+1])
	}
	fmt.Fprintln(j.out, line)
	if level != "debug" {
		j.lock.Lock()
		j.entries = append(j.entries, now)
		j.lock.Unlock()
	}
}

func quoted(value string) string {
	if strings.ContainsAny(value, " \"=\n") || value == "" {
		return strconv.Quote(value)
	}
	return value
}

func (j *journal) forget() { j.entries = nil }

// tell sends the session's notification: the report where that is asked for, else one line per event.
func (w *watchtower) tell(watched []*container) {
	text := ""
	if w.given.on("notification-report") && watched != nil {
		text = reportText(watched, w.journal.entries)
	} else {
		text = eventsText(w.journal.entries)
	}
	w.notifier.send(text, w.journal)
}

// reportText has the form of Watchtower's documented default report (docs/notifications/templates).
func reportText(watched []*container, entries []entry) string {
	sorted := map[state][]*container{}
	for _, c := range watched {
		sorted[c.state] = append(sorted[c.state], c)
	}
	text := fmt.Sprintf("%d Scanned, %d Updated, %d Restarted, %d Failed",
		len(watched)-len(sorted[skipped]), len(sorted[updated]), len(sorted[restarted]), len(sorted[failed]))
	if len(sorted[updated])+len(sorted[restarted])+len(sorted[failed]) > 0 {
		for _, c := range sorted[updated] {
			text += fmt.Sprintf("\n- %s (%s): %s updated to %s", c.Name, c.imageName(), short(c.Image), short(c.latest))
		}
		for _, kind := range []state{fresh, restarted, skipped, failed} {
			for _, c := range sorted[kind] {
				text += fmt.Sprintf("\n- %s (%s): %s", c.Name, c.imageName(), kind)
				if c.problem != nil {
					text += ": " + c.problem.Error()
				}
			}
		}
	}
	if len(entries) > 0 {
		text += "\n\nLogs:"
		for _, e := range entries {
			text += fmt.Sprintf("\n%s [%s] %s", e.at.Format(time.RFC3339), e.level, e.message)
		}
	}
	return text
}

// eventsText is the message without a report: one line per event, in the past tense, with its names.
func eventsText(entries []entry) string {
	lines := []string{}
	for _, e := range entries {
		line, f := e.message, e.fields
		switch e.message {
		case "Found new image":
			line = fmt.Sprintf("Found new image: %s (%s)", f["image"], f["new_id"])
		case "Stopping container":
			line = fmt.Sprintf("Stopped stale container: %s (%s)", f["container"], f["id"])
		case "Started new container":
			line = fmt.Sprintf("Started new container: %s (%s)", f["container"], f["new_id"])
		case "Removing image":
			line = fmt.Sprintf("Removed stale image: %s", f["image_id"])
		default:
			if f["container"] != "" {
				line += ": " + strings.TrimSpace(f["container"]+" "+f["error"])
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
