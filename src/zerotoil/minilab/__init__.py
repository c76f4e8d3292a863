"""The embedded lab: real ZFS, iSCSI, libvirt/QEMU and Ignition on one machine, around a TrueNAS API simulator.

Shares no code with `zerotoil.clients`: it must not share the client's misunderstandings.
"""
