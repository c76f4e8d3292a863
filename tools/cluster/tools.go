//go:build tools

// Package cluster pins what the test cluster is made of; built in one module, so that what they share is compiled once.
package cluster

import (
	_ "github.com/k3s-io/helm-controller"
	_ "helm.sh/helm/v4/cmd/helm"
	_ "sigs.k8s.io/kwok/cmd/kwok"
)
