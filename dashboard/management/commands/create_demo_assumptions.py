"""`manage.py create_demo_assumptions`: what `make run` calls, so that the page of assumptions has something to say."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dashboard.assumptions.demo.days import make_demo
from market import clock
from market.queries import active_markets
from market.statements.planning import count_tables


class Command(BaseCommand):
    help = (
        "Makes up what traders assumed on the last thirty days and today, and traded on it, once. Only with DEBUG on."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("demo assumptions are for a laptop: they are only made up with DEBUG on")
        for market in active_markets()[:1]:
            made = make_demo(market=market, now=clock.now())
            count_tables()
            self.stdout.write(f"{made} assumptions are made up.")
