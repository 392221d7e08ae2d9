"""The provider's answers: what is taken, what is refused and why; no bad day costs more than a request's time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulators.scripted_provider import ScriptedProvider
from market.labels import parse_period
from market.periods import DeliveryPeriod
from prices import observations
from prices.observations import Outcome, Published, Refusal, Undefined
from prices.polling import provider as provider_module
from prices.polling.provider import BadAnswer, Question, fetch, parse_answer

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2023, 2, 6)
NOON = parse_period(DAY, "12-13", BERLIN).period
NOW = datetime(2023, 2, 6, 9, 16, tzinfo=UTC)
GOOD = {
    "delivery_day": "2023-02-06",
    "delivery_hour": "12-13",
    "value": 100.0,
    "unit": "euro",
    "last_update": "2023-02-06T09:15:45Z",
}


def question(url: str = "", *, day: date = DAY, period: DeliveryPeriod = NOON) -> Question:
    return Question(url, day, period, BERLIN, "EUR", NOW)


def body(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def parsed(raw: bytes) -> Published:
    answer = parse_answer(raw, question())
    assert isinstance(answer, Published)
    return answer


# --- what is taken -------------------------------------------------------------------------------------------------
def test_the_documented_answer() -> None:
    assert parsed(body()) == Published(Decimal(100), datetime(2023, 2, 6, 9, 15, 45, tzinfo=UTC))


@pytest.mark.parametrize("unit", ["euro", "euro/mwh", "EUR/MWh", "Eur", " Euro "])
def test_the_unit_has_several_spellings(unit: str) -> None:
    assert parsed(body(unit=unit)).value == 100


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("0.1", "0.1"),
        ("-500", "-500"),
        ("0", "0"),
        ("-0.0", "0"),
        ("1e3", "1000"),
        ("999999.99", "999999.99"),
        ("20.12345678949", "20.1234567895"),
        ("12345678901234567890e-18", "12.3456789012"),
    ],
)
def test_numbers_are_exact_to_ten_decimals(number: str, value: str) -> None:
    raw = body().replace(b"100.0", number.encode())
    assert parsed(raw).value == Decimal(value)
    assert str(parsed(raw).value) == str(Decimal(value).quantize(Decimal("1e-10")))


@pytest.mark.parametrize("hour", ["12-13", "12:00-13:00"])
def test_the_same_period_in_another_spelling(hour: str) -> None:
    assert parsed(body(delivery_hour=hour)).value == 100


def test_the_end_of_the_day_has_two_names() -> None:
    late = question(period=parse_period(DAY, "23-24", BERLIN).period)
    assert isinstance(parse_answer(body(delivery_hour="23-00"), late), Published)


@pytest.mark.parametrize(
    "text", ["2023-02-06T10:15:45+01:00", "2023-02-06T09:15:45.000000000Z", "2023-02-06 09:15:45+00:00"]
)
def test_times_in_any_zone(text: str) -> None:
    assert parsed(body(last_update=text)).last_update == datetime(2023, 2, 6, 9, 15, 45, tzinfo=UTC)


def test_null_is_undefined_whatever_else_is_missing() -> None:
    assert isinstance(parse_answer(body(value=None, last_update=None, unit=None), question()), Undefined)


# --- what is refused -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b'{"delivery_day": "2023-02', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"<html>Bad Gateway</html>", "a web page"),
        (b"[" * 60_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"value": NaN}', "contains NaN"),
        (body().replace(b"100.0", b"Infinity"), "contains Infinity"),
        (body().replace(b"100.0", b"1e400"), "beyond"),
        (body().replace(b"100.0", b"1e9999999999999999999"), "not JSON|beyond"),
        (body().replace(b"100.0", b"1000000.01"), "beyond"),
        (body(value="100.0"), "not a number"),
        (body(value=True), "not a number"),
        (body(value=[1]), "not a number"),
        (b'{"delivery_day": "2023-02-06", "delivery_hour": "12-13"}', "no value"),
        (body(unit="usd"), "unit"),
        (body(unit="euro/kwh"), "unit"),
        (body(unit=None), "unit"),
        (body(unit=1), "unit"),
        (body(delivery_hour="13-14"), "another period"),
        (body(delivery_hour="12:00-12:30"), "another period"),
        (body(delivery_day="2023-02-07"), "another period"),
        (body(delivery_hour="noon"), "can't be read"),
        (body(delivery_day="06.02.2023"), "can't be read"),
        (body(delivery_hour=12), "doesn't name"),
        (b'{"value": 1}', "doesn't name"),
        (body(last_update=None), "not a time"),
        (body(last_update="yesterday"), "not a time"),
        (body(last_update=1675674945), "not a time"),
        (body(last_update="2023-02-06T09:15:45"), "no time zone"),
        (body(last_update="0001-01-01T00:00:00+10:00"), "not a time"),
        (body(last_update="2023-02-06T09:18:01Z"), "in the future"),
    ],
)
def test_a_bad_body_is_refused_with_its_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(BadAnswer, match=reason) as refusal:
        parse_answer(raw, question())
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 300


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), json_values) | json_values)
def test_any_json_is_an_answer_or_a_refusal(changes: object) -> None:
    raw = json.dumps({**GOOD, **changes} if isinstance(changes, dict) else changes).encode()
    try:
        answer = parse_answer(raw, question())
    except BadAnswer:
        return
    if isinstance(answer, Published):
        assert abs(answer.value) <= 1_000_000
        assert answer.last_update <= NOW + timedelta(minutes=2)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_a_refusal(raw: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse_answer(raw, question())


# --- over the wire -------------------------------------------------------------------------------------------------
def ask(url: str) -> observations.Answer:
    return fetch(question(url), reserved_at=time.monotonic())


def refusal(url: str, outcome: Outcome, reason: str) -> Refusal:
    answer = ask(url)
    assert isinstance(answer, Refusal)
    assert answer.outcome is outcome
    assert reason in answer.reason
    return answer


def test_a_price_over_http(provider: ScriptedProvider) -> None:
    provider.set("2023-02-06", "12-13", "9.8", last_update="2023-02-06T09:15:45Z")
    assert ask(provider.url) == Published(Decimal("9.8"), datetime(2023, 2, 6, 9, 15, 45, tzinfo=UTC))
    assert ask(provider.url + "/") == ask(provider.url)
    assert provider.requests[0].target == "/reference-price?delivery_day=2023-02-06&delivery_hour=12-13"


def test_404_is_undefined(provider: ScriptedProvider) -> None:
    assert isinstance(ask(provider.url), Undefined)


def test_429_says_how_long_to_wait(provider: ScriptedProvider) -> None:
    for header, pause in (("17", 17.0), ("Mon, 06 Feb 2023 09:18:00 GMT", 120.0), ("soon", 60.0), ("999999", 3600.0)):
        provider.fail(429, Retry_After=header)
        assert refusal(provider.url, Outcome.REFUSED, "429").retry_after == pause
    provider.fail(429)
    assert refusal(provider.url, Outcome.REFUSED, "429").retry_after == 60


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (500, Outcome.FAILED),
        (502, Outcome.FAILED),
        (503, Outcome.FAILED),
        (400, Outcome.BAD_ANSWER),
        (403, Outcome.BAD_ANSWER),
        (204, Outcome.BAD_ANSWER),
    ],
)
def test_other_statuses(provider: ScriptedProvider, status: int, outcome: Outcome) -> None:
    provider.fail(status, body=b"" if status == 204 else b"{}")
    refusal(provider.url, outcome, str(status))


def test_a_redirect_is_not_followed(provider: ScriptedProvider) -> None:
    provider.fail(302, Location=f"{provider.url}/reference-price")
    refusal(provider.url, Outcome.BAD_ANSWER, "redirect")
    assert len(provider.requests) == 1


def test_a_web_page_with_status_200(provider: ScriptedProvider) -> None:
    provider.fail(200, body=b"<!doctype html><title>Maintenance</title>")
    refusal(provider.url, Outcome.BAD_ANSWER, "a web page")


def test_half_a_json(provider: ScriptedProvider) -> None:
    provider.fail(200, body=body()[:40])
    refusal(provider.url, Outcome.BAD_ANSWER, "not JSON")


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    refusal(f"http://127.0.0.1:{port}", Outcome.FAILED, "refused")


def test_an_address_that_is_none() -> None:
    refusal("http://", Outcome.FAILED, "no answer")


def test_proxies_of_the_environment_are_ignored(provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert isinstance(ask(provider.url), Undefined)


def test_a_request_that_was_held_up_is_not_sent(provider: ScriptedProvider) -> None:
    answer = fetch(question(provider.url), reserved_at=time.monotonic() - 3)
    assert isinstance(answer, Refusal)
    assert answer.outcome is Outcome.FAILED
    assert provider.requests == []


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads a request and then does with the connection what `talk` does."""
    done = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    talk(connection)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            listener.shutdown(socket.SHUT_RDWR)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def hang(connection: socket.socket) -> None:
    connection.recv(1)


