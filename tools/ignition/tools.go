//go:build tools

// Package ignition pins the Ignition release that the guest runs and ignition-validate checks for.
package ignition

import (
	_ "github.com/coreos/ignition/v2/internal"
	_ "github.com/coreos/ignition/v2/validate"
)
