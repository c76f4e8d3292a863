"""What two apps of one host cannot both have: the exact lines."""

from zerotoil.model.compose import App, across, parse


def app(name: str, body: str) -> App:
    return parse(name, body)


def service(*lines: str, name: str = "web") -> str:
    return f"services:\n  {name}:\n    image: docker.io/library/web:1\n" + "".join(f"    {line}\n" for line in lines)


def said(*apps: App) -> list[str]:
    return [finding.shown for finding in across(apps)]


def test_apps_that_get_along() -> None:
    one = app("one", service("ports: ['80:80', '127.0.0.1:53:53/udp']", "volumes: [./data:/data:Z]"))
    two = app("two", service("ports: ['81:80', '127.0.0.1:53:53']", "volumes: [./data:/data:Z]"))
    assert said(one, two) == []


def test_ports() -> None:
    one = app("one", service("ports: ['127.0.0.1:8080:80', '9000-9002:9000-9002']"))
    two = app("two", service("ports:", "  - 8080:8080", "  - '[::]:9000:1'", "  - 9001-9002:1-2"))
    assert said(one, two) == [
        "apps/two/compose.yaml:5: services.web.ports[0]: port 8080/tcp is taken by web in apps/one/compose.yaml:2; publish "
        "another [ZT136]",
        "apps/two/compose.yaml:6: services.web.ports[1]: port [::]:9000/tcp is taken by web in apps/one/compose.yaml:2; publish "
        "another [ZT136]",
        "apps/two/compose.yaml:7: services.web.ports[2]: port 9001/tcp is taken by web in apps/one/compose.yaml:2; publish "
        "another [ZT136]",
    ]


def test_ports_of_one_app() -> None:
    text = service("ports: ['80:80']") + "  api:\n    image: docker.io/library/api:1\n    ports: ['0.0.0.0:80:1']\n"
    assert said(app("one", text)) == [
        "apps/one/compose.yaml:7: services.api.ports[0]: port 0.0.0.0:80/tcp is taken by web in apps/one/compose.yaml:2; publish "
        "another [ZT136]"
    ]


def test_ports_of_the_hosts_own_network_are_not_published() -> None:
    one = app("one", service("ports: ['80:80']"))
    assert said(one, app("two", service("network_mode: host", "ports: ['80:80']"))) == []


def test_names_of_containers() -> None:
    one = app("one", service("container_name: proxy"))
    two = app("two", service("container_name: proxy"))
    assert said(one, two) == [
        "apps/two/compose.yaml:4: services.web: the container's name proxy is taken by web in apps/one/compose.yaml:2; every "
        "container needs its own [ZT136]"
    ]


def test_names_that_compose_makes_up() -> None:
    one, two = app("a", service(name="b-c")), app("a-b", service("scale: 2", name="c"))
    assert said(one, two) == [
        "apps/a-b/compose.yaml:2: services.c: the container's name a-b-c-1 is taken by b-c in apps/a/compose.yaml:2; every "
        "container needs its own [ZT136]"
    ]


def test_one_app_twice() -> None:
    one = app("one", service("ports: ['80:80']"))
    assert said(one, one) == ["apps/one/compose.yaml:1: one is in the host's apps twice; remove one [ZT136]"]


def test_files_that_another_app_keeps_for_itself() -> None:
    one = app("one", service("volumes: [./data:/data:Z]"))
    two = app("two", service("volumes: [../one/data/in:/in:z]"))
    assert said(one, two) == [
        "apps/two/compose.yaml:4: services.web.volumes[0]: ../one/data/in is kept by Z for web in apps/one/compose.yaml:2 alone; "
        "write z there [ZT136]"
    ]
