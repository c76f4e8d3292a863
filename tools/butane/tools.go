//go:build tools

// Package butane pins the Butane release that zerotoil runs.
package butane

import _ "github.com/coreos/butane/internal"
