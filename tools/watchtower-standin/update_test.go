package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const enable, monitor = enableLabel, monitorLabel

// updatable is a world with one container of version 1 and version 2 in the registry.
func updatable(t *testing.T, given settings, extra object) *world {
	w := newWorld(t, given)
	w.push("app:1", "1")
	w.pull("app:1")
	w.run("web", "app:1", extra)
	w.push("app:1", "2")
	return w
}

func (w *world) versionOf(name string) string {
	c := w.find(name)
	if c == nil {
		return "gone"
	}
	if !asObject(c["State"])["Running"].(bool) {
		return "stopped"
	}
	version, _ := asObject(asObject(c["Config"])["Labels"])["version"].(string)
	return version
}

func (w *world) expect(name, version string) {
	w.t.Helper()
	if found := w.versionOf(name); found != version {
		w.t.Errorf("%s is %s, not %s; calls: %q", name, found, version, w.calls)
	}
}

func expectEqual(t *testing.T, what string, found, wanted any) {
	t.Helper()
	if !reflect.DeepEqual(found, wanted) {
		t.Errorf("%s: %#v\nwanted: %#v", what, found, wanted)
	}
}

func TestOrderOfAnUpdate(t *testing.T) {
	w := updatable(t, settings{}, nil)
	w.watchtower.session()
	w.expect("web", "2")
	expectEqual(t, "calls", w.calls, []string{
		"pull app:1", "POST stop /web", "DELETE 0000000 /web", "POST create", "POST start /web"})
	w.calls = nil
	w.watchtower.session()
	expectEqual(t, "calls of a second session", w.calls, []string(nil))
}

func TestTheNewContainerHasTheOldOnesConfiguration(t *testing.T) {
	w := updatable(t, settings{}, object{
		"Env": []any{"MINE=1"}, "Cmd": []any{"serve"}, "User": "1000", "Hostname": "web.lan", "StopTimeout": 7,
		"Labels":     object{"mine": "yes", "com.docker.compose.service": "web"},
		"HostConfig": object{"NetworkMode": "app_default", "Binds": []any{"/a:/b:z"}, "Memory": 9007199254740993, "PortBindings": object{"81/tcp": []any{}}},
		"NetworkingConfig": object{"EndpointsConfig": object{
			"app_default": object{"Aliases": []any{"web", "000000000001"}}, "other": object{"IPAMConfig": object{"IPv4Address": "10.0.0.9"}}}},
	})
	w.watchtower.session()
	c := w.find("web")
	config, host := asObject(c["Config"]), asObject(c["HostConfig"])
	expectEqual(t, "env", config["Env"], []any{"PATH=/", "VERSION=2", "MINE=1"})
	expectEqual(t, "labels", config["Labels"], object{"version": "2", "mine": "yes", "com.docker.compose.service": "web"})
	expectEqual(t, "own words", []any{config["Cmd"], config["User"], config["Hostname"], config["WorkingDir"]},
		[]any{[]any{"serve"}, "1000", "web.lan", "/2"})
	expectEqual(t, "health check", config["Healthcheck"], object{"Test": []any{"CMD", "/app", "2"}})
	expectEqual(t, "ports", config["ExposedPorts"], object{"80/tcp": object{}, "81/tcp": object{}})
	expectEqual(t, "binds", host["Binds"], []any{"/a:/b:z"})
	networks := asObject(asObject(c["NetworkSettings"])["Networks"])
	expectEqual(t, "aliases without the old id", asObject(networks["app_default"])["Aliases"], []any{"web"})
	expectEqual(t, "fixed address", asObject(networks["other"])["IPAMConfig"], object{"IPv4Address": "10.0.0.9"})
}

func TestNumbersOf64BitsSurvive(t *testing.T) {
	c := &container{}
	if err := decode(strings.NewReader(`{"HostConfig":{"Memory":9007199254740993}}`), c); err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(c.createBody())
	if !strings.Contains(string(text), "9007199254740993") {
		t.Error(string(text))
	}
}

func TestOlderEnginesGetTheirSecondNetworkAfterwards(t *testing.T) {
	w := updatable(t, settings{}, object{"NetworkingConfig": object{"EndpointsConfig": object{"app_default": object{}, "other": object{}}}})
	w.api, w.watchtower.engine.version = "1.43", "1.43"
	w.watchtower.session()
	expectEqual(t, "calls", w.calls[3:], []string{"POST create", "POST connect", "POST start /web"})
}

