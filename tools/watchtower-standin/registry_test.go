package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Go reads its roots once: the question is asked by a process of its own.
func TestAskForPrivateCA(t *testing.T) {
	if url := os.Getenv("STANDIN_TEST_ASK"); url != "" {
		if _, err := newRegistry(false).client.Get(url); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPrivateCAOfSSLCertDir(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	folder := t.TempDir()
	ask := func() (string, error) {
		command := exec.Command(os.Args[0], "-test.run=TestAskForPrivateCA")
		command.Env = append(os.Environ(), "STANDIN_TEST_ASK="+server.URL, "SSL_CERT_DIR="+folder)
		said, err := command.CombinedOutput()
		return string(said), err
	}
	if said, err := ask(); err == nil || !strings.Contains(said, "unknown authority") {
		t.Fatalf("without the CA: %v, %s", err, said)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(folder, "ca.pem"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	if said, err := ask(); err != nil {
		t.Fatalf("with the CA: %v, %s", err, said)
	}
}
