module zerotoil/tools/system-upgrade-controller

go 1.24.0

require github.com/rancher/system-upgrade-controller v0.20.1
