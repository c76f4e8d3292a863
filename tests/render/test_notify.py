"""A sink's URL: what curl and jq are given (golden files), what Apprise makes of it, and what is refused."""

import json
import subprocess
from pathlib import Path

import apprise
import pytest

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.render.notify import apprise_url, shoutrrr_url, sinks
from zerotoil.render.notify_webhooks import SERVICES

GOLDEN = Path(__file__).parent / "golden"
URLS = {
    "signal": "signal://signal.lan/+4915112345678/+4915187654321/+4915111111111?disabletls=yes",
    "signal-login": "signal://me:p%22w%5C@signal.lan:9922/+4915112345678/+4915187654321?skiptlsverify=yes",
    "signal-everyone": "signal://[fd00::7]:8080/+4915112345678/+4915187654321/group.aB/c+d==/u:ann.01/group.e?token=t0ken",
    "ntfy": "ntfy://ntfy.lan:8080/home?disabletls=yes&priority=high&tags=house,warning",
    "ntfy-login": "ntfy://me:secret@ntfy.sh/home",
    "ntfy-token": "ntfy://:tk_12@ntfy.sh/home",
    "gotify": "gotify://gotify.lan/AbCdEf.1234-_x?priority=5",
    "gotify-below": "gotify://gotify.lan:8443/push/message?token=AbCdEf.1234-_x&insecureskipverify=yes",
    "generic": "generic://me:pw@hooks.lan:8000/notify/home?disabletls=yes&messagekey=body&@X-Key=v%C3%A4lue&$level=high&_title=1&q=2",
    "generic-https": "generic+https://hooks.lan/a%20b?token=x&titlekey=mine",
    "json": "json://hooks.lan:8080/x",
    "jsons": "jsons://hooks.lan/x?+X-Key=1",
    "slack": "slack://hook:TAAAAAAAA-BBBBBBBBB-cccccccccccccccccccccccc@webhook?botname=nas",
    "slack-old": "slack://nas@TAAAAAAAA/BBBBBBBBB/cccccccccccccccccccccccc",
    "discord": "discord://W3dE_2-x@693853386302554172?thread_id=99",
    "telegram": "telegram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw@telegram?chats=@home,-1001:7&notification=no",
}
MESSAGE = {
    "id": "1", "time": "2026-11-26T03:30:00Z", "host": "docker1", "event": "update-failed", "subject": "atuin",
    "title": "docker1: update failed: atuin", "text": "it said \"no\" <b>\n& Grüße 🚀",
}  # fmt: skip


def rendered(url: str) -> str:
    """All requests: each config, and the body that jq makes of a message."""
    parts = []
    for sink in sinks(url):
        done = subprocess.run(["jq", sink.body_filter], input=json.dumps(MESSAGE), capture_output=True, text=True, timeout=10)
        assert done.returncode == 0, done.stderr
        parts.append(f"# {sink.id}\n{sink.curl_config}{done.stdout}")
    return "\n".join(parts)


@pytest.mark.parametrize("name", URLS)
def test_golden(name: str) -> None:
    """python -m tests.render.test_notify writes them anew."""
    assert rendered(URLS[name]) == (GOLDEN / f"notify-{name}.txt").read_text()


def test_every_service_has_a_golden_file() -> None:
    assert set(SERVICES) - {"generic+http"} == {url.partition("://")[0] for url in URLS.values()}


@pytest.mark.parametrize("name", URLS)
def test_curl_reads_the_config(name: str, tmp_path: Path) -> None:
    """curl itself says what it read: quotes, backslashes and Unicode arrive."""
    for sink in sinks(URLS[name]):
        dry = sink.curl_config.replace('proto = "=http,https"', 'proto = "=file"')  # it stops before it connects
        line = ["curl", "-q", "--config", "-", "--libcurl", str(tmp_path / "code.c")]
        done = subprocess.run(line, input=dry, capture_output=True, text=True, timeout=10)
        assert done.returncode == 1, done.stderr  # CURLE_UNSUPPORTED_PROTOCOL: everything else was understood
        assert "Warning" not in done.stderr
        code = (tmp_path / "code.c").read_text().replace("\\?", "?")  # it has C's trigraphs in mind
        assert f"CURLOPT_URL, {sink.curl_config.splitlines()[0].removeprefix('url = ')}" in code
    if name == "signal-login":
        assert r'CURLOPT_USERPWD, "me:p\"w\\"' in code
        assert "CURLOPT_SSL_VERIFYPEER, 0L" in code


