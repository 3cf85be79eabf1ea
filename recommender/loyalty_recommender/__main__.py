"""``python -m loyalty_recommender``: train a model from files, show what is in service."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from loyalty_recommender import artifact
from loyalty_recommender.errors import RecommenderError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when it was refused, with the reason on stderr."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "show":
            _show(given.model)
        else:
            _train(given)
    except (RecommenderError, OSError) as error:
        print(f"loyalty_recommender: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loyalty_recommender", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="learn from purchases and publish a model")
    train.add_argument(
        "--interactions",
        type=Path,
        required=True,
        metavar="FILE",
        help="CSV or Parquet with member, product, occurredAt and, if there, quantity",
    )
    train.add_argument(
        "--products",
        type=Path,
        metavar="FILE",
        help="CSV or Parquet with product, department; products that are no goods are left out",
    )
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of models")
    train.add_argument(
        "--columns",
        type=_columns,
        default={},
        metavar="OURS=THEIRS,…",
        help="names of columns that differ, such as member=household_id",
    )
    show = commands.add_parser("show", help="check a model and print its card")
    show.add_argument("model", type=Path, metavar="DIR", help="folder of models, or of one model")
    return parser


def _columns(text: str) -> dict[str, str]:
    pairs = [each.partition("=") for each in text.split(",") if each]
    if not all(ours and theirs for ours, _, theirs in pairs):
        raise argparse.ArgumentTypeError(f"wanted OURS=THEIRS,…, found {text!r}")
    return {ours: theirs for ours, _, theirs in pairs}


def _show(path: Path) -> None:
    folder = artifact.folder_of(path)
    card = artifact.read_card(folder)
    artifact.read_arrays(folder, card)
    print(card.text(), end="")


def _train(given: argparse.Namespace) -> None:
    # Imported here so that ``show`` and ``--help`` do not wait for scipy and implicit.
    from loyalty_recommender.reading import read_goods, read_interactions
    from loyalty_recommender.training import Settings, train

    def report(doing: str, share: float) -> None:
        print(f"{share:4.0%} {doing}", file=sys.stderr)

    report("reading", 0.0)
    goods = read_goods(given.products, columns=given.columns) if given.products else None
    interactions = read_interactions(given.interactions, columns=given.columns, products=goods)
    card = train(interactions, Settings(), given.out, report, trained_at=datetime.now(UTC))
    print(card.text(), end="")


if __name__ == "__main__":
    sys.exit(main())
