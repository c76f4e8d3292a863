"""A guest to log in to: SSH on loopback that lets any key in and runs what it is sent, with programs of our own in front."""

import os
import socket
import subprocess
import threading
from pathlib import Path

import paramiko


class _Door(paramiko.ServerInterface):
    """Lets anybody in who has a key; runs one command per channel."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._run, args=(channel, command.decode()), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel, command: str) -> None:
        script = channel.makefile("rb").read()
        env = {
            "ZEROTOIL_DATA": str(self.programs.parent / "data"),  # a test may say otherwise
            **os.environ,
            "PATH": f"{self.programs}:{os.environ['PATH']}",
        }
        done = subprocess.run(["sh", "-c", command], input=script, capture_output=True, env=env, timeout=30)
        channel.sendall(done.stdout)
        channel.sendall_stderr(done.stderr)
        channel.send_exit_status(done.returncode)
        channel.close()


def open_door(folder: Path) -> tuple[socket.socket, Path]:
    """Start it: the socket that listens, and the private key to log in with. Programs are looked for in folder/bin first."""
    for name in ("host-key", "user-key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True, timeout=20)
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    sudo = folder / "bin/sudo"
    sudo.write_text('#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n')
    sudo.chmod(0o755)
    server = socket.create_server(("127.0.0.1", 0))
    key = paramiko.Ed25519Key(filename=str(folder / "host-key"))
    threading.Thread(target=_serve, args=(server, key, folder / "bin"), daemon=True).start()
    return server, folder / "user-key"


def _serve(server: socket.socket, key: paramiko.PKey, programs: Path) -> None:
    while True:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        transport = paramiko.Transport(peer)
        transport.add_server_key(key)
        transport.start_server(event=threading.Event(), server=_Door(programs))
