"""Who gets what at every address: the table that tests/access/test_matrix.py holds the product to.

An address without a row here fails the tests. To add one: a `Row` in PAGES (or `AdminModel` in ADMIN_MODELS, or
`Row` in SOCKETS) with the route as the resolver spells it, an address to ask, and one word for each column:

    200, 302, 404 …  the status          login  led to the log-in page
    status           led to /status/     open, 4401, 4404  what a websocket does

Then `python -m tests.access.matrix` writes the table in docs/access.md anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ANONYMOUS = "anonymous"
COLUMNS = (ANONYMOUS, "trader", "another trader", "desk head", "operations", "auditor", "admin", "wall screen")
"""`trader` is trader_1, whose boards the addresses are about."""

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "access.md"
BOARD = "trader_1/2026-11-23"
PERIOD = r"(?P<trader_id>.+)/(?P<day>\d{4}-\d{2}-\d{2})/(?P<delivery_hour>(?!\d{4}-\d{2}-\d{2}/?\Z)[^/]+)"


@dataclass(frozen=True, slots=True)
class Row:
    """One address. `words`: what each column gets, in the order of COLUMNS."""

    route: str
    address: str
    words: str
    about: str = ""

    def cells(self) -> dict[str, str]:
        return dict(zip(COLUMNS, self.words.split(), strict=True))


@dataclass(frozen=True, slots=True)
class AdminModel:
    """The admin's pages of one model, for operations, auditor and admin; for everybody else there is no admin."""

    name: str
    see: str = "403 200 200"
    add: str = "403 403 403"
    delete: str = "403 403 403"
    more: tuple[tuple[str, str, str], ...] = ()
    """(end of the route, end of the address, words)"""

    def rows(self) -> list[Row]:
        base = f"admin/{self.name.replace('.', '/')}/"
        one = "<path:object_id>/"
        pages = [
            ("", "", self.see, "list"),
            (f"{one}change/", "{pk}/change/", self.see, "one row"),
            (f"{one}history/", "{pk}/history/", self.see, "its history"),
            (one, "{pk}/", "302 302 302", "leads to the row"),
            ("add/", "add/", self.add, "add"),
            (f"{one}delete/", "{pk}/delete/", self.delete, "delete"),
            *((route, address, words, route.strip("/").split("/")[-2]) for route, address, words in self.more),
        ]
        return [
            Row(base + route, f"/{base}{address}".replace("{pk}", f"{{{self.name}}}"), admin(words), about)
            for route, address, words, about in pages
        ]


def admin(words: str) -> str:
    """The row of an admin's page from the words for operations, auditor and admin."""
    return f"login 404 404 404 {words} 404"


ONLY_READ = AdminModel  # the defaults are a page that auditors and admins read and nobody changes
DECIDE = "<path:object_id>/decide/<slug:decision>/"

