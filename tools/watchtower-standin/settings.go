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
	flag     kind = iota // true or false
	text                 // anything
	number               // an integer
	duration             // 30s, 3d, 1w
	cron                 // six fields, or a descriptor such as @daily
)

var options = map[string]kind{
	"schedule": cron, "poll-interval": number, "cleanup": flag, "rolling-restart": flag,
	"label-enable": flag, "label-take-precedence": flag, "monitor-only": flag, "no-pull": flag,
	"no-restart": flag, "no-startup-message": flag, "scope": text, "timeout": duration, "run-once": flag,
	"lifecycle-hooks": flag, "cooldown-delay": duration, "use-compose-depends-on": flag,
	"include-restarting": flag, "include-stopped": flag, "revive-stopped": flag, "remove-volumes": flag,
	"disable-containers": text, "debug": flag, "trace": flag, "log-level": text, "log-format": text, "no-color": flag,
	"http-api-update": flag, "http-api-metrics": flag, "http-api-token": text, "http-api-periodic-polls": flag,
	"notification-url": text, "notification-report": flag, "notification-template": text, "notifications": text,
	"notifications-level": text, "notifications-hostname": text, "notifications-delay": number,
	"notification-title-tag": text, "notification-skip-title": flag, "notification-log-stdout": flag,
}

var (
	cronField      = regexp.MustCompile(`^[0-9A-Za-z*?/,\-]+$`)
	cronDescriptor = regexp.MustCompile(`^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)$`)
	durationForm   = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d|w))+$`)
)

func (k kind) check(value string) error {
	switch k {
	case flag:
		if _, err := strconv.ParseBool(value); err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
	case number:
		if _, err := strconv.Atoi(value); err != nil {
			return fmt.Errorf("%q is not a number", value)
		}
	case duration:
		if !durationForm.MatchString(value) {
			return fmt.Errorf("%q is not a duration such as 30s or 3d", value)
		}
	case cron:
		return checkSchedule(value)
	}
	return nil
}

// checkSchedule wants six fields: five are read as second-minute-hour-day-month by the real one, so the job
// would run hourly instead of daily. Here that is an error.
func checkSchedule(value string) error {
	if cronDescriptor.MatchString(value) {
		return nil
	}
	fields := strings.Fields(value)
	if len(fields) != 6 {
		return fmt.Errorf("%q has %d fields, not 6 (seconds first)", value, len(fields))
	}
	for _, field := range fields {
		if !cronField.MatchString(field) {
			return fmt.Errorf("%q is not a cron field", field)
		}
	}
	return nil
}

// readSettings gathers WATCHTOWER_* and the flags (which win), and returns every problem it finds.
func readSettings(args, environ []string) (settings map[string]string, names []string, problems []string) {
	settings = map[string]string{}
	for _, pair := range environ {
		key, value, _ := strings.Cut(pair, "=")
		if name, ours := strings.CutPrefix(key, "WATCHTOWER_"); ours {
			name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
			if _, known := options[name]; !known {
				problems = append(problems, "unknown variable "+key)
			} else if value != "" {
				settings[name] = value
			}
		}
	}
	names = readFlags(args, settings, &problems)
	for name, value := range settings {
		if err := options[name].check(value); err != nil {
			problems = append(problems, name+": "+err.Error())
		}
	}
	if settings["schedule"] != "" && settings["poll-interval"] != "" {
		problems = append(problems, "only schedule or poll-interval can be defined, not both")
	}
	if zone := os.Getenv("TZ"); zone != "" {
		if _, err := time.LoadLocation(zone); err != nil {
			problems = append(problems, "unknown TZ "+zone)
		}
	}
	return settings, names, problems
}

func readFlags(args []string, settings map[string]string, problems *[]string) (names []string) {
	for i := 0; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "--")
		if !isFlag {
			names = append(names, args[i])
			continue
		}
		name, value, given := strings.Cut(name, "=")
		wants, known := options[name]
		switch {
		case !known:
			*problems = append(*problems, "unknown flag --"+name)
			continue
		case !given && wants == flag:
			value = "true"
		case !given && i+1 < len(args):
			i++
			value = args[i]
		case !given:
			*problems = append(*problems, "flag needs an argument: --"+name)
			continue
		}
		settings[name] = value
	}
	return names
}
