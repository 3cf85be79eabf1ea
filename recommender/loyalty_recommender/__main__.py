"""``python -m loyalty_recommender``: train, show, predict and evaluate, from files alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from loyalty_recommender import artifact
from loyalty_recommender.errors import RecommenderError

if TYPE_CHECKING:
    from loyalty_recommender.training import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when it was refused, with the reason on stderr."""
    given = _parser().parse_args(arguments)
    try:
        given.run(given)
    except (RecommenderError, OSError) as error:
        print(f"loyalty_recommender: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loyalty_recommender", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="learn from purchases and publish a model")
    train.set_defaults(run=_train)
    _add_files(train, products_needed=False)
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of models")
    show = commands.add_parser("show", help="check a model and print its card")
    show.set_defaults(run=_show)
    show.add_argument("model", type=Path, metavar="DIR", help="folder of models, or of one model")
    predict = commands.add_parser("predict", help="learn before an instant, answer a file")
    predict.set_defaults(run=_predict)
    _add_files(predict, products_needed=True)
    predict.add_argument(
        "--at", type=_time, required=True, metavar="TIME", help="learn only from before; ISO 8601"
    )
    predict.add_argument("--window", required=True, metavar="NAME", help="such as NEXT_VISIT")
    predict.add_argument(
        "--requests",
        type=Path,
        required=True,
        metavar="FILE",
        help='a JSON object a line: {"member": …, "at": TIME, "cart": […]}',
    )
    predict.add_argument("--first", type=int, default=10, metavar="N", help="how many at most")
    predict.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="answers, one line per request"
    )
    evaluate = commands.add_parser("evaluate", help="measure models on purchases that were made")
    evaluate.set_defaults(run=_evaluate)
    _add_evaluation(evaluate)
    offers = commands.add_parser(
        "evaluate-offers", help="measure who uses offers on campaigns that were run"
    )
    offers.set_defaults(run=_evaluate_offers)
    _add_offer_evaluation(offers)
    return parser


def _add_offer_evaluation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with interactions, products, campaign_dates, campaigns, offers and "
        "redemptions, each .parquet or .csv; that of Complete Journey is recognised as it is",
    )
    _add_columns(parser)
    parser.add_argument(
        "--test-day",
        type=int,
        default=225,
        metavar="DAY",
        help="days after the first purchase from which on campaigns are the test",
    )
    parser.add_argument(
        "--choice",
        action="store_true",
        help="ask the campaigns before it, on which settings were chosen",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for offer-figures.json")


def _add_evaluation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with interactions and products, each .parquet or .csv; "
        "that of Complete Journey is recognised as it is",
    )
    _add_columns(parser)
    parser.add_argument(
        "--models",
        type=_names,
        metavar="NAME,…",
        help="only these rows of the table; all if left out",
    )
    parser.add_argument(
        "--cuts",
        type=_numbers,
        metavar="DAY,…",
        help="days that part what is learned from what is asked; 253,281,309,337 if left out",
    )
    parser.add_argument(
        "--day-zero",
        type=date.fromisoformat,
        metavar="DATE",
        help="day that cuts count from; that of the first purchase if left out",
    )
    parser.add_argument(
        "--ask-on",
        choices=("cut", "visit"),
        default="cut",
        help="whether questions name the day of the cut or that of the visit",
    )
    parser.add_argument(
        "--left-out",
        type=int,
        default=1,
        metavar="FOLDS",
        help="how many fifths of the households are left out of training in turn, 0 to 5",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for figures.json and report.html"
    )


def _add_files(parser: argparse.ArgumentParser, *, products_needed: bool) -> None:
    parser.add_argument(
        "--interactions",
        type=Path,
        required=True,
        metavar="FILE",
        help="CSV or Parquet with member, product, occurredAt and, if there, quantity",
    )
    parser.add_argument(
        "--products",
        type=Path,
        required=products_needed,
        metavar="FILE",
        help="CSV or Parquet with product, department and, if there, category, type, brand; "
        "products that are no goods are left out",
    )
    _add_columns(parser)
    parser.add_argument(
        "--boosted",
        action="store_true",
        help="put the first habits in order by boosted trees; needs the extra of that name",
    )


