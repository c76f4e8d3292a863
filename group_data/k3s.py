# What all hosts of the group `k3s` share. Host data wins over this, and `--data key=value` over everything.
data_snapshot_keep = "4 weeks"
k3s_role = "server"
k3s_version = "v1.36.3+k3s1"  # of the first install; later ones come from the upgrade controller
