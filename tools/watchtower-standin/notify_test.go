package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"
)

func notifierFor(t *testing.T, urls string) notifier {
	made, err := newNotifier(settings{"notification-url": urls, "notifications-hostname": "host1"})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestSignalMessage(t *testing.T) {
	box := newInbox(t)
	urls := "signal://" + box.host() + "/+4412/+4913/+4914/group.abc=?disabletls=yes&token=s3cret"
	notifierFor(t, urls).send("1 Scanned", &journal{out: os.Stderr})
	sort.Slice(box.arrived, func(i, j int) bool { return box.arrived[i]["body"].(string) < box.arrived[j]["body"].(string) })
	bodies := []object{}
	for _, one := range box.arrived {
		var body object
		json.Unmarshal([]byte(one["body"].(string)), &body)
		bodies = append(bodies, body)
		expectEqual(t, "path", one["path"], "/v2/send")
		expectEqual(t, "authorization", one["authorization"], "Bearer s3cret")
	}
	text := "Watchtower updates on host1\n1 Scanned"
	expectEqual(t, "messages", bodies, []object{
		{"message": text, "number": "+4412", "recipients": []any{"+4913", "+4914"}},
		{"message": text, "number": "+4412", "recipients": []any{"group.abc="}},
	})
}

func TestGenericMessage(t *testing.T) {
	box := newInbox(t)
	for address, wanted := range map[string]object{
		"generic+http://" + box.host() + "/hook?a=b": {
			"path": "/hook?a=b", "body": "text", "authorization": "", "type": "application/json"},
		"generic://me:pw@" + box.host() + "/hook?disabletls=yes&template=json&messagekey=m&$source=lab&contenttype=text/x": {
			"path": "/hook", "body": `{"m":"text","source":"lab","title":"Watchtower updates on host1"}`,
			"authorization": "Basic bWU6cHc=", "type": "text/x"},
	} {
		box.arrived = nil
		notifierFor(t, address).send("text", &journal{out: os.Stderr})
		expectEqual(t, address, box.arrived, []object{wanted})
	}
}

func TestAFileHoldsOneURLPerLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify-url")
	for content, wanted := range map[string]string{
		"": "", "signal://h/+1/+2\ngeneric+https://h/x?k=v\n": "signal, generic+https", "ntfy://h/topic": "ntfy"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		expectEqual(t, content, notifierFor(t, path).services(), wanted)
	}
	for _, wrong := range []string{"# comment\nsignal://h/+1/+2", "h:8080/x"} {
		os.WriteFile(path, []byte(wrong), 0o600)
		if _, err := newNotifier(settings{"notification-url": path}); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestSecretsOfAURLStayOutOfTheLog(t *testing.T) {
	var log bytes.Buffer
	for _, address := range []string{"signal://u:s3cret@127.0.0.1:1/+1/+2?disabletls=yes&token=s3cret", "generic+http://127.0.0.1:1/s3cret?x=s3cret",
		"ntfy://:s3cret@h/topic", "signal://127.0.0.1:1/s3cret"} {
		log.Reset()
		notifierFor(t, address).send("text", &journal{out: &log})
		if !strings.Contains(log.String(), "Failed to send") || strings.Contains(log.String(), "s3cret") {
			t.Error(log.String())
		}
	}
}

func TestTitle(t *testing.T) {
	expectEqual(t, "title", title(settings{"notifications-hostname": "h", "notification-title-tag": "lab"}), "[lab] Watchtower updates on h")
	expectEqual(t, "no title", title(settings{"notification-skip-title": "true"}), "")
}

func TestReportOfASession(t *testing.T) {
	box := newInbox(t)
	w := updatable(t, settings{"notification-report": "true", "cleanup": "true"}, nil)
	w.watchtower.notifier = notifierFor(t, "generic+http://"+box.host())
	w.watchtower.session()
	w.watchtower.session()
	text := box.arrived[0]["body"].(string)
	old, latest := short(digestOf(imageConfig("1"))), short(digestOf(imageConfig("2")))
	head, logs, _ := strings.Cut(text, "\n\nLogs:\n")
	expectEqual(t, "report", head, "1 Scanned, 1 Updated, 0 Restarted, 0 Failed\n- web ("+w.host+"/app:1): "+old+" updated to "+latest)
	events := []string{}
	for _, line := range strings.Split(logs, "\n") {
		when, event, _ := strings.Cut(line, " ")
		if _, err := time.Parse(time.RFC3339, when); err != nil {
			t.Error(err)
		}
		events = append(events, event)
	}
	expectEqual(t, "logs", events, []string{"[info] Found new image", "[info] Stopping container", "[info] Started new container", "[info] Removing image"})
	expectEqual(t, "report of a session without updates", box.arrived[1]["body"], "1 Scanned, 0 Updated, 0 Restarted, 0 Failed")
}

func TestEventsWithoutAReport(t *testing.T) {
	box := newInbox(t)
	w := updatable(t, settings{}, nil)
	w.watchtower.notifier = notifierFor(t, "generic+http://"+box.host())
	w.watchtower.session()
	w.watchtower.session()
	expectEqual(t, "messages", len(box.arrived), 1)
	lines := strings.Split(box.arrived[0]["body"].(string), "\n")
	expectEqual(t, "first line", lines[0], "Found new image: "+w.host+"/app:1 ("+short(digestOf(imageConfig("2")))+")")
	expectEqual(t, "last line", lines[2], "Started new container: web (000000000002)")
}
