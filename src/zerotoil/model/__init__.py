"""What the owner declares, as typed specs. No I/O here, and no libvirt or TrueNAS types."""
