"""Two edits in one: nothing that only one person changed is lost, and what both changed is asked about."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from builder.changes import describe
from builder.drafts.merge import ABSENT, Conflict, merge

BASE: dict[str, Any] = {
    "prompt": "Answer.",
    "greeting": "Hello!",
    "turns": {"interruptible": True, "pause": 0.2},
    "voice": {"connection": "local", "id": "heart"},
    "flow": None,
}


def step(key: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "kind": "say", "say": "Hm.", **more}


def flow(*steps: dict[str, Any]) -> dict[str, Any]:
    return {**BASE, "flow": {"start": "a", "steps": list(steps)}}


def test_changes_of_different_settings_are_both_kept() -> None:
    mine = {**BASE, "prompt": "Mine.", "turns": {"interruptible": False, "pause": 0.2}}
    theirs = {**BASE, "greeting": "Theirs.", "turns": {"interruptible": True, "pause": 0.9}}
    merged, conflicts = merge(BASE, mine, theirs, {})
    assert conflicts == []
    assert merged == {
        **BASE,
        "prompt": "Mine.",
        "greeting": "Theirs.",
        "turns": {"interruptible": False, "pause": 0.9},
    }


def test_the_same_setting_changed_by_both_is_a_conflict_until_one_is_chosen() -> None:
    mine, theirs = {**BASE, "prompt": "Mine.", "greeting": "Hi."}, {**BASE, "prompt": "Theirs."}
    _, conflicts = merge(BASE, mine, theirs, {})
    assert conflicts == [Conflict("prompt", "Mine.", "Theirs.")]
    assert merge(BASE, mine, theirs, {"prompt": "mine"}) == (mine, [])
    assert merge(BASE, mine, theirs, {"prompt": "theirs"}) == ({**theirs, "greeting": "Hi."}, [])


def test_the_same_change_twice_is_no_conflict() -> None:
    both = {**BASE, "prompt": "Both."}
    assert merge(BASE, both, both, {}) == (both, [])


def test_a_voice_and_its_vendor_are_chosen_together() -> None:
    mine = {**BASE, "voice": {"connection": "conn_1", "id": ""}}
    theirs = {**BASE, "voice": {"connection": "local", "id": "george"}}
    _, conflicts = merge(BASE, mine, theirs, {})
    assert [conflict.place for conflict in conflicts] == ["voice"]


def test_different_steps_of_a_flow_are_merged_and_added_ones_stay() -> None:
    base = flow(step("a"), step("b"))
    mine = flow(step("a", say="Mine."), step("b"), step("mine"))
    theirs = flow(step("new"), step("a"), step("b", say="Theirs."))
    merged, conflicts = merge(base, mine, theirs, {})
    assert conflicts == []
    assert merged == flow(step("new"), step("a", say="Mine."), step("b", say="Theirs."), step("mine"))


def test_a_flow_that_one_takes_out_while_the_other_writes_on_is_asked_about_in_words() -> None:
    base, theirs = flow(step("a")), flow(step("a", say="Theirs."))
    _, conflicts = merge(base, BASE, theirs, {})
    assert conflicts == [Conflict("flow", None, theirs["flow"])]
    assert "Theirs." in describe("flow", conflicts[0].theirs)[1]
    assert describe("flow", conflicts[0].mine)[1] == "none"
    assert merge(base, BASE, theirs, {"flow": "theirs"}) == (theirs, [])
    assert merge(base, theirs, BASE, {"flow": "mine"}) == (theirs, [])


def test_a_step_that_one_deletes_and_the_other_writes_on_is_asked_about() -> None:
    base, mine, theirs = flow(step("a"), step("b")), flow(step("a")), flow(step("a"), step("b", say="Theirs."))
    _, conflicts = merge(base, mine, theirs, {})
    assert conflicts == [Conflict("flow.steps.b", ABSENT, step("b", say="Theirs."))]
    assert merge(base, mine, theirs, {"flow.steps.b": "mine"}) == (mine, [])


def test_of_an_older_draft_that_is_forgotten_every_difference_is_asked_about() -> None:
    mine, theirs = {**BASE, "prompt": "Mine."}, {**BASE, "greeting": "Theirs."}
    _, conflicts = merge(None, mine, theirs, {})
    assert {conflict.place for conflict in conflicts} == {"prompt", "greeting"}


steps = st.builds(step, st.sampled_from("abc"), say=st.sampled_from(["Hm.", "Oh."]))
edits = st.fixed_dictionaries(
    {
        "prompt": st.sampled_from(["Answer.", "a", "b"]),
        "turns": st.fixed_dictionaries({"pause": st.sampled_from([0.2, 0.3]), "interruptible": st.booleans()}),
        "voice": st.sampled_from([BASE["voice"], {"connection": "x", "id": ""}]),
        "flow": st.none()
        | st.lists(
            st.builds(step, st.sampled_from("abc"), say=st.sampled_from(["Hm.", "Oh."])), unique_by=lambda s: s["id"]
        ).map(lambda steps: {"start": "a", "steps": steps}),
    }
)


@given(edits, edits)
def test_who_edits_alone_gets_what_they_wrote(base: dict[str, Any], mine: dict[str, Any]) -> None:
    assert merge(base, mine, base, {}) == (mine, [])
    assert merge(base, base, mine, {}) == (mine, [])


@given(edits, edits, edits)
def test_every_conflict_can_be_decided(base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    _, conflicts = merge(base, mine, theirs, {})
    merged, left = merge(base, mine, theirs, {conflict.place: "theirs" for conflict in conflicts})
    assert left == []
    if mine == base:
        assert merged == theirs
