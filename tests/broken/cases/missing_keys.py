# expect: matrix: nas_url: missing; API address, TLS only: "wss://nas.lan" (a key sent in plain text is revoked)
# expect: matrix: nas_user: missing; user the API key belongs to
# expect: matrix: nas_api_key: missing; API key: "file:PATH", "env:NAME" or Secret(…)
# expect: matrix: nas_dataset: missing; dataset under which each host gets its own: "tank/lab" -> tank/lab/HOST
# expect: matrix: iscsi_portal: missing; addresses the NAS listens on; the portal is found by them
# expect: matrix: iscsi_initiators: missing; IQNs of the hypervisor; nobody else may log in
# expect: matrix: data_size: missing; size of the volume; it may grow, never shrink
# expect: matrix: ssh_authorized_keys: missing; public keys that may log in (text or file:PATH)
vms = [("@vm/matrix", {"vm_cpus": 2})]
