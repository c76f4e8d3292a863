package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

type watchtower struct {
	given    settings
	names    []string // containers named on the command line
	engine   *engine
	registry *registry
	journal  *journal
	notifier notifier
	seen     []*container // of this session
}

const healthDeadline = 5 * time.Minute // for one container of a rolling restart, as documented

// The stand-in's own: remove what is stale, then end before anything is made again.
const vanishVariable = "ZEROTOIL_STANDIN_VANISH"

var exit = os.Exit

// session looks at every watched container once, replaces what is stale, and reports.
func (w *watchtower) session() {
	w.journal.forget()
	containers, err := w.list()
	if err != nil {
		w.journal.say("error", "Failed to list containers", "error", err.Error())
		w.tell(nil)
		return
	}
	w.seen = containers
	watched := []*container{}
	for _, c := range containers {
		if c.watched(w.given, w.names) {
			watched = append(watched, c)
		}
	}
	needs := map[*container][]*container{}
	for _, c := range watched {
		needs[c] = c.dependencies(watched, w.given)
	}
	sorted := order(watched, needs)
	for _, c := range sorted {
		w.check(c)
	}
	w.replace(withDependents(sorted, needs, w.given))
	if w.given.on("cleanup") {
		w.cleanup(watched)
	}
	w.tell(watched)
}

// check finds out whether the container's image name points to something newer; its state afterwards is fresh, stale or
// skipped.
func (w *watchtower) check(c *container) {
	c.state, c.latest = fresh, c.Image
	if pinned(c.imageName()) {
		return
	}
	latest, err := w.newest(c)
	if err == nil && latest != c.Image {
		c.state, c.latest = stale, latest
		w.journal.say("info", "Found new image", "container", c.Name, "image", c.imageName(), "new_id", short(latest))
		if !c.monitorOnly(w.given) {
			err = c.fit()
		}
	}
	if err != nil {
		c.state, c.problem = skipped, err
		if !c.age {
			w.journal.say("warning", "Unable to update container", "container", c.Name, "error", err.Error())
		}
	}
}

// newest is the id of the image that the container's image name points to, after a pull where one is due and allowed.
func (w *watchtower) newest(c *container) (string, error) {
	if !c.noPull(w.given) {
		if gone, err := w.fetch(c); err != nil {
			return "", err
		} else if gone {
			return c.Image, nil
		}
	}
	var image imageInfo
	if err := w.engine.get("/images/"+c.imageName()+"/json", nil, &image); err != nil {
		return "", err
	}
	return image.ID, nil
}

// fetch pulls when the registry has another digest than the container's image and that one is old enough. An image that
// the registry no longer has is no failure: the container counts as up to date.
func (w *watchtower) fetch(c *container) (gone bool, err error) {
	image, err := parseImage(c.imageName())
	if err != nil {
		return false, err
	}
	login, err := loginFor(image.login)
	if err != nil {
		return false, err
	}
	digest, err := w.registry.digest(image, login)
	if err != nil {
		w.journal.say("debug", "Digest retrieval failed, falling back to full pull", "container", c.Name, "error", err.Error())
	}
	for _, known := range c.image.RepoDigests {
		if digest != "" && strings.HasSuffix(known, "@"+digest) {
			return false, nil
		}
	}
	if err := w.oldEnough(c, image, login); err != nil {
		return false, err
	}
	err = w.engine.pull(image, login.header(image.login))
	if notFound(err) {
		w.journal.say("debug", "Image not found in any registry - treating as up-to-date", "container", c.Name)
		return true, nil
	}
	return false, err
}

// oldEnough applies the cooldown: an image whose age cannot be found out is too young.
func (w *watchtower) oldEnough(c *container, image imageName, login credential) error {
	wait := c.cooldown(w.given)
	if wait <= 0 || c.monitorOnly(w.given) {
		return nil
	}
	created, err := w.registry.created(image, login)
	if err != nil {
		c.age = true
		w.journal.say("info", "Image creation time unavailable - deferring update", "container", c.Name, "image", c.imageName())
		return fmt.Errorf("could not determine image age (cooldown: %s): %w", wait, err)
	}
	if old := time.Since(created); old >= 0 && old <= wait {
		c.age = true
		w.journal.say("info", "Image is within cooldown period - deferring update", "container", c.Name,
			"image", c.imageName(), "eligible_in", (wait - old).Round(time.Second).String())
		return errors.New("image is within cooldown period")
	}
	return nil
}

// replace stops what needs others before those, and makes it again after them; all are down in between, unless the
// restart is rolling.
func (w *watchtower) replace(affected []*container) {
	if w.given.on("rolling-restart") {
		for _, c := range affected {
			if w.down(c) {
				w.vanish()
				if id := w.again(c); id != "" {
					w.untilHealthy(c.Name, id)
				}
			}
		}
		return
	}
	stopped := map[*container]bool{}
	for i := len(affected) - 1; i >= 0; i-- {
		stopped[affected[i]] = w.down(affected[i])
	}
	if len(affected) > 0 {
		w.vanish()
	}
	for _, c := range affected {
		if stopped[c] {
			w.again(c)
		}
	}
}

func (w *watchtower) vanish() {
	if os.Getenv(vanishVariable) == "1" {
		w.journal.say("fatal", "STAND-IN: ends here, as "+vanishVariable+" wants it; what was removed is not made again")
		exit(1)
	}
}

// down stops and removes the container; one that cannot be made again stays up.
func (w *watchtower) down(c *container) bool {
	err := c.fit()
	if err == nil {
		err = w.stopAndRemove(c)
	}
	if err != nil {
		w.fail(c, "Failed to stop container", err)
	}
	return err == nil
}

func (w *watchtower) again(c *container) string {
	id, err := w.create(c)
	if err != nil {
		w.fail(c, "Failed to create container", err)
		return ""
	}
	if c.state == stale {
		c.state = updated
	} else {
		c.state = restarted
	}
	return id
}

func (w *watchtower) fail(c *container, what string, err error) {
	c.state, c.problem = failed, err
	w.journal.say("error", what, "container", c.Name, "error", err.Error())
}

// untilHealthy waits for a container that has a health check; one that stays unhealthy is reported and holds up nothing.
func (w *watchtower) untilHealthy(name, id string) {
	status := ""
	for end := time.Now().Add(healthDeadline); time.Now().Before(end); time.Sleep(pause) {
		now, err := w.inspect(id)
		if err != nil || now.State.Health.Status == "" || now.State.Health.Status == "healthy" {
			return
		}
		if status = now.State.Health.Status; status == "unhealthy" {
			break
		}
	}
	w.journal.say("warning", "Failed to wait for container to become healthy", "container", name, "status", status)
}

var pause = time.Second // between two looks at a container's health

// cleanup removes the images that updated containers ran from, where no other container uses them.
func (w *watchtower) cleanup(watched []*container) {
	removed := map[string]bool{}
	for _, c := range watched {
		if c.state != updated || removed[c.Image] {
			continue
		}
		removed[c.Image] = true
		query := url.Values{"force": {"true"}}
		err := w.engine.call("DELETE", "/images/"+c.Image, query, nil, nil, callDeadline)
		if err == nil {
			w.journal.say("info", "Removing image", "image", c.imageName(), "image_id", short(c.Image))
		} else if !notFound(err) {
			w.journal.say("debug", "Failed to remove image", "image", c.imageName(), "error", err.Error())
		}
	}
}
