"""Answers for a storefront, from a published model; needs numpy only and never implicit."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np

from loyalty_recommender import artifact
from loyalty_recommender.arrays import AnyArray, Indices, Mask
from loyalty_recommender.card import Card
from loyalty_recommender.errors import BadRequest, BrokenArtifact, UnknownWindow
from loyalty_recommender.models import FITTED, Fitted, Query
from loyalty_recommender.models.personal import FittedPersonal
from loyalty_recommender.vocabulary import Vocabulary

Allowed: TypeAlias = Mask | Callable[[Indices], Mask]
"""Which products may be answered: one truth value per product in the order of
``Recommender.products``, or a function from positions in it to such truth values."""


class Window(StrEnum):
    """A place in a storefront that shows recommendations."""

    FOR_YOU = "FOR_YOU"
    """Products the member never bought."""
    BUY_AGAIN = "BUY_AGAIN"
    """Products the member bought before."""
    SIMILAR = "SIMILAR"
    """Bought by the same people as a product."""
    BOUGHT_TOGETHER = "BOUGHT_TOGETHER"
    """Bought in the same visits as a product."""
    CART = "CART"
    """Bought in the same visits as the products in a cart."""
    TRENDING = "TRENDING"
    """Bought most in the last four weeks of the data."""
    NEW_ARRIVALS = "NEW_ARRIVALS"
    """First bought in the last four weeks of the data."""


PART_OF = {
    Window.FOR_YOU: "for_you",
    Window.BUY_AGAIN: "buy_again",
    Window.SIMILAR: "similar",
    Window.BOUGHT_TOGETHER: "together",
    Window.CART: "together",
    Window.TRENDING: "trending",
    Window.NEW_ARRIVALS: "arrivals",
}
"""Which part of the model answers a window when it knows the subject."""

OF_MEMBER = frozenset({Window.FOR_YOU, Window.BUY_AGAIN})
OF_PRODUCT = frozenset({Window.SIMILAR, Window.BOUGHT_TOGETHER})


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Products for one window."""

    items: list[tuple[str, float]]
    """Product id and score, best first; shorter than asked, or empty, where there is no more.
    Scores compare within one answer only."""
    strategy: str
    """The kind of model that really answered: ``als``, ``personal``, ``item-item``,
    ``arrivals``, or ``popularity`` where the subject was unknown or nothing else was asked."""


class Recommender:
    """One published model, ready to answer. Immutable: share it between threads."""

    def __init__(self, card: Card, arrays: dict[str, AnyArray]) -> None:
        """Take a card and its arrays; ``load`` is the way to get them.

        Raises:
            BrokenArtifact: a part is missing or of an unknown kind.
        """
        self.card = card
        try:
            self._members = Vocabulary(arrays["ids.members"])
            self._visits = arrays["ids.visits"]
            self._visits_min = int(card.settings["member_visits_min"])
            self.products: tuple[str, ...] = tuple(Vocabulary(arrays["ids.products"]).texts())
            parts = {part: _part(part, kind, arrays) for part, kind in card.parts.items()}
            self._parts = {window: parts[part] for window, part in PART_OF.items()}
            self._popular = parts["popular"]
            history = parts["buy_again"]
        except (KeyError, ValueError) as error:
            raise BrokenArtifact(f"model {card.model_id} lacks a part: {error!r}") from error
        if not isinstance(history, FittedPersonal):
            raise BrokenArtifact(f"buy_again should be personal, found {history.strategy}")
        self._history = history
        self._position = {product: at for at, product in enumerate(self.products)}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the model in service below a root, or one model's own folder.

        Raises:
            NoModel: nothing has been published there.
            BrokenArtifact: what is there is not what was published.
        """
        folder = artifact.folder_of(path)
        card = artifact.read_card(folder)
        return cls(card, artifact.read_arrays(folder, card))

    @property
    def model_id(self) -> str:
        """Compare with ``artifact.current_id(root)`` to learn of a newer model."""
        return self.card.model_id

    @property
    def trained_at(self) -> datetime:
        """When the model was trained, aware."""
        return self.card.trained_at

    def mask(self, products: Iterable[str]) -> Mask:
        """A filter that allows these products only, for ``allowed``; unknown ids are ignored.

        Make it once per state of the catalogue, not once per request.
        """
        allowed = np.zeros(len(self.products), dtype=np.bool_)
        allowed[self._known(products)] = True
        return allowed

    def recommend(
        self,
        member: str | None,
        window: str,
        first: int,
        *,
        product: str | None = None,
        cart: Sequence[str] = (),
        allowed: Allowed | None = None,
        exclude: Collection[str] = (),
    ) -> Recommendation:
        """Answer one window.

        Args:
            member: id as trained with; None or an unknown one is a guest.
            window: name of a ``Window``.
            first: how many products at most, >= 1.
            product: the product of the page; needed by SIMILAR and BOUGHT_TOGETHER.
            cart: products in the cart; never in any answer.
            allowed: which products may be answered; None allows all.
            exclude: product ids that may not be answered.

        Raises:
            UnknownWindow: not a ``Window``.
            BadRequest: ``first`` below 1, no product where one is needed, a filter that does
                not fit this model.
        """
        asked = _window(window)
        if first < 1:
            raise BadRequest(f"first must be at least 1, found {first}")
        if asked in OF_PRODUCT and product is None:
            raise BadRequest(f"{asked} needs a product")
        at = None if member is None else self._members.find(member)
        given = self._known(cart)
        may = self._filter(allowed)
        may[given] = False
        may[self._known(exclude)] = False
        if asked in OF_PRODUCT:
            given = self._known([product] if product is not None else [])
            may[given] = False
        if asked is Window.FOR_YOU:
            may[self._history.bought(at)] = False
        query = Query(member=at, basket=given)
        model = self._parts[asked]
        if not model.knows(query) or (asked in OF_MEMBER and self._is_too_new(at)):
            # Nothing is new in a shop without new products: no answer is the honest one there.
            model = model if asked is Window.NEW_ARRIVALS else self._popular
        ranking = model.recommend(query, first, may)
        ids = [self.products[each] for each in ranking.products.tolist()]
        return Recommendation(list(zip(ids, ranking.scores.tolist(), strict=True)), model.strategy)

    def _is_too_new(self, member: int | None) -> bool:
        return member is None or int(self._visits[member]) < self._visits_min

    def _known(self, products: Iterable[str]) -> Indices:
        found = (self._position.get(each) for each in products)
        return np.array([each for each in found if each is not None], dtype=np.int32)

    def _filter(self, allowed: Allowed | None) -> Mask:
        """A filter of this request's own, free to be narrowed."""
        size = len(self.products)
        if allowed is None:
            return np.ones(size, dtype=np.bool_)
        given = allowed(np.arange(size, dtype=np.int32)) if callable(allowed) else allowed
        if given.shape != (size,) or given.dtype != np.bool_:
            raise BadRequest(
                f"allowed must hold {size} truth values, found {given.dtype} {given.shape}"
            )
        return given.copy()


def _window(name: str) -> Window:
    try:
        return Window(name)
    except ValueError:
        known = ", ".join(Window)
        raise UnknownWindow(f"window must be one of {known}, found {name!r}") from None


def _part(part: str, kind: str, arrays: dict[str, AnyArray]) -> Fitted:
    prefix = f"{part}."
    own = {
        name.removeprefix(prefix): each for name, each in arrays.items() if name.startswith(prefix)
    }
    return FITTED[kind].from_arrays(own)
