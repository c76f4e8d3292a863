package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An engine on a unix socket and a registry over TLS, as far as the stand-in talks to them. Containers get their image's
// values merged in when they are made, as with the real engine.
type world struct {
	t          *testing.T
	host       string            // of the registry
	remote     map[string]object // tag -> image config in the registry
	local      map[string]object // image id -> image config at the engine
	tags       map[string]string // image name -> image id at the engine
	containers []object
	calls      []string // writes, in their order
	logins     []string // X-Registry-Auth of each pull
	password   string   // the registry asks for user:password
	bearer     bool     // and wants a token for it
	failCreate string   // name that cannot be created
	api        string
	made       int
	watchtower *watchtower
}

func digestOf(value any) string {
	text, _ := json.Marshal(value)
	return fmt.Sprintf("sha256:%x", sha256.Sum256(text))
}

func newWorld(t *testing.T, given settings) *world {
	w := &world{t: t, remote: map[string]object{}, local: map[string]object{}, tags: map[string]string{}, api: "1.45"}
	registryServer := httptest.NewTLSServer(http.HandlerFunc(w.registry))
	t.Cleanup(registryServer.Close)
	w.host = strings.TrimPrefix(registryServer.URL, "https://")
	path := filepath.Join(t.TempDir(), "docker.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(w.engine))
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	engine, err := newEngine("unix://" + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	w.watchtower = &watchtower{given: given, engine: engine, journal: &journal{out: io.Discard}, registry: &registry{registryServer.Client()}}
	if _, err := engine.negotiate(); err != nil {
		t.Fatal(err)
	}
	return w
}

func imageConfig(version string) object {
	return object{"created": "2020-01-01T00:00:00Z", "config": object{
		"Env": []any{"PATH=/", "VERSION=" + version}, "Entrypoint": []any{"/app"}, "Labels": object{"version": version},
		"ExposedPorts": object{"80/tcp": object{}}, "WorkingDir": "/" + version,
		"Healthcheck": object{"Test": []any{"CMD", "/app", version}},
	}}
}

// push puts a version behind the tag; pull takes what the registry has to the engine.
func (w *world) push(tag, version string) { w.remote[tag] = imageConfig(version) }

func (w *world) pull(tag string) string {
	image := w.remote[tag]
	id := digestOf(image)
	w.local[id], w.tags[w.host+"/"+tag] = image, id
	return id
}

// run makes a running container of an image that the engine has.
func (w *world) run(name, tag string, extra object) object {
	body := object{"Image": w.host + "/" + tag, "HostConfig": object{"NetworkMode": "app_default"}, "Labels": object{},
		"NetworkingConfig": object{"EndpointsConfig": object{"app_default": object{"Aliases": []any{name}}}}}
	for key, value := range extra {
		body[key] = value
	}
	made := w.create(name, body)
	made["State"] = object{"Running": true, "Status": "running"}
	w.calls = nil
	return made
}

func labelled(labels ...string) object {
	all := object{}
	for i := 0; i+1 < len(labels); i += 2 {
		all[labels[i]] = labels[i+1]
	}
	return object{"Labels": all}
}

func (w *world) create(name string, body object) object {
	body = copied(body)
	w.made++
	id := fmt.Sprintf("%012d%052d", w.made, 0)
	image := w.tags[body["Image"].(string)]
	for key, value := range copied(asObject(w.local[image]["config"])) {
		switch merged := value.(type) {
		case []any:
			if key == "Env" {
				kept, _ := body[key].([]any)
				body[key] = append(merged, kept...)
			} else if body[key] == nil {
				body[key] = value
			}
		case object:
			for name, one := range asObject(body[key]) {
				merged[name] = one
			}
			body[key] = merged
		default:
			if body[key] == nil {
				body[key] = value
			}
		}
	}
	networks := asObject(asObject(body["NetworkingConfig"])["EndpointsConfig"])
	for _, endpoint := range networks {
		asObject(endpoint)["IPAddress"], asObject(endpoint)["MacAddress"] = "172.18.0.2", "02:42:ac:12:00:02"
	}
	host := body["HostConfig"]
	delete(body, "NetworkingConfig")
	delete(body, "HostConfig")
	if body["Hostname"] == nil {
		body["Hostname"] = id[:12]
	}
	made := object{"Id": id, "Name": "/" + name, "Image": image, "Config": body, "HostConfig": host,
		"NetworkSettings": object{"Networks": networks}, "State": object{"Running": false, "Status": "created"}}
	w.containers = append(w.containers, made)
	return made
}

func copied(value object) object {
	text, _ := json.Marshal(value)
	into := object{}
	json.Unmarshal(text, &into)
	return into
}

func (w *world) find(reference string) object {
	for _, c := range w.containers {
		if c["Id"] == reference || c["Name"] == "/"+reference {
			return c
		}
	}
	return nil
}

func (w *world) engine(answer http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v"+min(w.api, newestAPI))
	say := func(status int, body any) {
		answer.WriteHeader(status)
		json.NewEncoder(answer).Encode(body)
	}
	refuse := func(status int, message string) { say(status, object{"message": message}) }
	part := strings.Split(strings.Trim(path, "/"), "/")
	last := part[len(part)-1]
	if r.Method != http.MethodGet && last != "create" || path == "/containers/create" {
		name := ""
		if c := w.find(part[1]); c != nil {
			name = c["Name"].(string)
		}
		w.calls = append(w.calls, strings.TrimSpace(r.Method+" "+last[:min(7, len(last))]+" "+name))
	}
	switch {
	case path == "/version":
		say(200, object{"Version": "26.1.5", "ApiVersion": w.api, "MinAPIVersion": "1.24"})
	case path == "/containers/json":
		var filter map[string][]string
		json.Unmarshal([]byte(r.URL.Query().Get("filters")), &filter)
		found := []object{}
		for _, c := range w.containers {
			if contains(filter["status"], asObject(c["State"])["Status"].(string)) {
				found = append(found, c)
			}
		}
		say(200, found)
	case path == "/images/create":
		w.logins = append(w.logins, r.Header.Get("X-Registry-Auth"))
		tag := strings.TrimPrefix(r.URL.Query().Get("fromImage"), w.host+"/") + ":" + r.URL.Query().Get("tag")
		if w.remote[tag] == nil {
			refuse(404, "manifest unknown")
			return
		}
		w.calls = append(w.calls, "pull "+tag)
		w.pull(tag)
		io.WriteString(answer, `{"status":"Pulling"}`+"\n"+`{"status":"Done"}`+"\n")
	case part[0] == "images":
		w.images(answer, r, strings.TrimSuffix(strings.TrimPrefix(path, "/images/"), "/json"), say, refuse)
	case path == "/containers/create":
		var body object
		decode(r.Body, &body)
		name := r.URL.Query().Get("name")
		if name == w.failCreate {
			refuse(500, "no space left on device")
		} else if w.find(name) != nil {
			refuse(409, "name in use")
		} else {
			say(201, object{"Id": w.create(name, body)["Id"]})
		}
	case part[0] == "networks":
		say(200, object{})
	default:
		w.oneContainer(r, part[1], last, say, refuse)
	}
}

func (w *world) images(_ http.ResponseWriter, r *http.Request, reference string, say func(int, any), refuse func(int, string)) {
	id := w.tags[reference]
	if id == "" {
		id = reference
	}
	switch image := w.local[id]; {
	case image == nil:
		refuse(404, "no such image")
	case r.Method == http.MethodDelete:
		for _, c := range w.containers {
			if c["Image"] == id {
				refuse(409, "image is being used")
				return
			}
		}
		delete(w.local, id)
		say(200, []any{})
	default:
		say(200, object{"Id": id, "Config": image["config"], "RepoDigests": []string{"x/app@" + manifestDigest(id)}})
	}
}

func (w *world) oneContainer(r *http.Request, reference, verb string, say func(int, any), refuse func(int, string)) {
	c := w.find(reference)
	switch {
	case c == nil:
		refuse(404, "no such container")
	case r.Method == http.MethodDelete:
		kept := []object{}
		for _, other := range w.containers {
			if other["Id"] != c["Id"] {
				kept = append(kept, other)
			}
		}
		w.containers = kept
		say(204, nil)
	case verb == "stop":
		c["State"] = object{"Running": false, "Status": "exited"}
		say(204, nil)
	case verb == "start":
		c["State"] = object{"Running": true, "Status": "running"}
		say(204, nil)
	default:
		say(200, c)
	}
}

func manifestDigest(imageID string) string { return digestOf("manifest of " + imageID) }

func (w *world) registry(answer http.ResponseWriter, r *http.Request) {
	user, password, basic := r.BasicAuth()
	right := w.password == "" || basic && user+":"+password == w.password
	if r.URL.Path == "/token" {
		if !right {
			answer.WriteHeader(401)
			return
		}
		json.NewEncoder(answer).Encode(object{"token": "for-" + r.URL.Query().Get("scope")})
		return
	}
	if w.bearer {
		right = r.Header.Get("Authorization") == "Bearer for-pull"
	}
	if !right {
		challenge := `Basic realm="lab"`
		if w.bearer {
			challenge = fmt.Sprintf(`Bearer realm="https://%s/token",service="lab",scope="pull"`, w.host)
		}
		answer.Header().Set("WWW-Authenticate", challenge)
		answer.WriteHeader(401)
		return
	}
	part := strings.Split(r.URL.Path, "/") // "", v2, NAME, manifests, TAG
	for tag, image := range w.remote {
		id := digestOf(image)
		switch {
		case part[3] == "manifests" && part[2]+":"+part[4] == tag:
			answer.Header().Set("Docker-Content-Digest", manifestDigest(id))
			json.NewEncoder(answer).Encode(object{"manifests": []any{
				object{"digest": "other", "platform": object{"os": "linux", "architecture": "s390x"}},
				object{"digest": id + "-m", "platform": object{"os": "linux", "architecture": "amd64"}},
			}})
			return
		case part[3] == "manifests" && part[4] == id+"-m":
			json.NewEncoder(answer).Encode(object{"config": object{"digest": id}})
			return
		case part[3] == "blobs" && part[4] == id:
			json.NewEncoder(answer).Encode(image)
			return
		}
	}
	answer.WriteHeader(404)
}

// inbox receives notifications over HTTP.
type inbox struct {
	server  *httptest.Server
	arrived []object
}

func newInbox(t *testing.T) *inbox {
	box := &inbox{}
	box.server = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		box.arrived = append(box.arrived, object{"path": r.URL.RequestURI(), "body": string(body),
			"authorization": r.Header.Get("Authorization"), "type": r.Header.Get("Content-Type")})
		answer.WriteHeader(201)
	}))
	t.Cleanup(box.server.Close)
	return box
}

func (b *inbox) host() string { return strings.TrimPrefix(b.server.URL, "http://") }

func at(t *testing.T, zone, text string) time.Time {
	place, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	when, err := time.ParseInLocation("2006-01-02 15:04:05", text, place)
	if err != nil {
		t.Fatal(err)
	}
	return when
}