PAGES = (
    Row("healthz", "/healthz", "200 200 200 200 200 200 200 200", "alive"),
    Row("readyz", "/readyz", "200 200 200 200 200 200 200 200", "able to serve"),
    Row("metrics", "/metrics", "200 200 200 200 200 200 200 200", "counts and states for Prometheus"),
    Row("", "/", "login 200 200 200 status 200 200 200", "own board of today, or the first that one may see"),
    Row(
        "boards/",
        f"/boards/?trader={BOARD[:8]}&day={BOARD[9:]}",
        "login 302 302 302 302 302 302 302",
        "leads to a board",
    ),
    Row("boards/<path:trader_id>/<str:day>/", f"/boards/{BOARD}/", "login 200 404 200 404 200 200 200", "board"),
    Row(
        "boards/<path:trader_id>/<str:day>/", "/boards/nobody/2026-11-23/", "login 404 404 404 404 404 404 404", "none"
    ),
    Row(
        rf"^boards/{PERIOD}/\Z", f"/boards/{BOARD}/12-13/", "login 200 404 200 404 200 200 200", "board, one row opened"
    ),
    Row(rf"^api/v1/trades/{PERIOD}\Z", f"/api/v1/trades/{BOARD}/12-13", "401 200 404 200 404 200 200 200", "its chart"),
    Row(
        "api/v1/boards/<path:trader_id>/<str:day>",
        f"/api/v1/boards/{BOARD}",
        "401 200 404 200 404 200 200 200",
        "board",
    ),
    Row(
        "boards/<path:trader_id>/<str:day>/",
        f"/boards/{BOARD}/?as_of=yesterday",
        "login 400 404 400 404 400 400 400",
        "board of a past moment, of none here",
    ),
    Row(
        "api/v1/boards/<path:trader_id>/<str:day>",
        f"/api/v1/boards/{BOARD}?as_of=yesterday",
        "401 400 404 400 404 400 400 400",
        "the same as JSON",
    ),
    Row("desk/<str:day>/", "/desk/2026-11-23/?as_of=yesterday", "login 404 404 400 404 400 400 400", "the desk's"),
    Row(
        "api/v1/prices/<str:market>/<str:day>/<str:delivery_hour>",
        "/api/v1/prices/DE/2026-11-23/12-13",
        "401 200 200 200 404 200 200 200",
        "path of a reference price",
    ),
    Row("api/", "/api/", "login 200 200 200 200 200 200 404", "the API for people"),
    Row("^api/.+", "/api/v1/nothing", "404 404 404 404 404 404 404 404", "nothing"),
    Row("api/v1/openapi.json", "/api/v1/openapi.json", "200 200 200 200 200 200 200 200", "the API for programs"),
    Row("api/v1/desk/<str:day>", "/api/v1/desk/2026-11-23", "401 404 404 200 404 200 200 200", "the desk"),
    Row(
        "api/v1/periods/<path:trader_id>/<str:day>/<str:delivery_hour>",
        f"/api/v1/periods/{BOARD}/12-13",
        "401 200 404 200 404 200 200 200",
        "a row opened",
    ),
    Row("api/v1/history", "/api/v1/history", "401 200 200 200 404 200 200 200", "the own range of days, or the desk's"),
    Row(
        "api/v1/history",
        "/api/v1/history?trader=trader_1",
        "401 200 404 200 404 200 200 200",
        "a trader's range of days",
    ),
    Row("api/v1/alerts", "/api/v1/alerts", "401 200 200 200 200 200 200 200", "own alerts and rules"),
    Row(
        "api/v1/alerts/<int:number>/seen",
        "/api/v1/alerts/1/seen",
        "405 405 405 405 405 405 405 405",
        "acknowledges an own one, by POST",
    ),
    Row("alerts/", "/alerts/", "login 200 200 200 200 200 200 404", "own alerts and rules"),
    Row("alerts/change/", "/alerts/change/", "405 405 405 405 405 405 405 405", "own ones, by POST"),
    Row("alerts/line/", "/alerts/line/", "login 200 200 200 200 200 200 200", "own alerts that were not seen yet"),
    Row("api/v1/gaps", "/api/v1/gaps", "401 200 200 200 200 200 200 200", "times without the exchange"),
    Row("api/v1/status", "/api/v1/status", "401 404 404 200 200 200 200 404", "the feeds"),
    Row("api/v1/events", "/api/v1/events", "401 200 200 200 200 200 200 200", "what happens, as it happens"),
    Row("api/v1/events", "/api/v1/events?after=x", "401 400 400 400 400 400 400 400", "after no number"),
    Row("assumptions/", "/assumptions/", "login 200 200 200 404 200 200 404", "assumptions, those to see"),
    Row("assumptions/", "/assumptions/?trader_id=trader_1", "login 200 404 200 404 200 200 404", "a trader's"),
    Row(
        "assumptions/board/",
        "/assumptions/board/?trader=trader_1&day=2026-11-23",
        "401 200 404 200 404 200 200 404",
        "what a board shows of them",
    ),
    Row(
        r"^assumptions/assumptions\.(?P<form>csv|xlsx|sheet\.csv)\Z",
        "/assumptions/assumptions.csv?trader_id=trader_1",
        "login 200 404 200 404 200 200 404",
        "the same as a file (.xlsx alike)",
    ),
    Row(
        "assumptions/assumptions.json",
        "/assumptions/assumptions.json?trader_id=trader_1",
        "login 200 404 200 404 200 200 404",
        "the same as JSON",
    ),
    Row(
        "assumptions/<int:number>/withdraw/",
        "/assumptions/{dashboard.assumption}/withdraw/",
        "405 405 405 405 405 405 405 405",
        "an own one, by POST",
    ),
    Row("api/v1/assumptions", "/api/v1/assumptions", "401 200 200 200 404 200 200 404", "assumptions, those to see"),
    Row(
        "api/v1/assumptions",
        "/api/v1/assumptions?trader_id=trader_1",
        "401 200 404 200 404 200 200 404",
        "a trader's",
    ),
    Row(
        "api/v1/assumptions/<int:number>",
        "/api/v1/assumptions/{dashboard.assumption}",
        "401 200 404 200 404 200 200 404",
        "one of trader_1's",
    ),
    Row("desk/against-itself/", "/desk/against-itself/", "login 404 404 200 404 200 200 404", "who met whom, today"),
    Row(
        "desk/against-itself/<str:day>/",
        "/desk/against-itself/2026-11-23/",
        "login 404 404 200 404 200 200 404",
        "who of the desk met whom",
    ),
    Row(
        "api/v1/desk/<str:day>/against-itself",
        "/api/v1/desk/2026-11-23/against-itself",
        "401 404 404 200 404 200 200 404",
        "the same as JSON",
    ),
    Row("desk/", "/desk/", "login 404 404 200 404 200 200 200", "the desk today"),
    Row("desk/<str:day>/", "/desk/2026-11-23/", "login 404 404 200 404 200 200 200", "the desk"),
    Row(
        r"^boards/(?P<trader_id>.+)/(?P<day>\d{4}-\d{2}-\d{2})/board\.(?P<form>csv|xlsx|sheet\.csv)\Z",
        f"/boards/{BOARD}/board.csv",
        "login 200 404 200 404 200 200 200",
        "board as a file (.xlsx alike)",
    ),
    Row(
        r"^boards/(?P<trader_id>.+)/(?P<day>\d{4}-\d{2}-\d{2})/(?P<delivery_hour>(?!\d{4}-\d{2}-\d{2}/?\Z)[^/]+)/trades\.(?P<form>csv|xlsx|sheet\.csv)\Z",
        f"/boards/{BOARD}/12-13/trades.csv",
        "login 200 404 200 404 200 200 200",
        "a row's trades as a file",
    ),
    Row(
        r"^desk/(?P<day>[^/]+)/desk\.(?P<form>csv|xlsx|sheet\.csv)\Z",
        "/desk/2026-11-23/desk.csv",
        "login 404 404 200 404 200 200 200",
        "the desk as a file",
    ),
    Row(
        r"^history/history\.(?P<form>csv|xlsx|sheet\.csv)\Z",
        "/history/history.csv?trader=trader_1",
        "login 200 404 200 404 200 200 200",
        "a range of days as a file",
    ),
    Row("history/", "/history/", "login 200 200 200 404 200 200 200", "the own range of days, or the desk's"),
    Row("history/", "/history/?trader=trader_1", "login 200 404 200 404 200 200 200", "a trader's range of days"),
    *(
        row
        for path in ("history/earnings/", "history/earnings/trades/")
        for row in (
            Row(path, f"/{path}", "login 200 200 200 404 200 200 200", "the own earnings, or the desk's"),
            Row(path, f"/{path}?trader=trader_1", "login 200 404 200 404 200 200 200", "a trader's earnings"),
            Row(path, f"/{path}?left=12", "login 400 400 400 404 400 400 400", "no step of time left")
            if path.endswith("trades/")
            else Row(path, f"/{path}?side=up", "login 400 400 400 404 400 400 400", "no side"),
        )
    ),
    Row("history/", "/history/?trader=nobody", "login 404 404 404 404 404 404 404", "none"),
    Row("status/", "/status/", "login 404 404 200 200 200 200 404", "the feeds"),
    Row("status/runbooks/<slug:name>/", "/status/runbooks/gap/", "login 404 404 200 200 200 200 404", "what to do"),
    Row("status/", "/status/?format=json", "401 404 404 200 200 200 200 404", "the feeds as JSON"),
    Row("reading/", "/reading/", "405 405 405 405 405 405 405 405", "how boards are read, by POST alone"),
    Row("first-visit/", "/first-visit/", "405 405 405 405 405 405 405 405", "the first visit begins, by POST alone"),
    Row("marks/", "/marks/", "405 405 405 405 405 405 405 405", "what boards show, by POST alone"),
    Row("language/", "/language/", "405 405 405 405 405 405 405 405", "the pages' language, by POST alone"),
    Row("accounts/", "/accounts/", "login 200 200 200 200 200 200 200", "the own account"),
    Row(
        "accounts/sessions/end/", "/accounts/sessions/end/", "405 405 405 405 405 405 405 405", "own sessions, by POST"
    ),
    Row("accounts/tokens/", "/accounts/tokens/", "405 405 405 405 405 405 405 405", "a new token, by POST alone"),
    Row(
        "accounts/tokens/revoke/", "/accounts/tokens/revoke/", "405 405 405 405 405 405 405 405", "an own one, by POST"
    ),
    Row("accounts/password/", "/accounts/password/", "login 200 200 200 200 200 200 200", "own password"),
    Row("accounts/second-step/", "/accounts/second-step/", "login login login login login login login login", "log-in"),
    Row(
        "accounts/second-factor/",
        "/accounts/second-factor/",
        "login 404 404 404 404 404 404 404",
        "off here: not there",
    ),
    Row(
        "accounts/second-factor/remove/",
        "/accounts/second-factor/remove/",
        "405 405 405 405 405 405 405 405",
        "by POST",
    ),
    Row("accounts/company/", "/accounts/company/", "404 404 404 404 404 404 404 404", "off here: not there"),
    Row("accounts/company/back/", "/accounts/company/back/", "404 404 404 404 404 404 404 404", "off here: not there"),
    Row("accounts/login/", "/accounts/login/", "200 302 302 302 302 302 302 302", "log-in"),
    Row("accounts/logout/", "/accounts/logout/", "405 405 405 405 405 405 405 405", "log-out, by POST alone"),
)

