"""Answers for a storefront, from a published model; needs numpy only and never implicit."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Self, TypeAlias, TypeVar

import numpy as np

from loyalty_recommender import artifact
from loyalty_recommender.arrays import DAY_S, AnyArray, Indices, Mask
from loyalty_recommender.card import Card
from loyalty_recommender.errors import BadRequest, BrokenArtifact, UnknownWindow
from loyalty_recommender.explaining import Explainer, ProductFacts
from loyalty_recommender.history import NOTHING_BOUGHT, History
from loyalty_recommender.models import FITTED, Fitted, Query
from loyalty_recommender.models.boosted import FittedBoosted
from loyalty_recommender.models.completion import FittedCompletion
from loyalty_recommender.models.next_visit import FittedNextVisit
from loyalty_recommender.models.novel import FittedNovel
from loyalty_recommender.models.repeat import FittedRepeat
from loyalty_recommender.models.viewed import FittedViewed
from loyalty_recommender.reasons import Reason, ReasonCode
from loyalty_recommender.topk import Ranking
from loyalty_recommender.vocabulary import Vocabulary
from loyalty_recommender.windows import FROM_VIEWS, OF_MEMBER, OF_PRODUCT, Window

Kind = TypeVar("Kind", bound=Fitted)

Allowed: TypeAlias = Mask | Callable[[Indices], Mask]
"""Which products may be answered: one truth value per product in the order of
``Recommender.products``, or a function from positions in it to such truth values."""


class Item(NamedTuple):
    """A product of an answer."""

    product: str
    score: float
    """Compares within one answer only."""
    reason: Reason


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Products for one window."""

    items: list[Item]
    """Best first; shorter than asked, or empty, where there is no more."""
    strategy: str
    """The kind of model that really answered: ``novel``, ``repeat`` or ``boosted``,
    ``next-visit``, ``completion``, ``item-item``, ``arrivals``, ``viewed`` where the subject was
    unknown but for what it looked at, or ``popularity`` where it was unknown altogether or nothing
    else was asked."""

    @property
    def products(self) -> list[str]:
        """The ids alone."""
        return [item.product for item in self.items]


class _Positions(dict[str, int]):
    """Where each product is; below 0 for one that the model does not know."""

    def __missing__(self, product: str) -> int:
        return -1


