"""The endpoint of a workspace: what it offers, who may ask, and drafts for agents who have no program that asks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.chat.records import Sampling, Voice
from engine.errors import StudioError
from engine.services.playground import PlaygroundService
from engine.services.runs import RunService
from engine.serving.drafting import Draft, drafts
from engine.serving.endpoint import Endpoint
from engine.serving.keys import ApiKeys
from engine.serving.offers import Offers, OffersFile, can_be_offered, everything
from engine.serving.veil import Veil
from engine.tickets.library import DataSets
from engine.turns import with_instruction
from engine.workspace import Workspace

if TYPE_CHECKING:
    from engine.tickets.privacy.masking import PrivacyOptions

DRAFT = Sampling(max_new_tokens=512)
"""How a draft is chosen: the likeliest words, so that the same ticket has the same draft."""


class EndpointService:
    """What a help desk asks.

    Args:
        workspace: Where keys and offers are kept.
        tickets: What was masked in them is masked in what comes in.
        runs: Whose tickets an adapter has learnt from.
        playground: Who answers.
    """

    def __init__(
        self, workspace: Workspace, tickets: DataSets, runs: RunService, playground: PlaygroundService
    ) -> None:
        self._tickets, self._runs, self._playground = tickets, runs, playground
        self._offers = OffersFile(workspace.root)
        self.keys = ApiKeys(workspace.root)
        self.endpoint = Endpoint(playground, self._offers.get, self.keys, self.privacy)

    # ---- what is offered

    def offers(self) -> Offers:
        """Return what is offered."""
        return self._offers.get()

    def candidates(self) -> list[Voice]:
        """Return everybody who can be offered."""
        return [voice for voice in self._playground.voices() if can_be_offered(voice)]

    def switch(self, on: bool) -> None:
        """Switch the endpoint on or off; the first time, all that is there is offered."""
        offers = self.offers()
        if on and not offers.offered:
            offers = everything(self._playground.voices(), offers.dataset)
        self._offers.keep(replace(offers, on=on))

    def offer(self, voice: str, wanted: bool) -> None:
        """Offer a voice, or no longer.

        Raises:
            StudioError: It is not there any more, or a run as it trains.
        """
        if not wanted:
            self._offers.keep(self.offers().without(voice))
            return
        found = self._playground.voice(voice)
        if not can_be_offered(found):
            raise StudioError(f"'{found.label}' still changes.", "Offer it once its run has ended.")
        self._offers.keep(self.offers().with_offer(found))

    def look_up_in(self, dataset: str) -> None:
        """Choose the data set in which models look up that have no tickets of their own; empty for none."""
        self._offers.keep(replace(self.offers(), dataset=dataset))

    # ---- what goes in and comes out

    def privacy(self, voice: Voice) -> "PrivacyOptions":
        """Return what is masked for a voice: what was masked in the tickets that it has learnt from."""
        from engine.tickets.privacy.masking import PrivacyOptions

        if not voice.run:
            return PrivacyOptions()
        try:
            return PrivacyOptions.of(self._tickets.origin(self._runs.get(voice.run).status.dataset).used)
        except StudioError:  # the data set is gone
            return PrivacyOptions()

    def draft(
        self, ticket: str, voice: str, lookup: bool, dataset: str = "", session: str = "", least: float = 0.0
    ) -> Iterator[Draft]:
        """Stream a draft of the reply to a ticket.

        Args:
            ticket: What the customer has written.
            voice: Who answers, by its id.
            lookup: Whether the nearest earlier tickets are read first.
            dataset: Where it looks that has no tickets of its own.
            session: Whoever asks; :meth:`PlaygroundService.stop` with the same name ends the draft.
            least: The coverage below which a ticket is left to a person, 0 to 1; 0 drafts all.

        Raises:
            StudioError: There is no ticket, the voice is gone, or nothing is there to look up.
        """
        if not ticket.strip():
            raise StudioError("There is no ticket yet.", "Paste what the customer has written.")
        found = self._playground.voice(voice)
        veil = Veil(self.privacy(found))
        turns = veil.over([{"role": "user", "content": ticket.strip()}])
        heard = with_instruction(turns, self._playground.instruction([voice]))
        chosen = found.looking.id if lookup else found.id
        yield Draft(stage="Reading the ticket", hidden=tuple(veil.hidden.items()))
        yield from drafts(self._playground.ask([chosen], [heard], DRAFT, session, dataset, least=least), veil)