APPRISE = {
    "signal": "signal://signal.lan:8080/+4915112345678/+4915187654321/+4915111111111",
    "signal-login": "signals://me:p%22w%5C@signal.lan:9922/+4915112345678/+4915187654321?verify=no",
    "ntfy": "ntfy://ntfy.lan:8080/home?mode=private&priority=4&tags=house%2Cwarning",
    "ntfy-login": "ntfys://me:secret@ntfy.sh/home?mode=private",
    "ntfy-token": "ntfys://tk_12@ntfy.sh/home?mode=private&auth=token",
    "gotify": "gotifys://gotify.lan/AbCdEf.1234-_x?priority=5",
    "gotify-below": "gotifys://gotify.lan:8443/push/AbCdEf.1234-_x?verify=no",
    "generic": "json://me:pw@hooks.lan:8000/notify/home?%2BX-Key=v%C3%A4lue&%3Alevel=high&-title=1&-q=2&%3Amessage=body",
    "generic-https": "jsons://hooks.lan/a%20b?-token=x&-titlekey=mine",
    "json": "json://hooks.lan:8080/x",
    "jsons": "jsons://hooks.lan/x?%2BX-Key=1",
    "slack": "slack://TAAAAAAAA/BBBBBBBBB/cccccccccccccccccccccccc",
    "slack-old": "slack://TAAAAAAAA/BBBBBBBBB/cccccccccccccccccccccccc",
    "discord": "discord://693853386302554172/W3dE_2-x?thread=99",
    "telegram": "tgram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/@home/-1001:7?silent=yes",
}


@pytest.mark.parametrize("name", APPRISE)
def test_apprise_takes_its_form(name: str) -> None:
    url = apprise_url(URLS[name])
    assert url == APPRISE[name] + ("&" if "?" in APPRISE[name] else "?") + "cto=5&rto=20"
    plugin = apprise.Apprise.instantiate(url)
    assert plugin is not None
    assert (plugin.socket_connect_timeout, plugin.socket_read_timeout) == (5, 20)
    if plugin.protocol:  # Slack, Discord and Telegram have no other
        assert plugin.secure is (URLS[name].partition("://")[0] != "json" and "disabletls" not in URLS[name])
    if name == "signal":
        assert (plugin.source, plugin.targets) == ("+4915112345678", ["+4915187654321", "+4915111111111"])
    if name == "signal-login":
        assert (plugin.user, plugin.password, plugin.verify_certificate) == ("me", 'p"w\\', False)


def test_apprise_gets_a_group_by_its_own_mark() -> None:
    plugin = apprise.Apprise.instantiate(apprise_url("signal://h/+4915112345678/group.aBc=?disabletls=yes"))
    assert plugin is not None and plugin.targets == ["group.aBc="]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("signal://h/+4915112345678/+4915187654321?token=t", "Apprise: its Signal knows no token"),
        ("signal://h/+4915112345678/u:ann.01", "Apprise: its Signal knows no user names"),
        ("signal://h/+4915112345678/group.a/b=", "Apprise: its Signal takes no group whose id has a slash or a plus"),
    ],
)
def test_what_apprise_cannot_say(url: str, why: str) -> None:
    with pytest.raises(LabError, match=why) as caught:
        apprise_url(url)
    assert caught.value.code is Code.SINK_NOT_FROM_HERE


@pytest.mark.parametrize(
    ("url", "theirs"),
    [
        (URLS["signal"], URLS["signal"]),
        ("generic://h/p", "generic://h/p?template=json"),
        ("generic://h/p?disabletls=yes", "generic://h/p?disabletls=yes&template=json"),
        ("generic://h/p?template=JSON", "generic://h/p?template=JSON"),
        ("json://h:1/p", "generic://h:1/p?template=json&disabletls=yes"),
        ("jsons://h/p?+X-Key=1", "generic://h/p?@X-Key=1&template=json"),
    ],
)
def test_watchtower_gets_shoutrrrs_form(url: str, theirs: str) -> None:
    assert shoutrrr_url(url) == theirs
    if theirs.startswith("generic"):
        ours = [(sink.curl_config, sink.body_filter) for sink in sinks(url)]
        assert [(sink.curl_config, sink.body_filter) for sink in sinks(theirs)] == ours


