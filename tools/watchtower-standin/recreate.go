package main

import (
	"errors"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// createBody is what makes the same container again with whatever its image name points to by now. What it only had
// from its old image is left out, so that the new image's own values count.
func (c *container) createBody() object {
	body := object{}
	for key, value := range c.Config {
		body[key] = value
	}
	image := c.image.Config
	for _, key := range []string{"WorkingDir", "User", "StopSignal", "Shell", "OnBuild"} {
		if reflect.DeepEqual(body[key], image[key]) {
			delete(body, key)
		}
	}
	if reflect.DeepEqual(body["Entrypoint"], image["Entrypoint"]) {
		delete(body, "Entrypoint")
		if reflect.DeepEqual(body["Cmd"], image["Cmd"]) {
			delete(body, "Cmd")
		}
	}
	for _, key := range []string{"Labels", "Volumes", "ExposedPorts", "Healthcheck"} {
		body[key] = without(body[key], image[key])
	}
	body["Env"] = withoutItems(body["Env"], image["Env"])
	host := c.HostConfig
	if ports, bound := host["PortBindings"].(object); bound {
		exposed := body["ExposedPorts"].(object)
		for port := range ports {
			exposed[port] = object{}
		}
	}
	if len(body["Healthcheck"].(object)) == 0 {
		delete(body, "Healthcheck")
	}
	mode, _ := host["NetworkMode"].(string)
	if uts, _ := host["UTSMode"].(string); uts != "" || strings.HasPrefix(mode, "container:") {
		delete(body, "Hostname")
	}
	if strings.HasPrefix(mode, "container:") {
		delete(body, "ExposedPorts")
	}
	body["HostConfig"] = host
	return body
}

// without keeps the entries of a mapping that the other one does not have alike.
func without(from, other any) object {
	kept, drop := object{}, asObject(other)
	for key, value := range asObject(from) {
		if same, there := drop[key]; !there || !reflect.DeepEqual(same, value) {
			kept[key] = value
		}
	}
	return kept
}

func asObject(value any) object {
	found, _ := value.(object)
	return found
}

func withoutItems(from, other any) []any {
	kept := []any{}
	list, _ := from.([]any)
	drop, _ := other.([]any)
	for _, item := range list {
		found := false
		for _, same := range drop {
			found = found || same == item
		}
		if !found {
			kept = append(kept, item)
		}
	}
	return kept
}

// endpoints are the networks to join, with what was asked of them and without what the engine chose (addresses, MAC).
func (c *container) endpoints() object {
	mode, _ := c.HostConfig["NetworkMode"].(string)
	joined := object{}
	if mode == "host" || mode == "none" || strings.HasPrefix(mode, "container:") {
		return joined
	}
	for name, settings := range c.NetworkSettings.Networks {
		endpoint := object{}
		for _, key := range []string{"IPAMConfig", "Links", "DriverOpts", "GwPriority"} {
			if settings[key] != nil {
				endpoint[key] = settings[key]
			}
		}
		aliases := []any{}
		list, _ := settings["Aliases"].([]any)
		for _, alias := range list {
			if text, _ := alias.(string); text != short(c.ID) { // older engines add the old container's id
				aliases = append(aliases, alias)
			}
		}
		if len(aliases) > 0 {
			endpoint["Aliases"] = aliases
		}
		joined[name] = endpoint
	}
	return joined
}

// fit says why this container could not be made again; asked before it is stopped.
func (c *container) fit() error {
	if c.unknown {
		return errors.New("no image info available")
	}
	if list, _ := c.HostConfig["Links"].([]any); len(list) > 0 {
		return errors.New("legacy links are not played by the stand-in")
	}
	return nil
}

// stopAndRemove ends the container with its own signal and patience, and takes it away.
func (w *watchtower) stopAndRemove(c *container) error {
	if c.State.Running {
		wait, _ := parseTimeout(w.given.text("timeout")) // checked when it was read
		if own, set := c.Config["StopTimeout"].(interface{ Int64() (int64, error) }); set {
			if seconds, err := own.Int64(); err == nil && seconds >= 0 {
				wait = time.Duration(seconds) * time.Second
			}
		}
		query := url.Values{"t": {strconv.Itoa(int(wait / time.Second))}}
		if signal := c.label(signalLabel); signal != "" {
			query.Set("signal", signal)
		}
		w.journal.say("info", "Stopping container", "container", c.Name, "id", short(c.ID))
		if err := w.engine.call("POST", "/containers/"+c.ID+"/stop", query, nil, nil, wait+callDeadline); err != nil {
			return err
		}
	}
	if auto, _ := c.HostConfig["AutoRemove"].(bool); auto {
		return w.untilGone(c.ID)
	}
	query := url.Values{"force": {"true"}, "v": {strconv.FormatBool(w.given.on("remove-volumes"))}}
	err := w.engine.call("DELETE", "/containers/"+c.ID, query, nil, nil, callDeadline)
	if notFound(err) {
		return nil
	}
	return err
}

func (w *watchtower) untilGone(id string) error {
	for end := time.Now().Add(callDeadline); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if err := w.engine.get("/containers/"+id+"/json", nil, nil); notFound(err) {
			return nil
		}
	}
	return errors.New("the engine did not remove it by itself")
}

// create makes the container again under its old name and starts it if the old one ran. Nothing is put back when that
// fails: Watchtower puts nothing back either.
func (w *watchtower) create(c *container) (string, error) {
	if mode, _ := c.HostConfig["NetworkMode"].(string); strings.HasPrefix(mode, "container:") {
		c.HostConfig["NetworkMode"] = "container:" + w.nameOf(strings.TrimPrefix(mode, "container:"))
	}
	body, joined := c.createBody(), c.endpoints()
	later := object{}
	if older(w.engine.version, "1.44") && len(joined) > 1 { // those take one network at creation
		main, _ := c.HostConfig["NetworkMode"].(string)
		if main == "default" {
			main = "bridge"
		}
		for name, endpoint := range joined {
			if name != main {
				later[name] = endpoint
				delete(joined, name)
			}
		}
	}
	body["NetworkingConfig"] = object{"EndpointsConfig": joined}
	var made struct{ ID string }
	if err := w.engine.post("/containers/create", url.Values{"name": {c.Name}}, body, &made); err != nil {
		return "", err
	}
	for name, endpoint := range later {
		connect := object{"Container": made.ID, "EndpointConfig": endpoint}
		if err := w.engine.post("/networks/"+url.PathEscape(name)+"/connect", nil, connect, nil); err != nil {
			return made.ID, err
		}
	}
	if w.given.on("no-restart") || !c.State.Running && !w.given.on("revive-stopped") {
		return made.ID, nil
	}
	if err := w.engine.post("/containers/"+made.ID+"/start", nil, nil, nil); err != nil {
		return made.ID, err
	}
	w.journal.say("info", "Started new container", "container", c.Name, "new_id", short(made.ID))
	return made.ID, nil
}

// nameOf turns the id of a container whose network is shared into its name: the id changes when that one is replaced.
func (w *watchtower) nameOf(reference string) string {
	for _, c := range w.seen {
		if c.ID == reference {
			return c.Name
		}
	}
	return reference
}

func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(12, len(id))]
}
