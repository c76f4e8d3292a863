"""Differences by field, for any two objects; and whose fields are."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from zerotoil.resources.cluster.diff import differences, foreign

VALUES: Any = st.recursive(
    st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b", "two\nlines"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "name", "x/y.z"]), inner, max_size=3)
        | st.lists(st.fixed_dictionaries({"name": st.sampled_from("pqr"), "v": inner}), max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_equal_is_no_difference(value: Any) -> None:
    assert list(differences(value, value)) == []


@given(VALUES, VALUES)
def test_there_is_a_difference_exactly_where_two_values_differ(before: Any, after: Any) -> None:
    found = list(differences(before, after))
    assert bool(found) == (json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True))
    assert len({path for path, _, _ in found}) == len(found)
    assert all(json.dumps(old) != json.dumps(new) for _, old, new in found)


@given(st.dictionaries(st.sampled_from("abcd"), VALUES, min_size=1, max_size=4), st.data())
def test_one_changed_field_is_the_one_that_is_told(before: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(before)))
    assert list(differences(before, {**before, key: "changed"})) == [(key, before[key], "changed")]


def test_paths_are_readable() -> None:
    before = {"spec": {"containers": [{"name": "web", "image": "a"}, {"name": "db"}], "args": ["x"]}, "metadata": {}}
    after = {
        "spec": {"containers": [{"name": "web", "image": "b"}, {"name": "db"}], "args": ["x", "y"]},
        "metadata": {"annotations": {"keel.sh/policy": "minor"}},
    }
    assert list(differences(before, after)) == [
        ("spec.containers[web].image", "a", "b"),
        ("spec.args", ["x"], ["x", "y"]),
        ("metadata.annotations", None, {"keel.sh/policy": "minor"}),
    ]


def entry(manager: str, fields: dict[str, Any], operation: str = "Update") -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": fields}


def test_fields_that_others_added_are_told_with_who_it_was() -> None:
    ours = entry("zerotoil", {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {}}}}, "Apply")
    theirs = entry(
        "kubectl-edit",
        {
            "f:metadata": {"f:labels": {".": {}, "f:by-hand": {}}, "f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}},
            "f:spec": {"f:replicas": {}, "f:exclusive": {}, "f:c": {'k:{"name":"web"}': {".": {}, "f:image": {}}}},
        },
    )
    controller = entry("kube-controller-manager", {"f:spec": {"f:x": {}}})
    assert foreign([ours, theirs, controller]) == [
        ("kubectl-edit", "metadata.labels.by-hand"),
        ("kubectl-edit", "spec.c[web].image"),
        ("kubectl-edit", "spec.exclusive"),
    ]
