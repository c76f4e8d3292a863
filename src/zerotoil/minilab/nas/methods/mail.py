"""mail.*: the settings, and sending for real by SMTP to whatever server is set. OAuth and the queue are not simulated.

Source: facts of truenas/middleware plugins/mail: what is refused, the subject's prefix, text and HTML side by side.
"""

from __future__ import annotations

import errno
import html
import smtplib
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formataddr, formatdate, make_msgid
from typing import Any

from zerotoil.minilab.nas.errors import CallError, Problems
from zerotoil.minilab.nas.middleware import Middleware, Session, method
from zerotoil.minilab.nas.state import Row

_LONGEST_SECONDS = 30  # the real one waits as long as it is told, in a job of its own
_NO_SERVER = "You must provide an outgoing mailserver and mail server port when sending mail"


@method("mail.config")
def config(nas: Middleware) -> Row:
    """The one row. The password is shown to a login with the write role only."""
    row = dict(nas.state.data["mail"])
    return row | ({"pass": "********"} if nas.faults.mask_secrets and row["pass"] else {})


@method("mail.update")
def update(nas: Middleware, data: Row | None = None) -> Row:
    """What is not given stays."""
    row = {**nas.state.data["mail"], **(data or {})}
    problems = Problems("mail_update")
    if row["smtp"] and not row["user"]:
        problems.add("user", "This field is required when SMTP authentication is enabled")
    if not row["oauth"] and not row["fromemail"]:
        problems.add("fromemail", "This field is required")
    if row["pass"] and not row["pass"].isascii():
        problems.add("pass", "Only plain text characters (7-bit ASCII) are allowed in passwords.")
    problems.check()
    nas.state.data["mail"] = row
    return config(nas)


@method("mail.send")
def send(nas: Middleware, session: Session, message: Row, other: Row | None = None) -> Any:
    """A job; its result is true before 26 and nothing since."""
    return send_job(nas, session, message, other or {})


def send_job(nas: Middleware, session: Session, message: Row, other: Row) -> Any:
    """Start the job: other methods send too."""

    def work() -> bool | None:
        _send(nas, message, {**nas.state.data["mail"], **other})
        return None if nas.at_least("26") else True

    return nas.job(session, "mail.send", [message], work)


def _send(nas: Middleware, message: Row, settings: Row) -> None:
    if not message.get("to"):
        raise CallError("None of the local administrators has an e-mail address configured")
    if not settings["outgoingserver"] or not settings["port"]:
        raise CallError(_NO_SERVER)
    mail = _message(message, settings)
    factory = smtplib.SMTP_SSL if settings["security"] == "SSL" else smtplib.SMTP
    seconds = min(message.get("timeout") or _LONGEST_SECONDS, _LONGEST_SECONDS)
    try:
        with factory(settings["outgoingserver"], settings["port"], timeout=seconds, local_hostname="lab-nas") as server:
            if settings["security"] == "TLS":
                server.starttls()
            if settings["smtp"]:
                server.login(settings["user"], settings["pass"] or "")
            server.sendmail(settings["fromemail"], message["to"], mail.as_string())
    except smtplib.SMTPAuthenticationError as error:
        raise CallError(f"Authentication error ({error.smtp_code}): {error.smtp_error!r}", errno.EPERM) from error
    except (OSError, smtplib.SMTPException) as error:
        raise CallError(f"Failed to send email: {error}") from error


def _message(message: Row, settings: Row) -> MIMEMultipart | MIMEText:
    text = message.get("text") or message.get("html") or ""
    mail: MIMEMultipart | MIMEText = MIMEText(text, "plain", "utf-8")
    if "html" not in message or message["html"] is not None:
        markup = message.get("html") or f"<div>{html.escape(text)}</div>"
        both = MIMEMultipart("alternative")
        both.attach(mail)
        both.attach(MIMEText(markup, "html", "utf-8"))
        mail = MIMEMultipart()
        mail.attach(both)
    mail["Subject"] = f"TrueNAS lab-nas.local: {message['subject']}"
    mail["From"] = formataddr((settings["fromname"], settings["fromemail"])) if settings["fromname"] else settings["fromemail"]
    mail["To"] = ", ".join(message["to"])
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain="lab-nas.local")
    return mail