ADMIN_PAGES = (
    Row("admin/", "/admin/", admin("200 200 200"), "index"),
    Row("admin/login/", "/admin/login/", admin("302 302 302"), "leads to the log-in"),
    Row("admin/logout/", "/admin/logout/", admin("405 405 405"), "by POST alone"),
    Row("admin/password_change/", "/admin/password_change/", admin("200 200 200"), "own password"),
    Row("admin/password_change/done/", "/admin/password_change/done/", admin("200 200 200"), "own password"),
    Row(
        "admin/autocomplete/",
        "/admin/autocomplete/?app_label=dashboard&model_name=traderlogin&field_name=trader&term=t",
        admin("200 200 200"),
        "traders to choose from",
    ),
    Row("admin/jsi18n/", "/admin/jsi18n/", admin("200 200 200"), "words for scripts"),
    Row("admin/r/<path:content_type_id>/<path:object_id>/", "/admin/r/1/1/", admin("404 404 404"), "nothing"),
    Row("admin/^(?P<app_label>)/$", "/admin/trades/", admin("200 200 200"), "index of an app"),
    Row("admin/(?P<url>.*)$", "/admin/nothing/", admin("404 404 404"), "nothing"),
)

ADMIN_MODELS = (
    ONLY_READ("audit.entry"),
    AdminModel("auth.group", add="403 403 200", delete="403 403 200"),
    AdminModel(
        "auth.user",
        see="200 200 200",
        add="200 403 200",
        more=(("<id>/password/", "{pk}/password/", "404 404 200"),),
    ),
    AdminModel("market.market", see="200 200 200", add="403 403 200", delete="403 403 200"),
    ONLY_READ("dashboard.assumptionpolicy"),
    AdminModel("dashboard.traderlogin", see="200 200 200", add="403 403 200", delete="403 403 200"),
    AdminModel("trades.trader", see="200 200 200", add="200 403 200"),
    AdminModel("trades.trade", more=((DECIDE, "{pk}/decide/cancel/", "403 403 302"),)),
    ONLY_READ("trades.position"),
    AdminModel("trades.quarantinedmessage", see="200 200 200", more=((DECIDE, "{pk}/decide/dismiss/", "302 403 302"),)),
    AdminModel("trades.journalprogress", see="200 200 200"),
    AdminModel("trades.feedconnection", see="200 200 200"),
    AdminModel("trades.feedgap", see="200 200 200", more=((DECIDE, "{pk}/decide/close/", "302 403 302"),)),
    AdminModel("prices.referenceprice", see="200 200 200"),
    AdminModel("prices.referencepricehistory", see="200 200 200"),
    AdminModel("prices.providerrequest", see="200 200 200"),
    AdminModel("prices.pricecorrection", see="200 200 200"),
    AdminModel("prices.pricecheck", see="200 200 200", add="200 403 200"),
)

