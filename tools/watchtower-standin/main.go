// Stand-in for nickfedor/watchtower in the embedded lab: the real image cannot be fetched there.
//
// It takes the documented settings and is stricter with them than the real one (see settings.go), reads the
// notification file, talks to the Docker socket, says what Watchtower would do, and runs until SIGTERM.
// It never updates a container.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata"
)

var version = "unknown"

const socket = "/var/run/docker.sock"
const enableLabel = "com.centurylinklabs.watchtower.enable"

func say(level, format string, args ...any) {
	fmt.Fprintf(os.Stderr, "time=%q level=%s msg=%q\n", time.Now().Format(time.RFC3339), level, fmt.Sprintf(format, args...))
}

func die(format string, args ...any) {
	say("fatal", format, args...)
	os.Exit(1)
}

// docker asks the engine over its socket; the answer is decoded into `into` where that is not nil.
func docker(path string, into any) error {
	client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}}}
	answer, err := client.Get("http://docker" + path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// notificationTargets reads the file form of notification-url (one URL per line) and returns how many there are.
func notificationTargets(value string) (int, error) {
	if !strings.HasPrefix(value, "/") {
		return len(strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })), nil
	}
	content, err := os.ReadFile(value)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, line := range strings.Fields(string(content)) {
		if !strings.Contains(line, "://") {
			return 0, fmt.Errorf("%s: line %d is not a URL", value, count+1)
		}
		count++
	}
	return count, nil
}

func watched(optIn bool) ([]string, error) {
	var containers []struct {
		Names  []string
		Labels map[string]string
	}
	if err := docker("/containers/json", &containers); err != nil {
		return nil, err
	}
	names := []string{}
	for _, container := range containers {
		label, labelled := container.Labels[enableLabel]
		if label == "true" || !labelled && !optIn {
			names = append(names, strings.TrimPrefix(container.Names[0], "/"))
		}
	}
	return names, nil
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Printf("watchtower version %s (zerotoil stand-in)\n", version)
		return
	}
	settings, names, problems := readSettings(os.Args[1:], os.Environ())
	for _, problem := range problems {
		say("error", "%s", problem)
	}
	if len(problems) > 0 {
		die("%d problems in the settings", len(problems))
	}
	targets, err := notificationTargets(settings["notification-url"])
	if err != nil {
		die("notification-url: %v", err)
	}
	var engine struct{ Version, ApiVersion string }
	if err := docker("/_ping", nil); err != nil {
		die("Docker does not answer: %v", err)
	}
	if err := docker("/version", &engine); err != nil {
		die("Docker does not say its version: %v", err)
	}
	if len(names) == 0 {
		if names, err = watched(settings["label-enable"] == "true"); err != nil {
			die("cannot list containers: %v", err)
		}
	}
	say("info", "STAND-IN for Watchtower %s: nothing will be updated", version)
	say("info", "Docker %s (API %s); schedule %q, TZ %q, %d notification targets; would watch %d containers: %s",
		engine.Version, engine.ApiVersion, settings["schedule"], os.Getenv("TZ"), targets, len(names), strings.Join(names, " "))
	if settings["run-once"] == "true" {
		return
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	say("info", "stopped")
}
