"""auth.*, core.*, system.*, pool.query."""

from __future__ import annotations

import hmac
from typing import Any

from zerotoil.minilab.nas.middleware import Middleware, Session, date, method
from zerotoil.minilab.nas.state import Row


@method("auth.login_ex")
def login_ex(nas: Middleware, session: Session, data: Row) -> Row:
    """Only the mechanism API_KEY_PLAIN succeeds."""
    if data["mechanism"] != "API_KEY_PLAIN" or not _same(nas.users.get(data["username"]), data["api_key"]):
        return {"response_type": "AUTH_ERR"}
    if data["username"] in nas.faults.revoked:
        return {"response_type": "EXPIRED"}
    session.user = data["username"]
    wanted = (data.get("login_options") or {}).get("user_info", True)
    user = _user(session.user) if wanted else None
    return {"response_type": "SUCCESS", "user_info": user, "authenticator": "LEVEL_1", "reconnect_token": None}


@method("auth.login_with_api_key")
def login_with_api_key(nas: Middleware, session: Session, key: str) -> bool:
    """True when the key is one of ours and not revoked."""
    for user, own in nas.users.items():
        if _same(own, key) and user not in nas.faults.revoked:
            session.user = user
            return True
    return False


@method("core.ping")
def ping(nas: Middleware, session: Session) -> str:
    """The answer of a living server."""
    return "pong"


@method("core.set_options")
def set_options(nas: Middleware, session: Session, options: Row) -> None:
    """legacy_jobs: whether a job's call answers at once with the job's id."""
    session.legacy_jobs = options.get("legacy_jobs", session.legacy_jobs)


@method("core.get_jobs")
def get_jobs(nas: Middleware, session: Session, wanted: Any = None, options: Any = None) -> Any:
    """The jobs of this process; Faults.job_polls keeps them RUNNING for a while."""
    return nas.select([_job(job) for job in nas.jobs], wanted, options)


@method("system.version")
def version(nas: Middleware) -> str:
    """Such as TrueNAS-25.10.6."""
    return nas.release


@method("system.info")
def info(nas: Middleware) -> Row:
    """A small machine."""
    return {
        "version": nas.release.removeprefix("TrueNAS-") if nas.at_least("25.04") else nas.release,
        "buildtime": date(1_760_000_000),
        "hostname": "lab-nas",
        "physmem": 8 << 30,
        "model": "simulated",
        "cores": 2,
        "physical_cores": 2,
        "loadavg": [0.0, 0.0, 0.0],
        "uptime": "1:00:00",
        "uptime_seconds": 3600.0,
        "system_serial": None,
        "system_product": None,
        "system_product_version": None,
        "license": None,
        "boottime": date(1_760_000_000),
        "datetime": date(),
        "timezone": "Etc/UTC",
        "system_manufacturer": None,
        "ecc_memory": False,
    }


@method("pool.query")
def pools(nas: Middleware, wanted: Any = None, options: Any = None) -> Any:
    """The one pool."""
    pool = nas.storage.pool()
    sizes: Row = {"size": pool.size, "allocated": pool.allocated, "free": pool.free, "freeing": 0}
    row: Row = {
        "id": 2,
        "name": pool.name,
        "guid": pool.guid,
        "status": "ONLINE",
        "path": f"/mnt/{pool.name}",
        "scan": None,
        "expand": None,
        "is_upgraded": True,
        "healthy": True,
        "warning": False,
        "status_code": "OK",
        "status_detail": None,
        "fragmentation": "0",
        "dedup_table_size": 0,
        "dedup_table_quota": "auto",
        "autotrim": {"parsed": "off", "rawvalue": "off", "value": "off", "source": "DEFAULT"},
        "topology": {kind: [] for kind in ("data", "log", "cache", "spare", "special", "dedup")},
        **sizes,
        **{f"{key}_str": str(value) for key, value in sizes.items()},
    }
    return nas.select([row], wanted, options)


def _same(own: str | None, given: str) -> bool:
    return own is not None and hmac.compare_digest(own.encode(), given.encode())


def _user(name: str) -> Row:
    return {
        "pw_name": name,
        "pw_gecos": "",
        "pw_dir": "/var/empty",
        "pw_shell": "/usr/sbin/nologin",
        "pw_uid": 3000,
        "pw_gid": 3000,
        "grouplist": None,
        "sid": None,
        "source": "LOCAL",
        "local": True,
        "attributes": {},
        "two_factor_config": {},
        "privilege": {},
        "account_attributes": ["LOCAL", "API_KEY"],
    }


def _job(job: Row) -> Row:
    shown = {key: value for key, value in job.items() if key != "polls_left"}
    if job["polls_left"] > 0:
        job["polls_left"] -= 1
        shown |= {"state": "RUNNING", "result": None, "error": None, "time_finished": None}
    return shown
