module zerotoil/tools/watchtower-standin

go 1.24.0