func TestWhatIsWatched(t *testing.T) {
	for _, one := range []struct {
		about  string
		given  settings
		labels object
		wanted string
	}{
		{"no label", settings{}, nil, "2"},
		{"disabled", settings{}, labelled(enable, "false"), "1"},
		{"opt-in without label", settings{"label-enable": "true"}, nil, "1"},
		{"opt-in with label", settings{"label-enable": "true"}, labelled(enable, "true"), "2"},
		{"another scope", settings{}, labelled(scopeLabel, "mine"), "1"},
		{"scope none", settings{"scope": "none"}, labelled(scopeLabel, ""), "2"},
		{"same scope", settings{"scope": "mine"}, labelled(scopeLabel, "mine"), "2"},
		{"not in the scope", settings{"scope": "mine"}, nil, "1"},
		{"disabled by pattern", settings{"disable-containers": "db,w.b"}, nil, "1"},
		{"pattern is for the whole name", settings{"disable-containers": "we"}, nil, "2"},
		{"watchtower itself", settings{}, labelled(labels, "true"), "1"},
		{"monitor-only by label", settings{}, labelled(monitor, "true"), "1"},
		{"monitor-only by option", settings{"monitor-only": "true"}, nil, "1"},
		{"option wins over label", settings{"monitor-only": "true"}, labelled(monitor, "false"), "1"},
		{"label takes precedence", settings{"monitor-only": "true", "label-take-precedence": "true"}, labelled(monitor, "false"), "2"},
		{"no-pull sees only local images", settings{"no-pull": "true"}, nil, "1"},
		{"no-pull by label", settings{}, labelled(noPullLabel, "true"), "1"},
	} {
		w := updatable(t, one.given, one.labels)
		w.watchtower.session()
		if found := w.versionOf("web"); found != one.wanted {
			t.Errorf("%s: version %s, not %s", one.about, found, one.wanted)
		}
	}
}

func TestNamesOnTheCommandLine(t *testing.T) {
	w := updatable(t, settings{}, nil)
	w.watchtower.names = []string{"other"}
	w.watchtower.session()
	w.expect("web", "1")
}

func TestMonitorOnlyPullsAndTells(t *testing.T) {
	w := updatable(t, settings{"monitor-only": "true", "cooldown-delay": "3d", "notification-report": "true"}, nil)
	w.watchtower.session()
	expectEqual(t, "calls", w.calls, []string{"pull app:1"})
	c := w.watchtower.seen[0]
	expectEqual(t, "state", c.state, stale)
	text := reportText([]*container{c}, w.watchtower.journal.entries)
	if !strings.HasPrefix(text, "1 Scanned, 0 Updated, 0 Restarted, 0 Failed\n\nLogs:\n") || !strings.HasSuffix(text, "[info] Found new image") {
		t.Error(text)
	}
}

func TestNoPullUpdatesWhatIsThere(t *testing.T) {
	w := updatable(t, settings{"no-pull": "true", "cooldown-delay": "3d"}, nil)
	w.remote["app:1"]["created"] = time.Now().Format(time.RFC3339)
	w.pull("app:1")
	w.watchtower.session()
	w.expect("web", "2")
}

func TestCooldown(t *testing.T) {
	ago := func(age time.Duration) any { return time.Now().Add(-age).Format(time.RFC3339) }
	for _, one := range []struct {
		about   string
		created any
		labels  object
		wanted  string
	}{
		{"too young", ago(71 * time.Hour), nil, "1"},
		{"old enough", ago(73 * time.Hour), nil, "2"},
		{"made in the future", ago(-time.Hour), nil, "2"},
		{"no time", nil, nil, "1"},
		{"shorter by label", ago(2 * time.Hour), labelled(ageLabel, "1h"), "2"},
		{"none by label", ago(0), labelled(ageLabel, "0"), "2"},
		{"label that cannot be read", ago(2 * time.Hour), labelled(ageLabel, "soon"), "1"},
	} {
		w := updatable(t, settings{"cooldown-delay": "3d"}, one.labels)
		w.remote["app:1"]["created"] = one.created
		w.watchtower.session()
		if found := w.versionOf("web"); found != one.wanted {
			t.Errorf("%s: version %s, not %s", one.about, found, one.wanted)
		}
		if one.wanted == "1" {
			expectEqual(t, one.about+": nothing is pulled", w.calls, []string(nil))
			expectEqual(t, one.about+": state", w.watchtower.seen[0].state, skipped)
			expectEqual(t, one.about+": said once", len(w.watchtower.journal.entries), 1)
		}
	}
}