def _add_columns(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--columns",
        type=_columns,
        default={},
        metavar="OURS=THEIRS,…",
        help="names of columns that differ, such as member=household_id",
    )


def _time(text: str) -> int:
    from loyalty_recommender.requests import read_time

    try:
        return read_time(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"wanted an ISO 8601 time, found {text!r}") from None


def _names(text: str) -> list[str]:
    return [each for each in text.split(",") if each]


def _numbers(text: str) -> list[int]:
    try:
        return [int(each) for each in _names(text)]
    except ValueError:
        raise argparse.ArgumentTypeError(f"wanted DAY,…, found {text!r}") from None


def _columns(text: str) -> dict[str, str]:
    pairs = [each.partition("=") for each in text.split(",") if each]
    if not all(ours and theirs for ours, _, theirs in pairs):
        raise argparse.ArgumentTypeError(f"wanted OURS=THEIRS,…, found {text!r}")
    return {ours: theirs for ours, _, theirs in pairs}


def _show(given: argparse.Namespace) -> None:
    folder = artifact.folder_of(given.model)
    card = artifact.read_card(folder)
    artifact.read_arrays(folder, card)
    print(card.text(), end="")


def _train(given: argparse.Namespace) -> None:
    # Imported here so that ``show`` and ``--help`` do not wait for scipy and implicit.
    from loyalty_recommender.reading import read_interactions, read_products
    from loyalty_recommender.training import train

    _report("reading", 0.0)
    products = read_products(given.products, columns=given.columns) if given.products else None
    goods = products.goods() if products else None
    interactions = read_interactions(given.interactions, columns=given.columns, products=goods)
    if products:
        known = products.attributes_of(interactions.products)
        interactions = replace(interactions, attributes=known)
    card = train(interactions, _settings(given), given.out, _report, trained_at=datetime.now(UTC))
    print(card.text(), end="")


def _predict(given: argparse.Namespace) -> None:
    from loyalty_recommender.predicting import Prediction, predict

    asked = Prediction(
        interactions=given.interactions,
        products=given.products,
        at_s=given.at,
        window=given.window,
        requests=given.requests,
        first=given.first,
        out=given.out,
        columns=given.columns,
        settings=_settings(given),
    )
    answered = predict(asked, _report)
    print(f"{answered} requests answered in {given.out}")


def _settings(given: argparse.Namespace) -> Settings:
    from loyalty_recommender.models.boosted import Boosted
    from loyalty_recommender.training import Settings

    return Settings(buy_again=Boosted()) if given.boosted else Settings()


def _evaluate(given: argparse.Namespace) -> None:
    from loyalty_recommender.evaluation.candidates import installed
    from loyalty_recommender.evaluation.command import Evaluation, evaluate, told
    from loyalty_recommender.evaluation.protocol import TEST_CUTS

    asked = Evaluation(
        data=given.data,
        columns=given.columns,
        models=given.models or installed(),
        cuts=given.cuts or TEST_CUTS,
        day_zero=given.day_zero,
        ask_on=given.ask_on,
        left_out=given.left_out,
        out=given.out,
    )
    print(evaluate(asked, told).table(), end="")


def _evaluate_offers(given: argparse.Namespace) -> None:
    from loyalty_recommender.evaluation.command import told
    from loyalty_recommender.offers.command import OfferEvaluation, evaluate_offers

    asked = OfferEvaluation(
        data=given.data,
        columns=given.columns,
        choice=given.choice,
        test_day=given.test_day,
        out=given.out,
    )
    print(evaluate_offers(asked, told), end="")


def _report(doing: str, share: float) -> None:
    print(f"{share:4.0%} {doing}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
