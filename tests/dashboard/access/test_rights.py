"""What a session's standing lets it see, without asking a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from dashboard.access.rights import Role
from dashboard.access.standings import Standing
from dashboard.figures.board_key import WHOLE_DESK

TRADER = Standing("digest", 1, "anna", frozenset(), trader_pk=7, expires_at=datetime.max.replace(tzinfo=UTC))


def test_a_trader_sees_the_own_board_and_nothing_else() -> None:
    assert TRADER.may_see_board(7)
    assert not TRADER.may_see_board(8)
    assert not TRADER.may_see_board(WHOLE_DESK)


def test_a_head_sees_every_board_and_the_whole_desk() -> None:
    head = replace(TRADER, trader_pk=None, roles=frozenset({Role.DESK_HEAD}))
    assert head.may_see_board(7)
    assert head.may_see_board(WHOLE_DESK)


def test_who_has_no_trader_is_not_taken_for_the_whole_desk() -> None:
    assert not replace(TRADER, trader_pk=None).may_see_board(WHOLE_DESK)
