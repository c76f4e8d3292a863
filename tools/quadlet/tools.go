//go:build tools

// Package quadlet pins the podman release whose quadlet generator judges what zerotoil renders.
package quadlet

import _ "github.com/containers/podman/v5/cmd/quadlet"
