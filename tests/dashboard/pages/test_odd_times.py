"""A trade with a time of execution at the edge of the calendar is shown, filed and added up like all others."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client

from market.areas.adding import add_market
from tests.dashboard.boards import MORNING
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import confirmation, germany
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames
from trades.models import Trade

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]

ODD = ("9999-12-31T23:59:59Z", "9999-12-31T12:00:00Z", "0001-01-01T00:00:00Z", "1800-01-01T00:00:00Z")
DAY = date(2026, 11, 23)
OF_PERIOD = f"/boards/trader_1/{DAY}/12-13"
TRADERS = (
    f"/boards/trader_1/{DAY}/",
    f"{OF_PERIOD}/",
    f"{OF_PERIOD}/trades.csv",
    f"{OF_PERIOD}/trades.sheet.csv",
    f"{OF_PERIOD}/trades.xlsx",
    f"/api/v1/trades/trader_1/{DAY}/12-13",
    "/history/",
    "/history/earnings/",
    f"/history/earnings/trades/?hour=12&from={DAY}&to={DAY}",
)
HEADS = (f"/desk/{DAY}/", f"/desk/against-itself/{DAY}/")


@pytest.mark.parametrize("code", ["DE", "GB"])
@pytest.mark.parametrize("executed", ODD)
def test_every_page_and_file_has_it(client: Client, executed: str, code: str) -> None:
    market = germany()
    if code != "DE":
        market = add_market(code)
    frames = [
        JournalFrame(1, MORNING, confirmation("odd", execution_time=executed)),
        JournalFrame(2, MORNING, confirmation("usual")),
    ]
    store_frames(market=market, source=FrameSource("j", "l"), frames=frames)
    assert Trade.objects.count() == 2
    for user, addresses in ((a_trader(), TRADERS), (a_head(), HEADS)):
        client.force_login(user)
        for address in addresses:
            answer = client.get(address, {"market": code} if "?" not in address else None)
            assert answer.status_code == 200, address
            body = b"".join(answer) if answer.streaming else answer.content  # type: ignore[arg-type]
            assert body
            if address.endswith(".csv"):
                assert b"odd" in body
                assert b"usual" in body
