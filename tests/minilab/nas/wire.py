"""A few lines of client for both framings, independent of zerotoil.clients."""

import json

from websocket import create_connection

KEY = "1-" + "k" * 40
SECRET = "chapsecret1234"


class Refused(Exception):
    def __init__(self, error):
        self.code, self.data = error.get("code"), error.get("data", error)
        self.errno = self.data.get("error")
        self.where = [row[0] for row in self.data.get("extra") or []]
        super().__init__(json.dumps(error))


class Wire:
    def __init__(self, sim, path=None, login=True):
        self.legacy = sim.nas.version == "24.10" if path is None else path == "/websocket"
        path = path or ("/websocket" if self.legacy else "/api/current")
        self.socket = create_connection(sim.url + path, timeout=5, sslopt={"ca_certs": str(sim.ca_file)})
        if self.legacy:
            assert self.ask({"msg": "connect", "version": "1", "support": ["1"]})["msg"] == "connected"
        if login:
            assert self("auth.login_with_api_key", KEY) is True

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def ask(self, message):
        self.socket.send(json.dumps(message))
        return json.loads(self.socket.recv())

    def __call__(self, method, *params):
        head = {"msg": "method"} if self.legacy else {"jsonrpc": "2.0"}
        reply = self.ask({**head, "id": "7", "method": method, "params": list(params)})
        if "error" in reply:
            raise Refused(reply["error"])
        return reply["result"]
