package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What an option takes. Names are those of the documentation of nickfedor/watchtower.
type kind int

const (
	flag    kind = iota // true or false
	text                // anything
	number              // an integer
	age                 // 3d, 12h, 1w; 0: none
	timeout             // a Go duration; a bare number is seconds
	cron                // six fields, or a descriptor such as @daily
)

// How the stand-in treats an option that Watchtower documents.
type treatment int

const (
	plays   treatment = iota // does what is documented
	ignores                  // harmless: how much is logged, and how
	refuses                  // ends at once when it is set, so that no test believes in it
)

type option struct {
	kind      kind
	treatment treatment
}

var options = map[string]option{
	"schedule": {cron, plays}, "poll-interval": {number, plays}, "run-once": {flag, plays}, "update-on-start": {flag, plays},
	"cleanup": {flag, plays}, "rolling-restart": {flag, plays}, "no-restart": {flag, plays}, "timeout": {timeout, plays},
	"label-enable": {flag, plays}, "label-take-precedence": {flag, plays}, "scope": {text, plays},
	"monitor-only": {flag, plays}, "no-pull": {flag, plays}, "cooldown-delay": {age, plays},
	"use-compose-depends-on": {flag, plays}, "disable-containers": {text, plays}, "remove-volumes": {flag, plays},
	"include-restarting": {flag, plays}, "include-stopped": {flag, plays}, "revive-stopped": {flag, plays},
	"registry-tls-skip": {flag, plays}, "no-startup-message": {flag, plays},
	"notification-url": {text, plays}, "notification-report": {flag, plays}, "notifications-hostname": {text, plays},
	"notification-title-tag": {text, plays}, "notification-skip-title": {flag, plays},

	"debug": {flag, ignores}, "trace": {flag, ignores}, "log-level": {text, ignores}, "log-format": {text, ignores},
	"no-color": {flag, ignores}, "notification-log-stdout": {flag, ignores}, "warn-on-head-failure": {text, ignores},

	"lifecycle-hooks": {flag, refuses}, "ephemeral-self-update": {flag, refuses},
	"http-api-update": {flag, refuses}, "http-api-metrics": {flag, refuses}, "http-api-token": {text, refuses},
	"http-api-periodic-polls": {flag, refuses}, "http-api-endpoints": {text, refuses},
	"notifications": {text, refuses}, "notifications-level": {text, refuses}, "notifications-delay": {number, refuses},
	"notification-template": {text, refuses}, "notification-template-file": {text, refuses},
	"notification-split-by-container": {flag, refuses}, "registry-tls-min-version": {text, refuses},
	"enable-containers-by-label": {text, refuses}, "disable-containers-by-label": {text, refuses},
	"monitor-image-names": {text, refuses}, "skip-image-names": {text, refuses},
}

// Flags whose name differs from their environment variable's.
var flagNames = map[string]string{"interval": "poll-interval", "stop-timeout": "timeout"}

var defaults = map[string]string{"use-compose-depends-on": "true", "timeout": "30s", "poll-interval": "86400"}

type settings map[string]string

// on tells whether a flag is set; one that is not given has its documented default.
func (s settings) on(name string) bool {
	value, _ := strconv.ParseBool(s.text(name))
	return value
}

func (s settings) text(name string) string {
	if value, given := s[name]; given {
		return value
	}
	return defaults[name]
}

// list splits a comma- or space-separated value.
func (s settings) list(name string) []string {
	return strings.FieldsFunc(s[name], func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' || r == '\r' })
}

var (
	ageForm = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?[smhdwM])+$`)
	agePart = regexp.MustCompile(`([0-9.]+)([smhdwM])`)
	ageUnit = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "M": 30 * 24 * time.Hour}
)

// parseAge reads a cooldown: 3d, 3d12h, 1M (30 days); "0" and "" mean none.
func parseAge(value string) (time.Duration, error) {
	if value == "" || value == "0" {
		return 0, nil
	}
	if !ageForm.MatchString(value) {
		return 0, fmt.Errorf("%q is not a duration such as 12h or 3d", value)
	}
	var sum time.Duration
	for _, part := range agePart.FindAllStringSubmatch(value, -1) {
		amount, err := strconv.ParseFloat(part[1], 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(amount * float64(ageUnit[part[2]]))
	}
	return sum, nil
}

// parseTimeout reads a Go duration, or a bare number of seconds.
func parseTimeout(value string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return time.Duration(seconds * float64(time.Second)), nil
	}
	if wait, err := time.ParseDuration(value); err == nil {
		return wait, nil
	}
	return 0, fmt.Errorf("%q is not a duration such as 30s", value)
}

func (o option) check(value string) error {
	var err error
	switch o.kind {
	case flag:
		if _, err = strconv.ParseBool(value); err != nil {
			err = fmt.Errorf("%q is neither true nor false", value)
		}
	case number:
		if _, err = strconv.Atoi(value); err != nil {
			err = fmt.Errorf("%q is not a number", value)
		}
	case age:
		_, err = parseAge(value)
	case timeout:
		_, err = parseTimeout(value)
	case cron:
		_, err = parseSchedule(value)
	}
	if err == nil && o.treatment == refuses && value != "false" {
		err = fmt.Errorf("Watchtower knows this option, the stand-in does not play it")
	}
	return err
}

// readSettings gathers WATCHTOWER_* and the flags (which win), and returns every problem it finds.
func readSettings(args, environ []string) (given settings, names []string, problems []string) {
	given = settings{}
	for _, pair := range environ {
		key, value, _ := strings.Cut(pair, "=")
		if name, ours := strings.CutPrefix(key, "WATCHTOWER_"); ours {
			name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
			if _, known := options[name]; !known {
				problems = append(problems, "unknown variable "+key)
			} else if value != "" {
				given[name] = value
			}
		} else if (key == "REPO_USER" || key == "REPO_PASS") && value != "" {
			problems = append(problems, key+": Watchtower knows this variable, the stand-in takes logins from config.json only")
		}
	}
	names = readFlags(args, given, &problems)
	for name, value := range given {
		if err := options[name].check(value); err != nil {
			problems = append(problems, name+": "+err.Error())
		}
	}
	if given["schedule"] != "" && given["poll-interval"] != "" {
		problems = append(problems, "only schedule or poll-interval can be defined, not both")
	}
	if given.on("revive-stopped") && !given.on("include-stopped") {
		problems = append(problems, "revive-stopped needs include-stopped")
	}
	if zone := os.Getenv("TZ"); zone != "" {
		if _, err := time.LoadLocation(zone); err != nil {
			problems = append(problems, "unknown TZ "+zone)
		}
	}
	return given, names, problems
}

func readFlags(args []string, given settings, problems *[]string) (names []string) {
	for i := 0; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "--")
		if !isFlag {
			if strings.HasPrefix(args[i], "-") {
				*problems = append(*problems, "unknown flag "+args[i]+" (the stand-in knows long names only)")
			} else {
				names = append(names, args[i])
			}
			continue
		}
		name, value, valued := strings.Cut(name, "=")
		if long, other := flagNames[name]; other {
			name = long
		}
		wants, known := options[name]
		switch {
		case !known:
			*problems = append(*problems, "unknown flag --"+name)
			continue
		case !valued && wants.kind == flag:
			value = "true"
		case !valued && i+1 < len(args):
			i++
			value = args[i]
		case !valued:
			*problems = append(*problems, "flag needs an argument: --"+name)
			continue
		}
		given[name] = value
	}
	return names
}
