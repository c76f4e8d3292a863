package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The Docker Engine API, spoken over a unix socket. Source: docs.docker.com/reference/api/engine.
type engine struct {
	client  *http.Client
	version string // of the API, such as 1.45; empty until negotiated
}

// The versions that Watchtower's own client speaks (moby client v0.5.1).
const oldestAPI, newestAPI = "1.40", "1.55"

const (
	callDeadline = time.Minute
	pullDeadline = 15 * time.Minute
	socket       = "unix:///var/run/docker.sock"
)

// An answer of the engine that is not the one wanted.
type engineError struct {
	status  int
	message string
}

func (e *engineError) Error() string { return e.message }

func notFound(err error) bool {
	var answer *engineError
	return errors.As(err, &answer) && answer.status == http.StatusNotFound
}

// newEngine takes DOCKER_HOST's form; Watchtower's default is Docker's own socket.
func newEngine(host string) (*engine, error) {
	if host == "" {
		host = socket
	}
	path, local := strings.CutPrefix(host, "unix://")
	if !local {
		return nil, fmt.Errorf("DOCKER_HOST %s: the stand-in speaks to unix:// sockets only", host)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return &engine{client: &http.Client{Transport: &http.Transport{DialContext: dial}}}, nil
}

// negotiate settles on the newest API version that both sides speak and returns the engine's own version.
func (e *engine) negotiate() (string, error) {
	var about struct{ Version, ApiVersion, MinAPIVersion string }
	if err := e.get("/version", nil, &about); err != nil {
		return "", err
	}
	version := newestAPI
	if older(about.ApiVersion, newestAPI) {
		version = about.ApiVersion
	}
	if older(version, oldestAPI) || about.MinAPIVersion != "" && older(version, about.MinAPIVersion) {
		return "", fmt.Errorf("Docker %s speaks API %s to %s, Watchtower %s to %s", about.Version, about.MinAPIVersion,
			about.ApiVersion, oldestAPI, newestAPI)
	}
	e.version = version
	return about.Version, nil
}

// older compares API versions such as 1.9 and 1.40.
func older(version, than string) bool {
	a, _ := strconv.Atoi(version[strings.Index(version, ".")+1:])
	b, _ := strconv.Atoi(than[strings.Index(than, ".")+1:])
	return a < b
}

func (e *engine) get(path string, query url.Values, into any) error {
	return e.call(http.MethodGet, path, query, nil, into, callDeadline)
}

func (e *engine) post(path string, query url.Values, body, into any) error {
	return e.call(http.MethodPost, path, query, body, into, callDeadline)
}

// call makes one request; the answer is decoded into `into` where that is not nil.
func (e *engine) call(method, path string, query url.Values, body, into any, deadline time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	answer, err := e.request(ctx, method, path, query, body, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if into == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	return decode(answer.Body, into)
}

// decode keeps numbers as they were written: a container's limits are 64 bits wide.
func decode(from io.Reader, into any) error {
	decoder := json.NewDecoder(from)
	decoder.UseNumber()
	return decoder.Decode(into)
}

func (e *engine) request(ctx context.Context, method, path string, query url.Values, body any, header http.Header) (
	*http.Response, error) {
	if e.version != "" {
		path = "/v" + e.version + path
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://docker"+path, content)
	if err != nil {
		return nil, err
	}
	if header != nil {
		request.Header = header
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := e.client.Do(request)
	if err != nil {
		return nil, reason(err)
	}
	if answer.StatusCode >= 400 {
		defer answer.Body.Close()
		var told struct{ Message string }
		if decode(answer.Body, &told) != nil || told.Message == "" {
			told.Message = fmt.Sprintf("%s %s: %s", method, path, answer.Status)
		}
		return nil, &engineError{answer.StatusCode, strings.TrimSpace(told.Message)}
	}
	return answer, nil
}

// reason is the error without the URL that net/http puts before it: a URL may hold a secret.
func reason(err error) error {
	var where *url.Error
	if errors.As(err, &where) {
		return where.Err
	}
	return err
}

// pull fetches an image by its name and tag. The engine reports failures inside its stream.
func (e *engine) pull(image imageName, login string) error {
	ctx, cancel := context.WithTimeout(context.Background(), pullDeadline)
	defer cancel()
	header := http.Header{}
	if login != "" {
		header.Set("X-Registry-Auth", login)
	}
	query := url.Values{"fromImage": {image.familiar}, "tag": {image.tag}}
	answer, err := e.request(ctx, http.MethodPost, "/images/create", query, nil, header)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	for stream := json.NewDecoder(answer.Body); ; {
		var event struct{ Error string }
		if err := stream.Decode(&event); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if event.Error != "" {
			return errors.New(event.Error)
		}
	}
}