def drip_headers(connection: socket.socket) -> None:
    drip(connection, HEAD + b"X-Padding: " + b"x" * 10_000)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 10000\r\n\r\n")
    drip(connection, b" " * 10_000)


def drip_chunks(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    drip(connection, b"1\r\n \r\n" * 10_000)


def drip_without_a_length(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Connection: close\r\n\r\n")
    drip(connection, b" " * 10_000)


def drip(connection: socket.socket, text: bytes) -> None:
    connection.settimeout(0.02)
    for byte in text:
        connection.sendall(bytes([byte]))
        try:
            if not connection.recv(1):  # waits 20 ms, or learns that the client has gone
                return
        except TimeoutError:
            continue


@pytest.mark.parametrize("talk", [hang, drip_headers, drip_body, drip_chunks, drip_without_a_length])
def test_a_request_ends_at_its_deadline(talk: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_module, "TOTAL_SECONDS", 0.5)
    with raw_server(talk) as url:
        begin = time.monotonic()
        refusal(url, Outcome.FAILED, "no whole answer within")
        assert 0.4 < time.monotonic() - begin < 1.5


def test_a_body_of_50_mb_is_not_read() -> None:
    sent = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 52428800\r\n\r\n")
        for _ in range(50):
            connection.sendall(b" " * 1024 * 1024)
            sent.append(1)

    with raw_server(flood) as url:
        refusal(url, Outcome.BAD_ANSWER, "larger than 64 KiB")
    assert len(sent) < 20


def test_a_compressed_bomb_is_not_unpacked() -> None:
    import gzip

    bomb = gzip.compress(b" " * 50_000_000)

    def send(connection: socket.socket) -> None:
        head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: " + str(len(bomb)).encode()
        connection.sendall(head + b"\r\n\r\n" + bomb)

    with raw_server(send) as url:
        refusal(url, Outcome.BAD_ANSWER, "larger than 64 KiB")


def test_a_connection_cut_in_the_middle() -> None:
    def cut(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 500\r\n\r\n" + body()[:30])

    with raw_server(cut) as url:
        answer = ask(url)
    assert isinstance(answer, Refusal)


def test_no_http_at_all() -> None:
    with raw_server(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n")) as url:
        refusal(url, Outcome.FAILED, "no answer")


def test_a_connection_is_used_again(provider: ScriptedProvider) -> None:
    provider.set("2023-02-06", "12-13", "9.8", last_update="2023-02-06T09:15:45Z")
    ask(provider.url)
    session = provider_module._session()
    pool = session.get_adapter(provider.url).poolmanager.connection_from_url(provider.url)  # type: ignore[attr-defined]
    before = pool.num_connections
    ask(provider.url)
    assert pool.num_connections == before