class Recommender:
    """One published model, ready to answer. Immutable: share it between threads."""

    def __init__(self, card: Card, arrays: dict[str, AnyArray]) -> None:
        """Take a card and its arrays; ``load`` is the way to get them.

        Raises:
            BrokenArtifact: a part is missing or of an unknown kind.
        """
        self.card = card
        try:
            self._visits_min = int(card.settings["member_visits_min"])
            self.products: tuple[str, ...] = tuple(Vocabulary(arrays["ids.products"]).texts())
            parts = {part: _part(part, kind, arrays) for part, kind in card.parts.items()}
            novel = _of_kind(parts, "for_you", FittedNovel)
            completion = _of_kind(parts, "cart", FittedCompletion)
            repeat = _repeat(parts["buy_again"])
            self._popular = parts["popular"]
            self._viewed = FittedViewed(completion, self._popular)
            self._parts: dict[Window, Fitted] = {
                Window.FOR_YOU: novel,
                Window.BUY_AGAIN: repeat,
                Window.NEXT_VISIT: FittedNextVisit(repeat, novel),
                Window.SIMILAR: novel.similar,
                Window.BOUGHT_TOGETHER: completion.together,
                Window.CART: completion,
                Window.TRENDING: parts["trending"],
                Window.NEW_ARRIVALS: parts["arrivals"],
            }
            self._explainer = Explainer.of(
                self.products,
                ProductFacts.from_arrays(_own("facts", arrays)),
                similar=novel.similar.neighbours,
                together=completion.together.neighbours,
            )
        except (KeyError, ValueError) as error:
            raise BrokenArtifact(f"model {card.model_id} lacks a part: {error!r}") from error
        self._position = _Positions(zip(self.products, range(len(self.products)), strict=True))

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

    def day_of(self, epoch_s: int) -> int:
        """Days since 1970-01-01, in the shop's time as it was when the model was trained."""
        return (epoch_s + self.card.utc_offset_s) // DAY_S

    def history(self, products: Iterable[str], days: Iterable[int]) -> History:
        """A member's past as the model sees it; products it does not know are left out.

        Args:
            products: (purchases,) ids, repeats welcome.
            days: (purchases,) days since 1970-01-01 in the shop's time.

        Raises:
            BadRequest: not as many days as products.
        """
        return self._past(products, np.fromiter(days, dtype=np.int64))

    def history_at(self, products: Iterable[str], epoch_s: Iterable[int]) -> History:
        """As ``history``, from instants in whole seconds since 1970-01-01T00:00:00Z."""
        seconds = np.fromiter(epoch_s, dtype=np.int64)
        return self._past(products, (seconds + self.card.utc_offset_s) // DAY_S)

    def _past(self, products: Iterable[str], day: AnyArray) -> History:
        at = np.fromiter(list(map(self._position.__getitem__, products)), dtype=np.int64)
        if len(day) != len(at):
            raise BadRequest(f"each product needs its day, found {len(at)} and {len(day)}")
        known = at >= 0
        return History.of(at[known], day[known])

    def recommend(
        self,
        window: str,
        first: int,
        *,
        history: History | None = None,
        day: int,
        product: str | None = None,
        cart: Sequence[str] = (),
        viewed: Sequence[str] = (),
        allowed: Allowed | None = None,
        exclude: Collection[str] = (),
        nameable: Allowed | None = None,
    ) -> Recommendation:
        """Answer one window.

        Args:
            window: name of a ``Window``.
            first: how many products at most, >= 1.
            history: what the member bought, from ``history``; None for a guest.
            day: of the question, in days since 1970-01-01 in the shop's time.
            product: the product of the page; needed by SIMILAR and BOUGHT_TOGETHER.
            cart: products in the cart; never in any answer.
            viewed: products looked at of late, the latest first. They count where nothing else is
                known of the member, the cart or the page; an answer from them names none of them.
            allowed: which products may be answered; None allows all.
            exclude: product ids that may not be answered.
            nameable: which of the products bought a reason may name; None allows all.

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
        past = history or NOTHING_BOUGHT
        basket = self._known(cart)
        may = self._filter(allowed)
        may[basket] = False
        may[self._known(exclude)] = False
        if asked in OF_PRODUCT:
            basket = self._known([product] if product is not None else [])
            may[basket] = False
        if asked is Window.FOR_YOU:
            may[past.product] = False
        query = Query(past, day, basket=basket)
        model: Fitted | FittedViewed = self._parts[asked]
        if not model.knows(query) or (asked in OF_MEMBER and past.visits < self._visits_min):
            model, query = self._instead(asked, query, viewed)
        ranking = model.recommend(query, first, may)
        items = self._items(asked, query, ranking, self._filter(nameable))
        return Recommendation(items, model.strategy)

    def rank(
        self,
        products: Sequence[str],
        *,
        history: History | None,
        day: int,
        viewed: Sequence[str] = (),
        nameable: Allowed | None = None,
    ) -> Recommendation:
        """Order products that were found in another way, such as by a search, for a member.

        Args:
            products: ids, repeats and unknown ones are left out of the answer.
            viewed: as ``recommend``; what of it is on the list comes first, for who searches
                again is often after what was found before.
            nameable: as ``recommend``.

        Returns:
            Every product that the model knows, best first.
        """
        past = history or NOTHING_BOUGHT
        query = Query(past, day)
        may, named = self.mask(products), self._filter(nameable)
        model: Fitted | FittedViewed = self._parts[Window.NEXT_VISIT]
        items: list[Item] = []
        if past.visits < self._visits_min:
            model, query = self._instead(Window.NEXT_VISIT, query, viewed)
            seen = query.viewed[may[query.viewed]]
            again = Reason(ReasonCode.VIEWED_BEFORE)
            items += [Item(self.products[at], 0.0, again) for at in seen.tolist()]
            may[seen] = False
        for each in (model, self._popular):
            ranking = each.recommend(query, max(len(products), 1), may)
            items += self._items(Window.NEXT_VISIT, query, ranking, named)
            may[ranking.products] = False
        rest = np.flatnonzero(may).astype(np.int32)
        unranked = Ranking(rest, np.zeros(len(rest), dtype=np.float32))
        items += self._items(Window.NEXT_VISIT, query, unranked, named)
        return Recommendation(items, model.strategy)

    def _instead(
        self, asked: Window, query: Query, viewed: Sequence[str]
    ) -> tuple[Fitted | FittedViewed, Query]:
        """Who answers where the window's own model knows nothing of the subject, and of what."""
        if asked is Window.NEW_ARRIVALS:
            # Nothing is new in a shop without new products: no answer is the honest one there.
            return self._parts[asked], query
        next_visit = self._parts[Window.NEXT_VISIT]
        if (
            asked is Window.CART
            and query.history.visits >= self._visits_min
            and next_visit.knows(query)
        ):
            # A cart that is empty yet, or holds strangers, will be filled as the last ones were.
            return next_visit, query
        if asked in FROM_VIEWS and viewed:
            known = replace(query, viewed=self._known(dict.fromkeys(viewed)))
            if self._viewed.knows(known):
                return self._viewed, known
        return self._popular, query

    def _items(self, window: Window, query: Query, ranking: Ranking, nameable: Mask) -> list[Item]:
        return [
            Item(self.products[at], score, reason)
            for at, score, reason in zip(
                ranking.products.tolist(),
                ranking.scores.tolist(),
                self._explainer.reasons(window, query, ranking.products, nameable),
                strict=True,
            )
        ]

    def _known(self, products: Iterable[str]) -> Indices:
        found = map(self._position.__getitem__, products)
        return np.array([each for each in found if each >= 0], dtype=np.int32)

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
    return FITTED[kind].from_arrays(_own(part, arrays))


def _own(part: str, arrays: dict[str, AnyArray]) -> dict[str, AnyArray]:
    prefix = f"{part}."
    return {
        name.removeprefix(prefix): each for name, each in arrays.items() if name.startswith(prefix)
    }


def _repeat(part: Fitted) -> FittedRepeat | FittedBoosted:
    if not isinstance(part, FittedRepeat | FittedBoosted):
        raise ValueError(f"buy_again should be repeat or boosted, found {part.strategy}")
    return part


def _of_kind(parts: Mapping[str, Fitted], name: str, kind: type[Kind]) -> Kind:
    part = parts[name]
    if not isinstance(part, kind):
        raise ValueError(f"{name} should be {kind.__name__}, found {part.strategy}")
    return part
