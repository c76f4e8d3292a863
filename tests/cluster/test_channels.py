"""The channel server answers as it is told to."""

from http import HTTPStatus

import pytest
import requests

from tests.cluster.channels import RELEASES

pytestmark = pytest.mark.cluster


def ask(channels, channel):
    return requests.get(channels.url(channel), allow_redirects=False, timeout=0.5)


def test_a_version_is_a_redirect_to_its_release(channels):
    channels.answers["v1.36"] = "v1.36.3+k3s1"
    answer = ask(channels, "v1.36")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{RELEASES}/v1.36.3+k3s1")
    assert channels.asked == ["v1.36"]


def test_it_can_answer_wrongly(channels):
    channels.answers["stable"] = HTTPStatus.OK
    assert [ask(channels, name).status_code for name in ("stable", "v1.99")] == [200, 404]


def test_it_can_say_nothing(channels):
    channels.answers["latest"] = None
    with pytest.raises(requests.Timeout):
        ask(channels, "latest")
