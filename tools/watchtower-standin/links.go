package main

import (
	"errors"
	"strings"
)

var errCycle = errors.New("circular dependency")

// dependencies are the watched containers that c needs, by the first of the documented sources that c has.
func (c *container) dependencies(watched []*container, given settings) []*container {
	needed := func(fits func(*container) bool) (found []*container) {
		for _, other := range watched {
			if other != c && fits(other) {
				found = append(found, other)
			}
		}
		return found
	}
	if names := c.label(linksLabel); names != "" {
		wanted := strings.Split(names, ",")
		return needed(func(other *container) bool { return other.named(wanted) })
	}
	if services := c.label(composeLinks); services != "" && given.on("use-compose-depends-on") {
		wanted := []string{}
		for _, entry := range strings.Split(services, ",") { // service:condition:restart
			service, _, _ := strings.Cut(entry, ":")
			wanted = append(wanted, service)
		}
		return needed(func(other *container) bool {
			return other.label(composeProject) == c.label(composeProject) && contains(wanted, other.label(composeService))
		})
	}
	if mode, _ := c.HostConfig["NetworkMode"].(string); strings.HasPrefix(mode, "container:") {
		other := strings.TrimPrefix(mode, "container:")
		return needed(func(one *container) bool { return one.ID == other || one.Name == strings.TrimPrefix(other, "/") })
	}
	return nil
}

// named: a container's name, a Compose service, or a service with its project before it.
func (c *container) named(wanted []string) bool {
	service, project := c.label(composeService), c.label(composeProject)
	for _, name := range wanted {
		name = strings.TrimPrefix(strings.TrimSpace(name), "/")
		if name == c.Name || service != "" && (name == service || name == project+"-"+service) {
			return true
		}
	}
	return false
}

func contains(list []string, wanted string) bool {
	for _, entry := range list {
		if entry == wanted && wanted != "" {
			return true
		}
	}
	return false
}

// order puts what is needed before what needs it; containers in a cycle are marked skipped and left out.
func order(watched []*container, needs map[*container][]*container) []*container {
	const visiting, done = 1, 2
	mark, sorted := map[*container]int{}, []*container{}
	var visit func(c *container, path []*container)
	visit = func(c *container, path []*container) {
		if mark[c] == done {
			return
		}
		path = append(path, c)
		if mark[c] == visiting {
			for i := len(path) - 2; i >= 0; i-- {
				path[i].state, path[i].problem = skipped, errCycle
				if path[i] == c {
					break
				}
			}
			return
		}
		mark[c] = visiting
		for _, other := range needs[c] {
			visit(other, path)
		}
		mark[c] = done
		sorted = append(sorted, c)
	}
	for _, c := range watched {
		visit(c, nil)
	}
	kept := sorted[:0]
	for _, c := range sorted {
		if c.problem != errCycle {
			kept = append(kept, c)
		}
	}
	return kept
}

// withDependents returns what is to be replaced, and marks what depends on that, directly or not: it is restarted
// without a new image.
func withDependents(sorted []*container, needs map[*container][]*container, given settings) (affected []*container) {
	in := map[*container]bool{}
	for _, c := range sorted { // what is needed comes first
		if c.state == stale && !c.monitorOnly(given) {
			in[c] = true
		}
		for _, other := range needs[c] {
			if in[other] && !in[c] && !c.monitorOnly(given) {
				in[c] = true
				c.state = linked
			}
		}
		if in[c] {
			affected = append(affected, c)
		}
	}
	return affected
}
