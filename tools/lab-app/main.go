// The embedded lab's test app: a server that knows its version, for images that have to be updated, broken and put back.
//
//	/lab-app               serves HTTP on PORT (8080): / answers VERSION, /health answers ok, or 503 where BROKEN=1
//	/lab-app -healthcheck  asks that server; exit 0 or 1 (a HEALTHCHECK in an image without a shell)
//	/lab-app -cat FILE     prints a file, for looks at what is mounted
//
// Where /data is mounted, it adds a line with its version to /data/starts. Where NOTIFY_SOCKET is set (systemd, podman)
// it says READY=1, unless it is broken. It speaks to the kernel directly: the HTTP library would make it ten times as big.
package main

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

const patience = 3 // seconds for one request

func main() {
	switch {
	case len(os.Args) == 1:
		serve()
	case os.Args[1] == "-healthcheck":
		os.Exit(healthcheck())
	case os.Args[1] == "-cat" && len(os.Args) == 3:
		content, err := os.ReadFile(os.Args[2])
		if err != nil {
			die(err.Error())
		}
		os.Stdout.Write(content)
	default:
		die("usage: lab-app [-healthcheck | -cat FILE]")
	}
}

func die(what string) {
	os.Stderr.WriteString("lab-app: " + what + "\n")
	os.Exit(1)
}

func version() string { return os.Getenv("VERSION") }
func broken() bool    { return os.Getenv("BROKEN") == "1" }

func port() int {
	text := os.Getenv("PORT")
	if text == "" {
		return 8080
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 || number > 65535 {
		die("PORT " + text + " is not a port")
	}
	return number
}

func serve() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	listener, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		syscall.SetsockoptInt(listener, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
		err = syscall.Bind(listener, &syscall.SockaddrInet4{Port: port()})
	}
	if err == nil {
		err = syscall.Listen(listener, 64)
	}
	if err != nil {
		die("cannot listen on port " + strconv.Itoa(port()) + ": " + err.Error())
	}
	record()
	state := ""
	if broken() {
		state = ", broken"
	}
	os.Stdout.WriteString("lab-app " + version() + " listens on port " + strconv.Itoa(port()) + state + "\n")
	if err := notify(os.Getenv("NOTIFY_SOCKET")); err != nil {
		os.Stderr.WriteString("lab-app: NOTIFY_SOCKET: " + err.Error() + "\n")
	}
	go accept(listener)
	<-stop // at once: nothing here is worth waiting for
}

// record leaves a trace of this version where data is mounted.
func record() {
	if about, err := os.Stat("/data"); err != nil || !about.IsDir() {
		return
	}
	file, err := os.OpenFile("/data/starts", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = file.WriteString(version() + "\n")
		file.Close()
	}
	if err != nil {
		os.Stderr.WriteString("lab-app: " + err.Error() + "\n")
	}
}

// notify tells the service manager that this app is up; a broken one says nothing. Source: sd_notify(3).
func notify(address string) error {
	if address == "" || broken() {
		return nil
	}
	socket, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	return syscall.Sendto(socket, []byte("READY=1"), 0, &syscall.SockaddrUnix{Name: address})
}

func accept(listener int) {
	for {
		connection, _, err := syscall.Accept(listener)
		if err == syscall.EINTR || err == syscall.ECONNABORTED {
			continue
		} else if err != nil {
			die("accept: " + err.Error())
		}
		go answer(connection)
	}
}

// answer reads one request and closes the connection after it.
func answer(connection int) {
	defer syscall.Close(connection)
	setPatience(connection)
	buffer := make([]byte, 4096)
	count, err := syscall.Read(connection, buffer)
	if err != nil || count <= 0 {
		return
	}
	method, path := requestLine(string(buffer[:count]))
	status, body := "200 OK", version()+"\n"
	switch {
	case method != "GET" && method != "HEAD":
		status, body = "405 Method Not Allowed", "only GET\n"
	case path == "/health" && broken():
		status, body = "503 Service Unavailable", "broken\n"
	case path == "/health":
		body = "ok\n"
	case path != "/":
		status, body = "404 Not Found", "/ and /health\n"
	}
	head := "HTTP/1.1 " + status + "\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n"
	if method == "HEAD" {
		body = ""
	}
	syscall.Write(connection, []byte(head+body))
}

// requestLine returns method and path; both empty when the text is no HTTP.
func requestLine(text string) (method, path string) {
	words := [3]string{}
	for i, word := 0, 0; i < len(text) && word < 3; i++ {
		switch text[i] {
		case ' ':
			word++
		case '\r', '\n', '?':
			return words[0], words[1]
		default:
			words[word] += string(text[i])
		}
	}
	return words[0], words[1]
}

func setPatience(connection int) {
	limit := syscall.Timeval{Sec: patience}
	syscall.SetsockoptTimeval(connection, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit)
	syscall.SetsockoptTimeval(connection, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &limit)
}

func healthcheck() int {
	connection, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		setPatience(connection)
		err = syscall.Connect(connection, &syscall.SockaddrInet4{Port: port(), Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		_, err = syscall.Write(connection, []byte("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
	}
	buffer := make([]byte, 4096)
	count := 0
	if err == nil {
		count, err = syscall.Read(connection, buffer)
	}
	if err != nil {
		os.Stderr.WriteString("lab-app: " + err.Error() + "\n")
		return 1
	}
	_, status := requestLine(string(buffer[:max(count, 0)]))
	os.Stdout.WriteString(status + "\n")
	if status != "200" {
		return 1
	}
	return 0
}
