package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// When the next run is due; the zero time when never.
type schedule interface {
	next(after time.Time) time.Time
}

type every time.Duration

func (e every) next(after time.Time) time.Time {
	return after.Add(time.Duration(e)).Truncate(time.Second)
}

// Six sets of allowed values, one bit each. A day must fit both day fields; when both are restricted, one is enough
// (as in cron(8), and in robfig/cron v1, whose notation Watchtower documents).
type sixFields struct {
	second, minute, hour, day, month, weekday uint64
	anyDay                                    bool // one of the two day fields is * or ?
}

var descriptors = map[string]string{
	"@yearly": "0 0 0 1 1 *", "@annually": "0 0 0 1 1 *", "@monthly": "0 0 0 1 * *", "@weekly": "0 0 0 * * 0",
	"@daily": "0 0 0 * * *", "@midnight": "0 0 0 * * *", "@hourly": "0 0 * * * *",
}

var (
	months   = names("jan feb mar apr may jun jul aug sep oct nov dec", 1)
	weekdays = names("sun mon tue wed thu fri sat", 0)
	rangeRE  = regexp.MustCompile(`^([0-9A-Za-z]+|\*|\?)(?:-([0-9A-Za-z]+))?(?:/([0-9]+))?$`)
)

func names(list string, first int) map[string]int {
	found := map[string]int{}
	for i, name := range strings.Fields(list) {
		found[name] = first + i
	}
	return found
}

// parseSchedule wants six fields: five are read as second-minute-hour-day-month by the real one, so the job
// would run hourly instead of daily. Here that is an error.
func parseSchedule(value string) (schedule, error) {
	if interval, found := strings.CutPrefix(value, "@every "); found {
		wait, err := time.ParseDuration(interval)
		if err != nil || wait < time.Second {
			return nil, fmt.Errorf("%q is not a time of at least a second", interval)
		}
		return every(wait), nil
	}
	if fields, found := descriptors[value]; found {
		value = fields
	}
	fields := strings.Fields(value)
	if len(fields) != 6 {
		return nil, fmt.Errorf("%q has %d fields, not 6 (seconds first)", value, len(fields))
	}
	parsed := sixFields{anyDay: strings.ContainsAny(fields[3][:1]+fields[5][:1], "*?")}
	for i, field := range []struct {
		into      *uint64
		low, high int
		names     map[string]int
	}{
		{&parsed.second, 0, 59, nil}, {&parsed.minute, 0, 59, nil}, {&parsed.hour, 0, 23, nil},
		{&parsed.day, 1, 31, nil}, {&parsed.month, 1, 12, months}, {&parsed.weekday, 0, 6, weekdays},
	} {
		set, err := parseField(fields[i], field.low, field.high, field.names)
		if err != nil {
			return nil, err
		}
		*field.into = set
	}
	if parsed.next(time.Now()).IsZero() {
		return nil, fmt.Errorf("%q never comes", value)
	}
	return parsed, nil
}

func parseField(field string, low, high int, names map[string]int) (uint64, error) {
	var set uint64
	for _, part := range strings.Split(field, ",") {
		match := rangeRE.FindStringSubmatch(part)
		if match == nil {
			return 0, fmt.Errorf("%q is not a cron field", field)
		}
		first, last, step := low, high, 1
		var err error
		if match[1] != "*" && match[1] != "?" {
			if first, err = fieldValue(match[1], names); err != nil {
				return 0, err
			}
			if match[3] == "" {
				last = first
			}
		}
		if match[2] != "" {
			if last, err = fieldValue(match[2], names); err != nil {
				return 0, err
			}
		}
		if match[3] != "" {
			step, _ = strconv.Atoi(match[3])
		}
		if first < low || last > high || first > last || step < 1 {
			return 0, fmt.Errorf("%q is not between %d and %d", part, low, high)
		}
		for value := first; value <= last; value += step {
			set |= 1 << value
		}
	}
	return set, nil
}

func fieldValue(text string, names map[string]int) (int, error) {
	if value, found := names[strings.ToLower(text)]; found {
		return value, nil
	}
	value, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a cron field", text)
	}
	return value, nil
}

func has(set uint64, value int) bool { return set&(1<<value) != 0 }

// next counts on the clock of after's zone: an hour that daylight saving skips does not come that day.
func (s sixFields) next(after time.Time) time.Time {
	at := after.Truncate(time.Second).Add(time.Second)
	for end := at.AddDate(5, 0, 0); at.Before(end); {
		switch {
		case !has(s.month, int(at.Month())):
			at = forward(at, time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, at.Location()))
		case !s.dayFits(at):
			at = forward(at, time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, at.Location()))
		case !has(s.hour, at.Hour()):
			at = nextHour(at)
		case !has(s.minute, at.Minute()):
			at = at.Add(time.Minute - time.Duration(at.Second())*time.Second)
		case !has(s.second, at.Second()):
			at = at.Add(time.Second)
		default:
			return at
		}
	}
	return time.Time{}
}

func nextHour(at time.Time) time.Time {
	return at.Add(time.Hour - time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second)
}

// forward is `to`, unless a clock change at midnight puts that before now.
func forward(now, to time.Time) time.Time {
	if to.After(now) {
		return to
	}
	return nextHour(now)
}

func (s sixFields) dayFits(at time.Time) bool {
	day, weekday := has(s.day, at.Day()), has(s.weekday, int(at.Weekday()))
	if s.anyDay {
		return day && weekday
	}
	return day || weekday
}
