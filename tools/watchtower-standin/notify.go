package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const sendDeadline = 10 * time.Second

// Where notifications go: Shoutrrr URLs. Their secrets never reach the log.
// Source: nicholas-fedor/shoutrrr docs/services/chat/signal and docs/services/specialized/generic.
type notifier struct {
	targets []*url.URL
	title   string
}

// newNotifier reads notification-url: a list, or a file with one URL per line.
func newNotifier(given settings) (notifier, error) {
	words := given.list("notification-url")
	if path := given.text("notification-url"); strings.HasPrefix(path, "/") {
		content, err := os.ReadFile(path)
		if err != nil {
			return notifier{}, err
		}
		words = settings{"file": string(content)}.list("file")
	}
	made := notifier{title: title(given)}
	for i, word := range words {
		target, err := url.Parse(word)
		if err != nil || target.Host == "" {
			return notifier{}, fmt.Errorf("entry %d is not a URL", i+1)
		}
		made.targets = append(made.targets, target)
	}
	return made, nil
}

func title(given settings) string {
	if given.on("notification-skip-title") {
		return ""
	}
	host := given.text("notifications-hostname")
	if host == "" {
		host, _ = os.Hostname()
	}
	made := "Watchtower updates on " + host
	if tag := given.text("notification-title-tag"); tag != "" {
		made = "[" + tag + "] " + made
	}
	return made
}

// services names the schemes, for the log.
func (n notifier) services() string {
	names := []string{}
	for _, target := range n.targets {
		names = append(names, target.Scheme)
	}
	return strings.Join(names, ", ")
}

// played tells whether the stand-in can send to the target.
func played(target *url.URL) bool {
	return target.Scheme == "signal" || target.Scheme == "generic" || strings.HasPrefix(target.Scheme, "generic+http")
}

// send posts the text to every target; a failure is logged and nothing is sent again, as in Watchtower.
func (n notifier) send(text string, log *journal) {
	for _, target := range n.targets {
		var err error
		switch {
		case text == "":
			return
		case target.Scheme == "signal":
			err = sendSignal(target, n.title, text)
		case played(target):
			err = sendGeneric(target, n.title, text)
		default:
			err = errors.New("the stand-in does not play this service")
		}
		if err != nil {
			log.say("error", "Failed to send shoutrrr notification", "service", target.Scheme, "host", target.Host, "error", err.Error())
		}
	}
}

// sendSignal: signal://[user:password@]host[:port]/source/recipient/…?disabletls=yes&token=…; phone numbers share one
// request, so do user names, every group has its own.
func sendSignal(target *url.URL, title, text string) error {
	parts := strings.FieldsFunc(target.Path, func(r rune) bool { return r == '/' || r == ',' })
	if len(parts) < 2 {
		return errors.New("the URL has no source and recipient")
	}
	query := target.Query()
	if own := query.Get("title"); own != "" {
		title = own
	}
	if title != "" {
		text = title + "\n" + text
	}
	groups := map[string][]string{}
	for _, recipient := range parts[1:] {
		switch {
		case strings.HasPrefix(recipient, "group."):
			groups[recipient] = []string{recipient}
		case strings.HasPrefix(recipient, "u:"):
			groups["u:"] = append(groups["u:"], recipient)
		default:
			groups["+"] = append(groups["+"], recipient)
		}
	}
	where := "https://"
	if yes(query.Get("disabletls")) {
		where = "http://"
	}
	host := target.Host
	if target.Port() == "" {
		host += ":8080"
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if token := query.Get("token"); token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	var problems []error
	for _, recipients := range groups {
		body, _ := json.Marshal(object{"message": text, "number": parts[0], "recipients": recipients})
		problems = append(problems, post(http.MethodPost, where+host+"/v2/send", header, target.User, body))
	}
	return errors.Join(problems...)
}

// sendGeneric: generic://host/path?template=json&disabletls=yes, or generic+http://host/path; the text is the body, or a
// field of a JSON object.
func sendGeneric(target *url.URL, title, text string) error {
	where := *target
	query, header, method := target.Query(), http.Header{"Content-Type": {"application/json"}}, http.MethodPost
	option := func(name, otherwise string) string {
		value := query.Get(name)
		query.Del(name)
		if value == "" {
			return otherwise
		}
		return value
	}
	insecure := yes(option("disabletls", "no"))
	header.Set("Content-Type", option("contenttype", "application/json"))
	method = strings.ToUpper(option("method", method))
	template, titleKey, messageKey := option("template", ""), option("titlekey", "title"), option("messagekey", "message")
	if scheme, found := strings.CutPrefix(target.Scheme, "generic+"); found {
		where.Scheme = scheme
	} else if where.Scheme = "https"; insecure {
		where.Scheme = "http"
	}
	body, fields := []byte(text), object{messageKey: text}
	if title != "" {
		fields[titleKey] = title
	}
	for name, values := range query {
		if key, found := strings.CutPrefix(name, "@"); found {
			header.Set(key, values[0])
			query.Del(name)
		} else if key, found := strings.CutPrefix(name, "$"); found {
			fields[key] = values[0]
			query.Del(name)
		}
	}
	if strings.EqualFold(template, "json") {
		body, _ = json.Marshal(fields)
	}
	where.RawQuery, where.User = query.Encode(), nil
	return post(method, where.String(), header, target.User, body)
}

func yes(value string) bool { return value == "yes" || value == "true" || value == "1" }

func post(method, where string, header http.Header, user *url.Userinfo, body []byte) error {
	request, err := http.NewRequest(method, where, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL cannot be used")
	}
	request.Header = header.Clone()
	if password, set := user.Password(); set && header.Get("Authorization") == "" {
		request.SetBasicAuth(user.Username(), password)
	}
	answer, err := (&http.Client{Timeout: sendDeadline}).Do(request)
	if err != nil {
		return reason(err)
	}
	answer.Body.Close()
	if answer.StatusCode >= 300 {
		return errors.New(answer.Status)
	}
	return nil
}
