"""What is odd about a trade, in a word or two for a narrow column."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from trades.models import TradeFlag

SHORT_FLAGS = {
    TradeFlag.PERIOD_CLOSED: gettext_lazy("late"),
    TradeFlag.UNKNOWN_TRADER: gettext_lazy("unknown trader"),
    TradeFlag.ODD_EXECUTION_TIME: gettext_lazy("odd time"),
    TradeFlag.AMBIGUOUS_HOUR: gettext_lazy("hour unclear"),
    TradeFlag.PRICE_OUT_OF_BOUNDS: gettext_lazy("price out of bounds"),
    TradeFlag.UNLISTED_PRODUCT: gettext_lazy("unlisted product"),
    TradeFlag.NOT_IN_FILE: gettext_lazy("not in file"),
}