func TestADigestIsNeverUpdated(t *testing.T) {
	w := updatable(t, settings{}, nil)
	asObject(w.find("web")["Config"])["Image"] = w.host + "/app:1@sha256:abc"
	w.watchtower.session()
	expectEqual(t, "calls", w.calls, []string(nil))
	expectEqual(t, "state", w.watchtower.seen[0].state, fresh)
}

func TestAnImageThatTheRegistryLostIsFresh(t *testing.T) {
	w := updatable(t, settings{}, nil)
	delete(w.remote, "app:1")
	w.watchtower.session()
	w.expect("web", "1")
	expectEqual(t, "state", w.watchtower.seen[0].state, fresh)
}

func TestARegistryThatRefusesSkips(t *testing.T) {
	w := updatable(t, settings{"cooldown-delay": "3d"}, nil)
	w.password = "lab:secret"
	w.watchtower.session()
	w.expect("web", "1")
	problem := w.watchtower.seen[0].problem
	if problem == nil || !strings.Contains(problem.Error(), "wants a login") {
		t.Error(problem)
	}
}

func TestLoginFromConfigJSON(t *testing.T) {
	for _, bearer := range []bool{false, true} {
		w := updatable(t, settings{"cooldown-delay": "3d"}, nil)
		w.password, w.bearer = "lab:se:cret", bearer
		login := object{"auths": object{"https://" + w.host: object{"auth": base64.StdEncoding.EncodeToString([]byte(w.password))}}}
		text, _ := json.Marshal(login)
		if err := os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		w.watchtower.session()
		w.expect("web", "2")
		sent, err := base64.URLEncoding.DecodeString(w.logins[0])
		if err != nil {
			t.Fatal(err)
		}
		var told object
		json.Unmarshal(sent, &told)
		expectEqual(t, "login sent to the engine", told, object{"username": "lab", "password": "se:cret", "serveraddress": w.host})
	}
}

func TestAFailedCreateLeavesItGoneAndSaysSo(t *testing.T) {
	w := updatable(t, settings{"cleanup": "true"}, nil)
	w.failCreate = "web"
	w.watchtower.session()
	w.expect("web", "gone")
	text := reportText(w.watchtower.seen, nil)
	if !strings.Contains(text, "1 Scanned, 0 Updated, 0 Restarted, 1 Failed") || !strings.Contains(text, "Failed: no space left on device") {
		t.Error(text)
	}
	expectEqual(t, "old image is kept", len(w.local), 2)
}

func TestVanish(t *testing.T) {
	w := updatable(t, settings{}, nil)
	t.Setenv(vanishVariable, "1")
	code := 0
	exit = func(status int) { code = status; panic("ended") }
	defer func() {
		recover()
		exit = os.Exit
		w.expect("web", "gone")
		expectEqual(t, "exit code", code, 1)
	}()
	w.watchtower.session()
}

func TestCleanup(t *testing.T) {
	w := updatable(t, settings{"cleanup": "true"}, nil)
	w.run("second", "app:1", labelled(enable, "false"))
	w.watchtower.session()
	expectEqual(t, "images while another uses the old one", len(w.local), 2)
	w = updatable(t, settings{"cleanup": "true"}, nil)
	w.watchtower.session()
	expectEqual(t, "images", len(w.local), 1)
}

func TestStoppedContainers(t *testing.T) {
	for _, one := range []struct {
		given  settings
		wanted string
	}{
		{settings{}, "old"}, {settings{"include-stopped": "true"}, "new, stopped"},
		{settings{"include-stopped": "true", "revive-stopped": "true"}, "new, running"},
	} {
		w := updatable(t, one.given, nil)
		old := w.find("web")
		old["State"] = object{"Running": false, "Status": "exited"}
		w.watchtower.session()
		now, found := w.find("web"), "old"
		if now["Id"] != old["Id"] {
			found = "new, stopped"
			if asObject(now["State"])["Running"].(bool) {
				found = "new, running"
			}
		}
		expectEqual(t, "stopped container", found, one.wanted)
	}
}
