"""Who sees whose: the own always, others' by the policy; where it is blind nobody's open ones before an own one."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import Group, User

from dashboard.access.rights import Role
from dashboard.assumptions.models import Assumption, AssumptionPolicy
from dashboard.assumptions.visibility import named_trader, viewer_of, visible_to
from tests.dashboard.assumptions.written import GATE, MINUTE, NOW, written
from tests.dashboard.people import a_head, a_trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def policy(*, shared: bool = False, blind: bool = False) -> None:
    AssumptionPolicy.objects.update_or_create(pk=1, defaults={"shared": shared, "blind": blind})


def in_group(role: Role) -> User:
    user = User.objects.create_user(role.value)
    user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    return user


def seen(user: User, at: datetime = NOW + MINUTE) -> set[int]:
    viewer = viewer_of(user)
    return set() if viewer is None else {assumption.pk for assumption in visible_to(viewer, at)}


def test_the_own_always_and_others_by_the_policy() -> None:
    anna, ben, head = a_trader(), a_trader("trader_2", "ben"), a_head()
    wall, operations = in_group(Role.WALL_SCREEN), in_group(Role.OPERATIONS)
    of_anna, of_ben = written(anna).pk, written(ben).pk
    policy()
    assert (seen(anna), seen(ben), seen(head)) == ({of_anna}, {of_ben}, {of_anna, of_ben})
    assert (seen(wall), seen(operations), viewer_of(wall), viewer_of(operations)) == (set(), set(), None, None)
    AssumptionPolicy.objects.all().delete()
    assert seen(anna) == {of_anna}, "without a row it is the strictest"
    policy(shared=True)
    assert seen(anna) == seen(ben) == seen(head) == seen(wall) == {of_anna, of_ben}
    assert seen(operations) == set()


def test_blind_nobody_sees_an_open_one_before_writing_an_own_one() -> None:
    anna, ben, head = a_trader(), a_trader("trader_2", "ben"), a_head()
    policy(shared=True, blind=True)
    one, later = written(anna).pk, written(anna, delivery_hours=["12-13", "13-14"]).pk
    assert (seen(ben), seen(head), seen(anna)) == (set(), set(), {one, later})
    own = written(ben).pk
    assert seen(ben) == {own, one}, "of the other one 13-14 is still unanswered"
    assert seen(anna) == {one, later, own}
    assert seen(head) == set(), "who can't write waits"
    assert seen(head, GATE + MINUTE) == {one, own}
    assert seen(head, GATE + 61 * MINUTE) == {one, later, own}


def test_a_trader_by_name_is_there_for_who_may_see_some_of_theirs() -> None:
    anna, head = a_trader(), a_head()
    a_trader("trader_2", "ben")
    policy()
    for user, name, found in (
        (anna, "trader_1", True),
        (anna, "trader_2", False),
        (head, "trader_2", True),
        (head, "\0", False),
    ):
        viewer = viewer_of(user)
        assert viewer is not None
        assert (named_trader(viewer, name) is not None) is found
    assert not Assumption.objects.exists()
