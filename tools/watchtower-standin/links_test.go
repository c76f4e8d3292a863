package main

import (
	"strings"
	"testing"
	"time"
)

func service(name, needs string) object {
	return labelled(composeProject, "app", composeService, name, composeLinks, needs)
}

// threeServices: web needs api needs db, each with its own image; only db has a new one.
func threeServices(t *testing.T, given settings) *world {
	w := newWorld(t, given)
	for _, one := range [][2]string{{"web", "api:service_started:false"}, {"api", "db:service_healthy:true"}, {"db", ""}} {
		w.push(one[0]+":1", "1")
		w.pull(one[0] + ":1")
		w.run("app-"+one[0]+"-1", one[0]+":1", service(one[0], one[1]))
	}
	w.push("db:1", "2")
	return w
}

func TestDependentsAreStoppedBeforeAndStartedAfter(t *testing.T) {
	w := threeServices(t, settings{})
	w.watchtower.session()
	moves := []string{}
	for _, call := range w.calls {
		if strings.HasPrefix(call, "POST stop") || strings.HasPrefix(call, "POST start") {
			moves = append(moves, call)
		}
	}
	expectEqual(t, "moves", moves, []string{"POST stop /app-web-1", "POST stop /app-api-1", "POST stop /app-db-1",
		"POST start /app-db-1", "POST start /app-api-1", "POST start /app-web-1"})
	w.expect("app-db-1", "2")
	if text := reportText(w.watchtower.seen, nil); !strings.HasPrefix(text, "3 Scanned, 1 Updated, 2 Restarted, 0 Failed\n- app-db-1 (") {
		t.Error(text)
	}
}

func TestComposeDependsOnCanBeSwitchedOff(t *testing.T) {
	w := threeServices(t, settings{"use-compose-depends-on": "false"})
	w.watchtower.session()
	expectEqual(t, "calls", len(w.calls), 5) // pull, stop, delete, create, start of db alone
}

func TestASharedNetworkIsALink(t *testing.T) {
	w := newWorld(t, settings{})
	w.push("vpn:1", "1")
	w.push("app:1", "1")
	w.pull("vpn:1")
	w.pull("app:1")
	vpn := w.run("vpn", "vpn:1", nil)
	w.run("web", "app:1", object{"HostConfig": object{"NetworkMode": "container:" + vpn["Id"].(string)}})
	w.push("vpn:1", "2")
	w.watchtower.session()
	w.expect("vpn", "2")
	w.expect("web", "1")
	web := w.find("web")
	expectEqual(t, "network", asObject(web["HostConfig"])["NetworkMode"], "container:vpn")
}

func TestLinksByLabel(t *testing.T) {
	db := &container{Name: "x", Config: object{"Labels": object{composeProject: "app", composeService: "db"}}}
	for names, wanted := range map[string]bool{"x": true, "/x": true, "a, db": true, "app-db": true, "b": false, "": false} {
		web := &container{Name: "web", Config: object{"Labels": object{linksLabel: names}}}
		if found := len(web.dependencies([]*container{web, db}, settings{})) == 1; found != wanted {
			t.Errorf("%q: %v", names, found)
		}
	}
}

func TestACycleIsSkippedAndTheRestGoesOn(t *testing.T) {
	w := threeServices(t, settings{})
	asObject(asObject(w.find("app-db-1")["Config"])["Labels"])[composeLinks] = "web:service_started:false"
	w.push("other:1", "1")
	w.pull("other:1")
	w.run("other", "other:1", nil)
	w.push("other:1", "2")
	w.watchtower.session()
	w.expect("other", "2")
	w.expect("app-db-1", "1")
	if text := reportText(w.watchtower.seen, nil); strings.Count(text, "Skipped: circular dependency") != 3 {
		t.Error(text)
	}
}

func TestRollingRestartGoesOneByOneAndWaitsForHealth(t *testing.T) {
	w := newWorld(t, settings{"rolling-restart": "true"})
	pause = time.Millisecond
	for _, name := range []string{"a", "b"} {
		w.push(name+":1", "1")
		w.pull(name + ":1")
		w.run(name, name+":1", nil)
		w.push(name+":1", "2")
	}
	w.watchtower.session()
	expectEqual(t, "calls", w.calls[2:], []string{"POST stop /a", "DELETE 0000000 /a", "POST create", "POST start /a",
		"POST stop /b", "DELETE 0000000 /b", "POST create", "POST start /b"})
}

func TestRollingRestartRefusesLinks(t *testing.T) {
	w := threeServices(t, settings{"rolling-restart": "true"})
	containers, err := w.watchtower.list()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.watchtower.refuseLinkedRolling(containers); err == nil || !strings.Contains(err.Error(), "linked containers") {
		t.Error(err)
	}
	w.watchtower.given["use-compose-depends-on"] = "false"
	if err := w.watchtower.refuseLinkedRolling(containers); err != nil {
		t.Error(err)
	}
}
