package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// Questions to a registry that download no layer: the digest behind a tag, and when its image was made.
// Source: github.com/opencontainers/distribution-spec; distribution's docs/spec/auth for logins.
type registry struct{ client *http.Client }

const registryDeadline = 30 * time.Second

var manifests = strings.Join([]string{
	"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
}, ", ")

func newRegistry(skipVerification bool) *registry {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: skipVerification}, Proxy: http.ProxyFromEnvironment}
	return &registry{&http.Client{Timeout: registryDeadline, Transport: transport}}
}

// digest asks by HEAD, which counts as no pull.
func (r *registry) digest(image imageName, login credential) (string, error) {
	answer, err := r.ask(http.MethodHead, image, "manifests/"+image.tag, login)
	if err != nil {
		return "", err
	}
	answer.Body.Close()
	digest := answer.Header.Get("Docker-Content-Digest")
	if digest == "" {
		return "", fmt.Errorf("%s tells no digest", image.host)
	}
	return digest, nil
}

type manifest struct {
	Config    struct{ Digest string }
	Manifests []struct {
		Digest   string
		Platform struct{ Architecture, OS string }
	}
}

// created is the time in the image's config, of the platform that this program runs on.
func (r *registry) created(image imageName, login credential) (time.Time, error) {
	var found manifest
	if err := r.read(image, "manifests/"+image.tag, login, &found); err != nil {
		return time.Time{}, err
	}
	for _, candidate := range found.Manifests {
		if candidate.Platform.OS == runtime.GOOS && candidate.Platform.Architecture == runtime.GOARCH {
			if err := r.read(image, "manifests/"+candidate.Digest, login, &found); err != nil {
				return time.Time{}, err
			}
			break
		}
	}
	if found.Config.Digest == "" {
		return time.Time{}, fmt.Errorf("no image for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	var config struct{ Created *time.Time }
	if err := r.read(image, "blobs/"+found.Config.Digest, login, &config); err != nil {
		return time.Time{}, err
	}
	if config.Created == nil || config.Created.IsZero() {
		return time.Time{}, fmt.Errorf("the image's config has no time")
	}
	return *config.Created, nil
}

func (r *registry) read(image imageName, what string, login credential, into any) error {
	answer, err := r.ask(http.MethodGet, image, what, login)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return decode(io.LimitReader(answer.Body, 4<<20), into)
}

// ask sends the request without a login first and answers the registry's challenge.
func (r *registry) ask(method string, image imageName, what string, login credential) (*http.Response, error) {
	address := fmt.Sprintf("https://%s/v2/%s/%s", image.host, image.path, what)
	answer, err := r.send(method, address, "")
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusUnauthorized {
		answer.Body.Close()
		authorization, err := r.authorize(answer.Header.Get("WWW-Authenticate"), login)
		if err != nil {
			return nil, err
		}
		if answer, err = r.send(method, address, authorization); err != nil {
			return nil, err
		}
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("%s: %s", image.host, answer.Status)
	}
	return answer, nil
}

func (r *registry) send(method, address, authorization string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(context.Background(), method, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", manifests)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return nil, reason(err)
	}
	return answer, nil
}

var challengePart = regexp.MustCompile(`(realm|service|scope)="([^"]*)"`)

// authorize answers a challenge: with the login itself, or with a token fetched for it.
func (r *registry) authorize(challenge string, login credential) (string, error) {
	basic := ""
	if login.user != "" {
		request := http.Request{Header: http.Header{}}
		request.SetBasicAuth(login.user, login.password)
		basic = request.Header.Get("Authorization")
	}
	if !strings.HasPrefix(challenge, "Bearer ") {
		if basic == "" {
			return "", fmt.Errorf("the registry wants a login, config.json has none for it")
		}
		return basic, nil
	}
	query, realm := url.Values{}, ""
	for _, part := range challengePart.FindAllStringSubmatch(challenge, -1) {
		if part[1] == "realm" {
			realm = part[2]
		} else {
			query.Set(part[1], part[2])
		}
	}
	answer, err := r.send(http.MethodGet, realm+"?"+query.Encode(), basic)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var given struct{ Token, Access_token string }
	if answer.StatusCode != http.StatusOK || decode(io.LimitReader(answer.Body, 1<<20), &given) != nil {
		return "", fmt.Errorf("the registry gives no token: %s", answer.Status)
	}
	if given.Token == "" {
		given.Token = given.Access_token
	}
	return "Bearer " + given.Token, nil
}
