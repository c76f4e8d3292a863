// Stand-in for nickfedor/watchtower in the embedded lab: the real image cannot be fetched there.
//
// It updates containers as Watchtower documents it, takes the documented settings and is stricter with them than the
// real one (see settings.go). What it leaves out, and what it adds, is in README.md.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata"
)

var version = "unknown"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Printf("watchtower version %s (zerotoil stand-in)\n", version)
		return
	}
	log := &journal{out: os.Stderr}
	given, names, problems := readSettings(os.Args[1:], os.Environ())
	for _, problem := range problems {
		log.say("error", problem)
	}
	if len(problems) > 0 {
		log.say("fatal", fmt.Sprintf("%d problems in the settings", len(problems)))
		exit(1)
	}
	w, err := newWatchtower(given, names, log)
	if err != nil {
		log.say("fatal", err.Error())
		exit(1)
	}
	if given.on("run-once") {
		w.session()
		return
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	w.startup()
	w.loop(stop, given.plan())
}

// newWatchtower connects everything and says what it found.
func newWatchtower(given settings, names []string, log *journal) (*watchtower, error) {
	notifier, err := newNotifier(given)
	if err != nil {
		return nil, fmt.Errorf("notification-url: %w", err)
	}
	engine, err := newEngine(os.Getenv("DOCKER_HOST"))
	if err != nil {
		return nil, err
	}
	docker, err := engine.negotiate()
	if err != nil {
		return nil, fmt.Errorf("Docker does not answer: %w", err)
	}
	w := &watchtower{given: given, names: names, engine: engine, journal: log, notifier: notifier,
		registry: newRegistry(given.on("registry-tls-skip"))}
	containers, err := w.list()
	if err != nil {
		return nil, fmt.Errorf("cannot list containers: %w", err)
	}
	watched := []string{}
	for _, c := range containers {
		if c.watched(given, names) {
			watched = append(watched, c.Name)
		}
	}
	log.say("info", fmt.Sprintf("STAND-IN for Watchtower %s (zerotoil's embedded lab)", version))
	log.say("info", fmt.Sprintf("Docker %s (API %s); schedule %q, TZ %q, %d notification targets; watches %d containers: %s",
		docker, engine.version, given.text("schedule"), os.Getenv("TZ"), len(notifier.targets), len(watched), strings.Join(watched, " ")))
	for _, target := range notifier.targets {
		if !played(target) {
			log.say("warning", "STAND-IN: plays no "+target.Scheme+":// notifications; none will be sent there")
		}
	}
	return w, w.refuseLinkedRolling(containers)
}

// refuseLinkedRolling: Watchtower rejects a rolling restart together with containers that depend on each other.
func (w *watchtower) refuseLinkedRolling(containers []*container) error {
	if !w.given.on("rolling-restart") {
		return nil
	}
	watched := []*container{}
	for _, c := range containers {
		if c.watched(w.given, w.names) {
			watched = append(watched, c)
		}
	}
	for _, c := range watched {
		if len(c.dependencies(watched, w.given)) > 0 {
			return errors.New("rolling-restart is not supported with linked containers: " + c.Name)
		}
	}
	return nil
}

// startup sends what was logged so far, as the real one does at each start.
func (w *watchtower) startup() {
	if !w.given.on("no-startup-message") {
		w.notifier.send(eventsText(w.journal.entries), w.journal)
	}
}

// plan is the schedule, or the poll interval.
func (s settings) plan() schedule {
	if s["schedule"] != "" {
		parsed, _ := parseSchedule(s["schedule"]) // checked when it was read
		return parsed
	}
	seconds, _ := strconv.Atoi(s.text("poll-interval"))
	return every(time.Duration(max(seconds, 1)) * time.Second)
}

// loop runs a session whenever one is due, until a signal. One that is under way is brought to its end first.
func (w *watchtower) loop(stop <-chan os.Signal, plan schedule) {
	if w.given.on("update-on-start") {
		w.session()
	}
	for {
		due := plan.next(time.Now())
		w.journal.say("info", "Next run: "+due.Format("2006-01-02 15:04:05 -0700 MST"))
		select {
		case <-time.After(time.Until(due)):
			w.session()
		case <-stop:
			w.journal.say("info", "stopped")
			return
		}
	}
}
