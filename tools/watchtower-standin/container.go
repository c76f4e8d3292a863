package main

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"time"
)

const (
	labels       = "com.centurylinklabs.watchtower"
	enableLabel  = labels + ".enable"
	scopeLabel   = labels + ".scope"
	monitorLabel = labels + ".monitor-only"
	noPullLabel  = labels + ".no-pull"
	ageLabel     = labels + ".cooldown-delay"
	linksLabel   = labels + ".depends-on"
	signalLabel  = labels + ".stop-signal"

	composeLinks   = "com.docker.compose.depends_on"
	composeProject = "com.docker.compose.project"
	composeService = "com.docker.compose.service"
)

type object = map[string]any

// A container as the engine inspects it. Config and HostConfig stay as they came, so that nothing in them is lost.
type container struct {
	ID, Name, Image string
	State           struct {
		Running bool
		Health  struct{ Status string }
	}
	Config, HostConfig object
	NetworkSettings    struct{ Networks map[string]object }

	image   imageInfo // the one it was made from
	unknown bool      // that image is gone

	state   state
	latest  string // id of the newest image, when it was found out
	problem error
	age     bool // the problem is that the newest image is too young
}

type imageInfo struct {
	ID          string `json:"Id"`
	RepoDigests []string
	Config      object
}

// list returns the containers of the wanted states, inspected, by name.
func (w *watchtower) list() ([]*container, error) {
	wanted := []string{"running"}
	if w.given.on("include-stopped") {
		wanted = append(wanted, "created", "exited")
	}
	if w.given.on("include-restarting") {
		wanted = append(wanted, "restarting")
	}
	filter, _ := json.Marshal(map[string][]string{"status": wanted})
	var short []struct{ ID string }
	if err := w.engine.get("/containers/json", url.Values{"filters": {string(filter)}}, &short); err != nil {
		return nil, err
	}
	found := []*container{}
	for _, entry := range short {
		one, err := w.inspect(entry.ID)
		if notFound(err) {
			continue // gone since the list was made
		} else if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}

func (w *watchtower) inspect(id string) (*container, error) {
	one := &container{}
	if err := w.engine.get("/containers/"+id+"/json", nil, one); err != nil {
		return nil, err
	}
	one.Name = strings.TrimPrefix(one.Name, "/")
	err := w.engine.get("/images/"+one.Image+"/json", nil, &one.image)
	if one.unknown = notFound(err); one.unknown {
		err = nil
	}
	return one, err
}

func (c *container) imageName() string {
	name, _ := c.Config["Image"].(string)
	return name
}

func (c *container) label(name string) string {
	value, _ := asObject(c.Config["Labels"])[name].(string)
	return value
}

// flag is the documented rule for monitor-only and no-pull: label or option; with label-take-precedence the label's
// word counts where there is one.
func (c *container) flag(option, label string, given settings) bool {
	value := c.label(label)
	if value != "" && given.on("label-take-precedence") {
		return value == "true"
	}
	return value == "true" || given.on(option)
}

func (c *container) monitorOnly(given settings) bool {
	return c.flag("monitor-only", monitorLabel, given)
}
func (c *container) noPull(given settings) bool { return c.flag("no-pull", noPullLabel, given) }

// cooldown is the label's age, or the option's where the label has none that can be read.
func (c *container) cooldown(given settings) time.Duration {
	if value := c.label(ageLabel); value != "" {
		if wait, err := parseAge(value); err == nil {
			return wait
		}
	}
	wait, _ := parseAge(given.text("cooldown-delay")) // checked when it was read
	return wait
}

// isWatchtower: itself, or another instance. The stand-in never updates one.
func (c *container) isWatchtower() bool { return c.label(labels) == "true" }

// watched applies the documented chain of filters.
func (c *container) watched(given settings, names []string) bool {
	enabled, scope, wanted := c.label(enableLabel), c.label(scopeLabel), given.text("scope")
	if scope == "" {
		scope = "none"
	}
	if wanted == "" {
		wanted = "none" // docs/getting-started/container-selection: an unscoped instance leaves scoped containers alone
	}
	switch {
	case c.isWatchtower(), enabled == "false", scope != wanted:
		return false
	case given.on("label-enable") && enabled != "true":
		return false
	case matches(c.Name, given.list("disable-containers")):
		return false
	}
	return len(names) == 0 || matches(c.Name, names)
}

// matches: patterns are Go regular expressions for the whole name.
func matches(name string, patterns []string) bool {
	for _, pattern := range patterns {
		pattern = strings.TrimPrefix(pattern, "/")
		if pattern == name {
			return true
		}
		if whole, err := regexp.Compile("^(?:" + pattern + ")$"); err == nil && whole.MatchString(name) {
			return true
		}
	}
	return false
}
