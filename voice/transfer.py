"""Giving the caller to a person: cold, or warm with a word to that person first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from voice import events
from voice.clock import CallClock
from voice.media.ambient import AmbientMixer
from voice.media.hold import melody
from voice.media.pacer import Pacer
from voice.playout import Playout, Utterance
from voice.providers.base import ProviderError
from voice.services import CallServices
from voice.speech import Speaker
from voice.text import Clauses
from voice.tools import Transfer
from voice.transport import Destination, Leg, TransferFailed, Transport

log = logging.getLogger(__name__)

Emit = Callable[[events.Event], None]

# A person is waited for so long before the caller comes back to the agent; a transport gets a little more to say so.
RING_SECONDS = 25.0
GRACE_SECONDS = 3.0
# Giving the caller away takes no longer: they hear nothing meanwhile.
GIVING_SECONDS = 60.0
# What the person is told first may take so long.
BRIEF_SECONDS = 40.0


class Transferring:
    """One transfer of one call. While a person is being reached the caller hears music, which is not recorded."""

    def __init__(
        self,
        *,
        transport: Transport,
        playout: Playout,
        services: CallServices,
        speaker: Speaker | None,
        clock: CallClock,
        emit: Emit,
        turn: int,
    ) -> None:
        self._transport = transport
        self._playout = playout
        self._pacer = services.pacer
        self._speaker = speaker
        self._clock = clock
        self._emit = emit
        self._turn = turn

    async def run(self, action: Transfer) -> bool:
        """Transfer; False if the caller is still here. Cancelled, for the caller has gone, it lets the person go."""
        to = Destination(action.to, action.label)
        self._emit(events.TransferStarted(at=self._clock.now(), to=action.to, warm=action.warm))
        try:
            if action.warm:
                await self._warm(to, action.brief)
            else:
                await self._in_time(self._transport.transfer(to))
        except asyncio.CancelledError:
            self._failed(action, "The call ended before.")
            raise
        except TransferFailed as failure:
            self._failed(action, str(failure))
            return False
        except Exception as error:  # whatever breaks, the caller must not be left with the music
            log.exception("A transfer broke")
            self._failed(action, f"{type(error).__name__}: {error}")
            return False
        self._emit(events.TransferFinished(at=self._clock.now(), to=action.to, outcome="transferred"))
        return True

    async def _warm(self, to: Destination, brief: str) -> None:
        leg: Leg | None = None
        try:
            async with self._music():
                leg = await self._dial(to)
                if brief and self._speaker is not None:
                    await self._tell(leg, brief, self._speaker)
            await self._in_time(self._transport.join(leg))
        except BaseException:
            if leg is not None:
                await _let_go(leg)
            raise

    async def _in_time(self, giving: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(GIVING_SECONDS):
                await giving
        except TimeoutError:
            raise TransferFailed(f"The far end did not say within {GIVING_SECONDS:.0f} s that it worked.") from None

    async def _dial(self, to: Destination) -> Leg:
        try:
            async with asyncio.timeout(RING_SECONDS + GRACE_SECONDS):
                return await self._transport.dial(to, patience=RING_SECONDS)
        except TimeoutError:
            raise TransferFailed(f"Nobody answered within {RING_SECONDS:.0f} s.") from None

    async def _tell(self, leg: Leg, brief: str, speaker: Speaker) -> None:
        """Say something to the person alone. Without a voice they are connected without a word."""
        aside = _Aside(leg, Utterance(self._turn), self._pacer)
        clauses = Clauses(speaker.lexicon.joins)
        try:
            async with asyncio.timeout(BRIEF_SECONDS):
                for clause in (*clauses.push(brief), *clauses.flush()):
                    await speaker.say(clause, aside.utterance, aside.grown)
                await aside.finish()
        except TimeoutError:
            raise TransferFailed("What the person was to be told took too long.") from None
        except ProviderError as error:
            self._emit(
                events.ProviderFailed(
                    at=self._clock.now(),
                    turn=self._turn,
                    role="tts",
                    provider=error.provider,
                    error=str(error),
                    then="connecting the caller without a word",
                )
            )
        finally:
            aside.close()

    @asynccontextmanager
    async def _music(self) -> AsyncIterator[None]:
        """Music for the caller, in place of the sound of the room."""
        room = self._playout.room
        playing = asyncio.get_running_loop().create_task(self._play(), name="hold music")
        try:
            yield
        finally:
            playing.cancel()
            self._transport.clear()
            self._playout.fill(room)

    async def _play(self) -> None:
        # It is made at its first use, which takes a second.
        bed = melody() if melody.cache_info().currsize else await asyncio.to_thread(melody)
        self._playout.fill(AmbientMixer(bed, 1.0), recorded=False)

    def _failed(self, action: Transfer, detail: str) -> None:
        self._emit(events.TransferFinished(at=self._clock.now(), to=action.to, outcome="failed", detail=detail))


class _Aside:
    """An utterance on its way to the person alone, frame by frame."""

    def __init__(self, leg: Leg, utterance: Utterance, pacer: Pacer) -> None:
        self.utterance = utterance
        self._leg = leg
        self._pacer = pacer
        self._running = False
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def grown(self) -> None:
        """There is more of it: send, if nothing is being sent."""
        if not self._running and not self._over.done():
            self._running = True
            self._pacer.add(self)
            self.tick()

    async def finish(self) -> None:
        """There is no more of it; wait until all is sent. Raises TransferFailed if the person's line is lost."""
        self.utterance.complete = True
        self.grown()
        await self._over

    def close(self) -> None:
        self._running = False
        self._pacer.remove(self)
        self._over.cancel()

    def tick(self) -> None:
        if self._over.done():
            return
        if frame := self.utterance.take():
            try:
                self._leg.send_audio(frame)
            except Exception as error:
                self._over.set_exception(TransferFailed(f"The person's line was lost: {error}"))
            return
        self._running = False
        self._pacer.remove(self)
        if self.utterance.complete:
            self._over.set_result(None)


async def _let_go(leg: Leg) -> None:
    try:
        await leg.hang_up()
    except Exception:  # a line that breaks while it is hung up is gone all the same
        log.exception("A second party could not be hung up")