SOCKETS = (
    Row(r"^ws/assumptions/$", "/ws/assumptions/", "4401 open open open 4404 open open 4404", "news of assumptions"),
    Row(
        r"^ws/desk/(?P<day>\d{4}-\d{2}-\d{2})/$",
        "/ws/desk/2026-11-23/",
        "4401 4404 4404 open 4404 open open open",
        "desk",
    ),
    Row(
        r"^ws/boards/(?P<trader_id>.+)/(?P<day>\d{4}-\d{2}-\d{2})/$",
        f"/ws/boards/{BOARD}/",
        "4401 open 4404 open 4404 open open open",
        "board",
    ),
    Row(
        r"^ws/boards/(?P<trader_id>.+)/(?P<day>\d{4}-\d{2}-\d{2})/$",
        "/ws/boards/nobody/2026-11-23/",
        "4401 4404 4404 4404 4404 4404 4404 4404",
        "no board",
    ),
)


PROGRAMS = re.compile(r"/api/v|(?!/accounts/|/admin/)[^?]*\.(csv|xlsx|json)(\?|\Z)|/status/\?format=json")
"""The addresses where a token is its user; everywhere else it is nobody."""


def with_token(row: Row, column: str) -> str:
    """What a token of that column's user gets: what the user gets, and nothing where only people go."""
    return row.cells()[column if PROGRAMS.match(row.address) else ANONYMOUS]


def http_rows() -> list[Row]:
    """Every row that is asked by HTTP."""
    return [*PAGES, *ADMIN_PAGES, *(row for model in ADMIN_MODELS for row in model.rows())]


def table() -> str:
    """The matrix for people, in Markdown."""
    lines = [
        "# Who gets what",
        "",
        "Made by `python -m tests.access.matrix` from tests/access/matrix.py, which the tests hold the product to.",
        "Every address of the product is here; one that is not fails the build. Numbers are HTTP statuses, *login*",
        "leads to the log-in page, *status* to the feeds; *open*, 4401 and 4404 are a websocket's. Addresses are",
        "about trader_1, who is the *trader* here. A token gets what its user gets under /api/, at files and at",
        "/status/?format=json, and everywhere else what *anonymous* gets. Roles:",
        "[dashboard/access/rights.py](../dashboard/access/rights.py).",
        "",
        f"| address | what | {' | '.join(COLUMNS)} |",
        f"|---|---|{'---|' * len(COLUMNS)}",
    ]
    for row in [*http_rows(), *SOCKETS]:
        address = row.address.replace("|", "\\|")
        lines.append(f"| `{address}` | {row.about} | {' | '.join(row.words.split())} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(table(), encoding="utf-8")
