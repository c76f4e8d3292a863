# make demo     sets everything up and runs the product on the embedded lab (root)
# make test     sets everything up and passes the tests (root: they use real ZFS, iSCSI and libvirt)
# make e2e      all end-to-end tests, with the long walks that make test leaves out
# make cluster  only the tests against a real Kubernetes API server, which the first run builds from source
.PHONY: setup demo test test-real test-rest e2e cluster check bench down

setup:
	@setup/setup.sh

demo: setup
	.venv/bin/zerotoil lab up
	.venv/bin/pyinfra -y inventory/demo.py deploys/full.py
	.venv/bin/zerotoil status inventory/demo.py
	@echo 'Look at it: .venv/bin/zerotoil ssh demo1    .venv/bin/zerotoil lab console demo1    .venv/bin/zerotoil lab status'

test: setup check
	$(MAKE) --jobs=2 --output-sync=line test-real test-rest

test-real:  # what needs the machine: a VM, ZFS, libvirt, a control plane; one after the other
	.venv/bin/pytest -m "not long and (lab or cluster)"

test-rest:  # gives way to the VM, whose processor is emulated
	nice .venv/bin/pytest -m "not lab and not cluster"

e2e: setup
	.venv/bin/pytest tests/e2e

cluster: setup
	.venv/bin/pytest tests/cluster

check:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	shellcheck setup/*.sh bench/*.sh templates/*.sh src/zerotoil/resources/guest/*.sh src/zerotoil/resources/guest/scripts/*.sh src/zerotoil/minilab/*.sh src/zerotoil/minilab/guest/*.sh images/overlay/base/usr/libexec/zerotoil/*.sh \
		src/zerotoil/minilab/ostree/*.sh src/zerotoil/minilab/ostree/files/usr/bin/rpm-ostree src/zerotoil/minilab/ostree/files/usr/sbin/grub-mkconfig

bench: setup
	bench/bootstrap.sh
	bench/plan.sh

down:
	.venv/bin/zerotoil lab down
