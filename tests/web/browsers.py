"""Browsers without a screen: they log in as people do and read pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import requests

from tests.dashboard.people import PASSWORD

HEADERS = {"Accept-Language": "en"}


@dataclass
class Browser:
    """One logged-in browser at one web process."""

    address: str
    username: str
    password: str = PASSWORD

    def __post_init__(self) -> None:
        self.session = requests.Session()
        self.session.headers.update(HEADERS)
        self.log_in()

    def log_in(self) -> None:
        """Through the login page, as people do."""
        form = self.session.get(f"{self.address}/accounts/login/").text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        if found is None:  # still logged in
            return
        data = {"username": self.username, "password": self.password, "csrfmiddlewaretoken": found[1]}
        answer = self.session.post(f"{self.address}/accounts/login/", data=data, allow_redirects=False)
        assert answer.status_code == 302, answer.text

    def board(self, trader: str, day: date) -> requests.Response:
        """The board's page, whatever the answer is."""
        return self.session.get(f"{self.address}/boards/{trader}/{day}/", allow_redirects=False, timeout=20)

    @property
    def cookies(self) -> str:
        """As a header, for this browser's websockets."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.session.cookies)


def shown(answer: requests.Response, field: str = "trade_count") -> str:
    """The day's figure on the page."""
    assert answer.status_code == 200, answer.status_code
    found = re.search(rf'data-total="{field}"[^>]* data-value="([^"]*)"', answer.text)
    assert found is not None
    return found[1]
