"""Where the log ends now, and whether the database can be reached: watched by one thread for all requests."""

import asyncio
import threading
from typing import Any

import psycopg

from adapters.logging import Logger
from adapters.postgres.database import Database
from adapters.postgres.projecting import log
from adapters.postgres.projecting.projector import CHANNEL

POLL_SECONDS = 0.25
"""A notification may be lost, so the log is looked at this often."""
APART_SECONDS = 0.01
"""Looks are so far apart at least: many commits in a row are news once."""
AGAIN_SECONDS = 0.5
CONNECT_SECONDS = 2

_logger = Logger(__name__)


class LogEnd:
    """`position` is the last one known, `away` whether the database can't be reached. Of one event loop."""

    def __init__(self, database: Database) -> None:
        self.position = 0
        self.away = False
        self._database = database
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._changed: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._watch, name="log-end")

    def start(self) -> None:
        self._thread.start()

    async def stop(self) -> None:
        """Watch no more."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join)

    @property
    def changed(self) -> asyncio.Future[None]:
        """Done as soon as something is different from now."""
        return self._changed

    @property
    def lost(self) -> asyncio.Future[None]:
        """Done as soon as the database can't be reached, and as long as that is so."""
        return self._lost

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except psycopg.Error as error:  # Without our tables, too: somebody is restoring it.
                if not self.away:
                    _logger.warning("database_away", error=str(error).strip())
                self._tell(self.position, True)
                self._stop.wait(AGAIN_SECONDS)

    def _follow(self) -> None:
        with self._database.apart(CONNECT_SECONDS) as mine:
            mine.execute(f"LISTEN {CHANNEL}")
            was_away = self.away
            while not self._stop.is_set():
                position = log.head(mine)
                if was_away:
                    was_away = False
                    self._database.forget_broken()
                    _logger.warning("database_back")
                self._tell(position, False)
                self._stop.wait(APART_SECONDS)
                for _ in mine.notifies(timeout=POLL_SECONDS, stop_after=1):
                    pass

    def _tell(self, position: int, away: bool) -> None:
        if (position, away) != (self.position, self.away):
            self._call(self._note, position, away)

    def _call(self, *what: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(*what)

    def _note(self, position: int, away: bool) -> None:
        if away and not self.away:
            self._lost.set_result(None)
        elif self.away and not away:
            self._lost = self._loop.create_future()
        self.position, self.away = position, away
        self._changed.set_result(None)
        self._changed = self._loop.create_future()
