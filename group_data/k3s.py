# What all hosts of the group `k3s` share. Host data wins over this, and `--data key=value` over everything.
data_snapshot_keep = "4 weeks"
docker_enabled = False
watchtower_enabled = False
