package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// A reference such as 192.168.177.1:5443/app:1 in its parts.
type imageName struct {
	familiar string // without the tag, as written
	host     string // where the registry's API is
	login    string // its key in config.json
	path     string // of the repository, in the registry
	tag      string
}

const hub, hubAPI, hubLogin = "docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"

// parseImage reads a name without a digest.
func parseImage(name string) (imageName, error) {
	image := imageName{familiar: name, tag: "latest"}
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		image.familiar, image.tag = name[:colon], name[colon+1:]
	}
	first, rest, found := strings.Cut(image.familiar, "/")
	if found && (strings.ContainsAny(first, ".:") || first == "localhost") {
		image.host, image.path = first, rest
	} else {
		image.host, image.path = hub, image.familiar
	}
	if image.path == "" || image.tag == "" {
		return image, errors.New("not an image's name: " + name)
	}
	image.login = image.host
	if image.host == hub {
		image.host, image.login = hubAPI, hubLogin
		if !strings.Contains(image.path, "/") {
			image.path = "library/" + image.path
		}
	}
	return image, nil
}

// pinned tells whether the name is a digest, which never has a newer image.
func pinned(name string) bool {
	return strings.HasPrefix(name, "sha256:") || strings.Contains(name, "@sha256:")
}

type credential struct{ user, password string }

// header is the form that the engine wants a login in.
func (c credential) header(registry string) string {
	if c.user == "" {
		return ""
	}
	text, _ := json.Marshal(map[string]string{"username": c.user, "password": c.password, "serveraddress": registry})
	return base64.URLEncoding.EncodeToString(text)
}

// loginFor reads Docker's config.json in DOCKER_CONFIG (default: /). No file, or no entry: no login.
func loginFor(registry string) (credential, error) {
	folder := os.Getenv("DOCKER_CONFIG")
	if folder == "" {
		folder = "/"
	}
	content, err := os.ReadFile(filepath.Join(folder, "config.json"))
	if errors.Is(err, os.ErrNotExist) {
		return credential{}, nil
	} else if err != nil {
		return credential{}, err
	}
	var config struct {
		Auths       map[string]struct{ Auth, Username, Password string }
		CredsStore  string
		CredHelpers map[string]string
	}
	if err := json.Unmarshal(content, &config); err != nil {
		return credential{}, errors.New("config.json is not JSON")
	}
	if config.CredsStore != "" || config.CredHelpers[registry] != "" {
		return credential{}, errors.New("config.json names a credential helper, which the stand-in does not play")
	}
	for name, entry := range config.Auths {
		if name != registry && strings.TrimSuffix(strings.TrimPrefix(name, "https://"), "/") != registry {
			continue
		}
		if entry.Auth == "" {
			return credential{entry.Username, entry.Password}, nil
		}
		plain, err := base64.StdEncoding.DecodeString(entry.Auth)
		user, password, found := strings.Cut(string(plain), ":")
		if err != nil || !found {
			return credential{}, errors.New("config.json: auth of " + registry + " is not user:password in base64")
		}
		return credential{user, password}, nil
	}
	return credential{}, nil
}
