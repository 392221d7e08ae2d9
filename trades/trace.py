"""One trade's whole way: the frame as it came, the row, what became of it, and the position that it counts in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.db import connection

from market.totals import Total
from trades.capture.journal import JournalError, read_frames
from trades.capture.journal_archive import find_segment
from trades.effective_trades import IDENTITY, IS_POSITION, TRADES_OF_TRADERS_DAY, effective_trades
from trades.frames import JournalFrame
from trades.ledger.effective import SUMS, PositionKey, effective_facts, facts_now
from trades.models import JournalProgress, Position, QuarantinedMessage, Trade, TradeChange

_FROM_FILE, _FROM_QUARANTINE, _DIRECT = "file-", "quarantine-", "direct-"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a trade's frame is: `words` for people, one sentence a line; `frame` and `file` where they are at hand."""

    words: tuple[str, ...]
    file: Path | None = None
    frame: bytes | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of one trade. `facts` are those that count now: its own, a correction's, or None once cancelled.

    `of_trades` is what the trades of its position add up to now, summed anew (trades, MW, MWh, EUR).
    """

    trade: Trade
    origin: Origin
    changes: list[TradeChange]
    kept_aside: list[QuarantinedMessage]
    facts: Trade | TradeChange | None
    position: Position | None
    of_trades: Total

    @property
    def is_exact(self) -> bool:
        """Whether the position is what its trades add up to."""
        p = self.position
        return p is not None and Total(p.trade_count, p.energy, p.turnover, p.quantity) == self.of_trades


def trace(*, market_id: int, exchange_id: str, directory: Path) -> Trace | None:
    """Everything about the trade with this id; None if the market has none. Reads its journal under `directory`."""
    trade = (
        Trade.objects.select_related("market", "trader", "second_side_of")
        .filter(market_id=market_id, exchange_id=exchange_id)
        .first()
    )
    if trade is None:
        return None
    key = effective_facts(trade_pk=trade.pk)
    return Trace(
        trade=trade,
        origin=find_origin(trade.source, trade.source_position, directory),
        changes=list(trade.changes.select_related("made_by", "trader").order_by("id")),
        kept_aside=list(
            QuarantinedMessage.objects.defer("raw").filter(market_id=market_id, exchange_id=exchange_id).order_by("id")
        ),
        facts=facts_now(trade),
        position=None if key is None else _position(key),
        of_trades=Total() if key is None else _sums(key),
    )


def source_words(source: str, position: int) -> str:
    """Where a frame came from, in one sentence, without looking at any disk."""
    if source.startswith(_FROM_FILE):
        return f"line {position} of an imported file (SHA-256 {source.removeprefix(_FROM_FILE)})"
    if source.startswith(_FROM_QUARANTINE):
        return f"frame kept aside no. {source.removeprefix(_FROM_QUARANTINE)}, booked by a person"
    if source.startswith(_DIRECT):
        return f"frame {position} straight to the database, because the journal's disk failed ({source})"
    return f"frame {position} of journal {source}"


def find_origin(source: str, position: int, directory: Path) -> Origin:
    """The frame itself, where it still can be had, and where it is."""
    words = source_words(source, position)
    if source.startswith(_FROM_QUARANTINE):
        return _kept_aside(words, int(source.removeprefix(_FROM_QUARANTINE)))
    if source.startswith((_FROM_FILE, _DIRECT)):
        return Origin((words,))
    path = find_segment(directory, source)
    if path is None:
        owner = JournalProgress.objects.filter(journal=source).values_list("listener", flat=True).first()
        where = f"its file is not under {directory}: on the disk of {owner or 'its listener'}, or removed by now"
        return Origin((words, where))
    where = f"file {path}" + (" (archived)" if path.suffix == ".gz" else "")
    frame = _frame(path, position)
    if frame is None:
        return Origin((words, where, "that frame can't be read in the file any more"), path)
    return Origin((words, where), path, frame.frame)


def _kept_aside(words: str, pk: int) -> Origin:
    message = QuarantinedMessage.objects.select_related("handled_by").filter(pk=pk).first()
    if message is None:
        return Origin((words,))
    judged = f"booked by {message.handled_by}: {message.note}"
    return Origin((words, judged, source_words(message.source, message.source_position)), None, bytes(message.raw))


def _frame(path: Path, number: int) -> JournalFrame | None:
    try:
        return next((f for f in read_frames(path, after=number - 1) if f.number == number), None)
    except (JournalError, OSError):
        return None


def _position(key: PositionKey) -> Position | None:
    return Position.objects.filter(**dict(zip(IDENTITY.split(", "), key, strict=True))).first()


def _sums(key: PositionKey) -> Total:
    """What the trades of a position add up to, computed by PostgreSQL from the trades alone."""
    market_id, trader_pk, _, day, _, _ = key
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT n, mwh, eur, mw FROM (SELECT {SUMS} FROM ({effective_trades(ids=TRADES_OF_TRADERS_DAY)}) AS e
                WHERE {IS_POSITION}) AS s""",  # noqa: S608 - our own text
            [market_id, trader_pk, day, trader_pk, day, *key],
        )
        n, *sums = cursor.fetchone()
    return Total(n, *(Decimal(value or 0) for value in sums))


def readable(frame: bytes, most: int) -> str:
    """The frame's first `most` characters for people: what is not text stands there as an escape."""
    text = frame[: 4 * most].decode("utf-8", "backslashreplace")
    shown = "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text[:most])
    return shown + (f" … ({len(frame)} bytes in all)" if len(text) > most else "")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
