"""What a lab makes on a NAS, in the words of each version."""

from wire import SECRET

SCHEDULE = {"minute": "0", "hour": "3", "dom": "*", "month": "*", "dow": "*", "begin": "00:00", "end": "23:59"}
INITIATOR = "iqn.2026-01.lab.test:vm"


def create(call, version, pool="tank", address="127.0.0.1", size=64 << 20):
    """Answers {method: result} of the create chain; the service runs at the end."""
    made = {}

    def do(method, *params):
        made[method] = call(method, *params)
        return made[method]

    mark = [{"key": "zerotoil:owner", "value": "lab"}]
    do("pool.dataset.create", {"name": f"{pool}/vm", "type": "FILESYSTEM"})
    volume = {"name": f"{pool}/vm/data", "type": "VOLUME", "volsize": size, "sparse": True, "user_properties": mark}
    do("pool.dataset.create", volume)
    portal = do("iscsi.portal.create", {"listen": [{"ip": address}], "comment": "lab"})
    initiator = do("iscsi.initiator.create", {"initiators": [INITIATOR], "comment": "lab"})
    auth = do("iscsi.auth.create", {"tag": 40, "user": "labuser", "secret": SECRET})
    group = {"portal": portal["id"], "initiator": initiator["id"], "authmethod": "CHAP", "auth": auth["tag"]}
    target = do("iscsi.target.create", {"name": "vm", "groups": [group]})
    extent = do("iscsi.extent.create", {"name": "vm-data", "type": "DISK", "disk": f"zvol/{pool}/vm/data"})
    do("iscsi.targetextent.create", {"target": target["id"], "extent": extent["id"]})
    task = {"dataset": f"{pool}/vm/data", "recursive": False, "lifetime_value": 2, "lifetime_unit": "WEEK"}
    do("pool.snapshottask.create", {**task, "naming_schema": "auto-%Y-%m-%d_%H-%M", "schedule": SCHEDULE})
    do("service.update", "iscsitarget", {"enable": True})
    if version in ("25.10", "26"):
        do("service.control", "START", "iscsitarget", {"silent": False})
    else:
        do("service.start", "iscsitarget", {"silent": False})
    return made
