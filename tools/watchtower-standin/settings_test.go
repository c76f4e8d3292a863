package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSchedule(t *testing.T) {
	for _, one := range []struct{ zone, now, plan, next string }{
		{"UTC", "2026-11-26 03:29:59", "0 30 3 * * *", "2026-11-26 03:30:00"},
		{"UTC", "2026-11-26 03:30:00", "0 30 3 * * *", "2026-11-27 03:30:00"},
		{"UTC", "2026-11-26 10:00:01", "*/20 * * * * *", "2026-11-26 10:00:20"},
		{"UTC", "2026-11-26 10:00:00", "0 0,30 8-10 * * *", "2026-11-26 10:30:00"},
		{"UTC", "2026-11-26 10:00:00", "0 0 4 * * SUN", "2026-11-29 04:00:00"},
		{"UTC", "2026-11-26 10:00:00", "0 0 4 * feb ?", "2027-02-01 04:00:00"},
		{"UTC", "2026-11-26 10:00:00", "0 0 4 1 * MON", "2026-11-30 04:00:00"}, // either day is enough
		{"UTC", "2026-11-26 10:00:00", "0 0 4 29 2 *", "2028-02-29 04:00:00"},
		{"UTC", "2026-11-26 10:00:00", "5/15 * * * * *", "2026-11-26 10:00:05"},
		{"UTC", "2026-12-31 23:59:59", "@monthly", "2027-01-01 00:00:00"},
		{"UTC", "2026-11-26 10:00:00", "@weekly", "2026-11-29 00:00:00"},
		{"UTC", "2026-11-26 10:00:00", "@every 90m", "2026-11-26 11:30:00"},
		{"Europe/London", "2026-03-29 00:00:00", "0 30 1 * * *", "2026-03-30 01:30:00"}, // 01:30 does not come that night
		{"Europe/London", "2026-10-25 00:30:00", "0 30 1 * * *", "2026-10-25 01:30:00"},
		{"America/Santiago", "2026-09-05 12:00:00", "0 0 4 * * *", "2026-09-06 04:00:00"}, // no midnight that day
	} {
		plan, err := parseSchedule(one.plan)
		if err != nil {
			t.Errorf("%s: %v", one.plan, err)
			continue
		}
		if next := plan.next(at(t, one.zone, one.now)); next.Format(time.DateTime) != one.next {
			t.Errorf("%s after %s in %s: %s, not %s", one.plan, one.now, one.zone, next, one.next)
		}
	}
}

func TestScheduleRefuses(t *testing.T) {
	for plan, complaint := range map[string]string{
		"30 4 * * *": "has 5 fields, not 6", "0 60 4 * * *": "not between 0 and 59", "0 0 4 * * 7": "not between 0 and 6",
		"0 0 4 0 * *": "not between 1 and 31", "0 0 9-8 * * *": "not between", "0 0 */0 * * *": "not between",
		"0 0 4 * foo *": "not a cron field", "@every soon": "not a time", "@fortnightly": "has 1 fields", "0 0 4 30 2 *": "never comes",
	} {
		if _, err := parseSchedule(plan); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%s: %v", plan, err)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, wanted := range map[string]time.Duration{"": 0, "0": 0, "90s": 90 * time.Second, "3d12h": 84 * time.Hour, "1w": 168 * time.Hour, "1M": 720 * time.Hour} {
		if found, err := parseAge(text); err != nil || found != wanted {
			t.Errorf("%s: %s, %v", text, found, err)
		}
	}
	for text, wanted := range map[string]time.Duration{"60": time.Minute, "1.5": 1500 * time.Millisecond, "2m": 2 * time.Minute} {
		if found, err := parseTimeout(text); err != nil || found != wanted {
			t.Errorf("%s: %s, %v", text, found, err)
		}
	}
}

func TestSettings(t *testing.T) {
	for complaint, environ := range map[string][]string{
		"unknown variable WATCHTOWER_CLENUP":              {"WATCHTOWER_CLENUP=true"},
		"not both":                                        {"WATCHTOWER_SCHEDULE=0 0 4 * * *", "WATCHTOWER_POLL_INTERVAL=60"},
		"neither true nor false":                          {"WATCHTOWER_CLEANUP=maybe"},
		"lifecycle-hooks: Watchtower knows this option":   {"WATCHTOWER_LIFECYCLE_HOOKS=true"},
		"http-api-token: Watchtower knows this option":    {"WATCHTOWER_HTTP_API_TOKEN=x"},
		"needs include-stopped":                           {"WATCHTOWER_REVIVE_STOPPED=true"},
		"REPO_PASS: Watchtower knows this variable":       {"REPO_PASS=x"},
		"cooldown-delay: \"soon\" is not a duration such": {"WATCHTOWER_COOLDOWN_DELAY=soon"},
	} {
		if _, _, problems := readSettings(nil, environ); !strings.Contains(strings.Join(problems, "\n"), complaint) {
			t.Errorf("%v: %q", environ, problems)
		}
	}
	given, names, problems := readSettings([]string{"--interval", "60", "--stop-timeout=5", "--cleanup", "web"},
		[]string{"WATCHTOWER_CLEANUP=false", "WATCHTOWER_LIFECYCLE_HOOKS=false", "WATCHTOWER_SCOPE=", "HOME=/"})
	expectEqual(t, "problems", problems, []string(nil))
	expectEqual(t, "names", names, []string{"web"})
	expectEqual(t, "settings", given, settings{"poll-interval": "60", "timeout": "5", "cleanup": "true", "lifecycle-hooks": "false"})
	_, _, problems = readSettings([]string{"-R", "--scope"}, nil)
	expectEqual(t, "flags", len(problems), 2)
}

func TestAPIVersion(t *testing.T) {
	for api, wanted := range map[string]string{"1.41": "1.41", "1.45": "1.45", "1.60": newestAPI, "1.39": ""} {
		w := newWorld(t, settings{})
		w.api, w.watchtower.engine.version = api, ""
		_, err := w.watchtower.engine.negotiate()
		if w.watchtower.engine.version != wanted || (err == nil) != (wanted != "") {
			t.Errorf("%s: %q, %v", api, w.watchtower.engine.version, err)
		}
	}
}

func TestImageNames(t *testing.T) {
	for name, wanted := range map[string]imageName{
		"nginx":                   {"nginx", hubAPI, hubLogin, "library/nginx", "latest"},
		"docker.io/me/app:2":      {"docker.io/me/app", hubAPI, hubLogin, "me/app", "2"},
		"192.168.177.1:5443/a/b":  {"192.168.177.1:5443/a/b", "192.168.177.1:5443", "192.168.177.1:5443", "a/b", "latest"},
		"ghcr.io/a/b:v1.2":        {"ghcr.io/a/b", "ghcr.io", "ghcr.io", "a/b", "v1.2"},
		"localhost/app:1":         {"localhost/app", "localhost", "localhost", "app", "1"},
		"registry.lan:5000/app:1": {"registry.lan:5000/app", "registry.lan:5000", "registry.lan:5000", "app", "1"},
	} {
		if found, err := parseImage(name); err != nil || found != wanted {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

func TestTheLoopRunsWhenDueAndStopsAtASignal(t *testing.T) {
	w := updatable(t, settings{}, nil)
	stop := make(chan os.Signal, 1)
	ended := make(chan bool)
	go func() { w.watchtower.loop(stop, every(time.Second)); ended <- true }()
	time.Sleep(2500 * time.Millisecond)
	stop <- syscall.SIGTERM
	<-ended
	w.expect("web", "2")
}