BAD = {
    "hunter2secret": "the sink is not a URL: write one of signal://, ntfy://, gotify://, generic://, json://, jsons://, slack://",
    "mailtos://me:hunter2@mail.lan": "the sink: a host cannot send to mailtos://: take one of signal://, ",
    "hunter2.x://a": "the sink: a host cannot send to what its URL begins with: take one of",
    "signals://h/+4915112345678/+4915187654321": "the sink: signals:// is Apprise's form: write signal://[USER:PASSWORD@]HOST",
    "tgram://1:hunter2/5": "the sink: tgram:// is Apprise's form: write telegram://TOKEN@telegram?chats=",
    "signal://h/+4915112345678": "the sink: the signal:// URL: it names no sender or no recipient: write it like signal://",
    "signal://h/hunter2/+4915187654321": "the sink: the signal:// URL: the sender is no phone number with its country code",
    "signal://h/+4915112345678/0151": "the sink: the signal:// URL: a recipient is neither +PHONE with its country code",
    "signal://h:99999/+4915112345678/+4915187654321": "the sink: the signal:// URL has a wrong host or port",
    "signal:///+4915112345678/+4915187654321": "the sink: the signal:// URL: it has no host",
    "signal://h/+4915112345678/+4915187654321?disabletls=si": "the sink: the signal:// URL: the option disabletls is neither yes",
    "signal://h/+4915112345678/+4915187654321?tls=no": "the sink: the signal:// URL: the option tls is not understood",
    "signal://h/+4915112345678/+4915187654321?hunter2": "the sink: the signal:// URL: the option without a value is",
    "signal://h/+4915112345678/+4915187654321#x": "the sink: the signal:// URL has a '#' in it, which must be written %23",
    "signal://h/+4915112345678/+4915187654321?token=a%0d%0aX:b": "the sink: the signal:// URL has a blank or a line break in it",
    "signal://h/+49151 12345678/+4915187654321": "the sink: the signal:// URL has a blank or a line break in it",
    "signal://[h/+4915112345678/+4915187654321": "the sink: the signal:// URL cannot be read",
    "ntfy://ntfy.sh": "the sink: the ntfy:// URL: it does not name one topic",
    "ntfy://ntfy.sh/a/b": "the sink: the ntfy:// URL: it does not name one topic",
    "ntfy://ntfy.sh/a?priority=9": "the sink: the ntfy:// URL: the option priority is none of 1 to 5",
    "ntfy://ntfy.sh/a?scheme=ftp": "the sink: the ntfy:// URL: the option scheme is neither http nor https",
    "gotify://h": "the sink: the gotify:// URL: it has no token",
    "gotify://u:hunter2@h/token": "the sink: the gotify:// URL: Gotify takes no user",
    "gotify://h/t?priority=high": "the sink: the gotify:// URL: the option priority is no number",
    "generic://h/p?template=xml": "the sink: the generic:// URL: only JSON is sent",
    "generic://h/p?method=GET": "the sink: the generic:// URL: the option method is neither POST nor PUT",
    "slack://xoxb:hunter2@C1": "the sink: the slack:// URL: only a webhook is taken, no bot's token",
    "slack://hook:hunter2@webhook": "the sink: the slack:// URL: it has no token of three parts",
    "discord://123/hunter2": "the sink: the discord:// URL: it does not have a token before the @",
    "discord://hunter2@123?thread_id=x": "the sink: the discord:// URL: the option thread_id is no number",
    "telegram://hunter2@telegram?chats=1": "the sink: the telegram:// URL: it does not have a token before the @",
    "telegram://1:hunter2@telegram": "the sink: the telegram:// URL: the option chats names no chat",
}


@pytest.mark.parametrize("url", BAD)
def test_what_is_wrong_is_said_without_the_secret(url: str) -> None:
    with pytest.raises(LabError) as caught:
        sinks(url)
    assert str(caught.value).startswith(BAD[url])
    assert "hunter2" not in caught.value.shown
    assert caught.value.code in (Code.SINK_MALFORMED, Code.SINK_UNKNOWN)


def test_the_id_of_a_sink_changes_with_it_and_only_then() -> None:
    (first,), (again,), (other,) = (sinks(f"ntfy://h/{topic}") for topic in ("a", "a", "b"))
    assert first.id == again.id != other.id


if __name__ == "__main__":
    for name, url in URLS.items():
        (GOLDEN / f"notify-{name}.txt").write_text(rendered(url))
