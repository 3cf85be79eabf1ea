"""Models that share traffic, and the way back to an earlier one, through HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from api_shop import OPERATIONS, ApiShop, Program, document
from habits import bought_by, paid_order, products, visits

from loyalty.domain.recommendations.experiments import Variant, variant_of
from loyalty.services.orders.orders import BookOrder
from loyalty.services.recommendations import served_model
from loyalty.services.recommendations.recommendations import Recommendations
from loyalty.storage.statements import Sql
from loyalty_recommender import artifact
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.training import Settings

pytestmark = pytest.mark.anyio

SMALL = Settings(for_you=Novel(als=Als(factors=2)), product_visits_min=1)
MEMBERS = [bought_by(number)[0] for number in range(16)]
MET = Sql("SELECT count(*) FROM experiment_member WHERE tenant_id = $1")


class Lab:
    """A program with two trained models; the later one is in service."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.shop = program.shop
        self.older = ""
        self.newer = ""

    async def filled(self) -> None:
        await self.program.stock(*products(self.shop.clock.now()))
        for member in MEMBERS:
            await self.program.enrol(member)
        orders = [paid_order(visit) for visit in visits(self.shop.clock.now())]
        tenant_id = self.program.tenant_id
        await self.shop.services.door.execute(
            tenant_id, [BookOrder(tenant_id, order, "test") for order in orders]
        )
        self.older, self.newer = await self.train(), await self.train()

    async def train(self) -> str:
        self.shop.clock.advance(timedelta(minutes=1))
        card = await self.shop.services.trainer.train(self.program.tenant_id, settings=SMALL)
        return card.model_id

    async def run(self, name: str, **variables: Any) -> Any:
        text = (OPERATIONS / "admin" / f"{name}.graphql").read_text()
        (found,) = (await self.program.merchant.data(text, variables)).values()
        return found

    async def start(self, candidate: str | None = None, share_bp: int = 5_000) -> Any:
        wanted = self.older if candidate is None else candidate
        return await self.run("experiment_start", input={"candidate": wanted, "shareBp": share_bp})

    async def shown(self, member: str | None = None, **asked: Any) -> Any:
        given = {"window": "TRENDING", "first": 3} | asked
        if member is not None:
            given["member"] = member
        # The first answer may look for news; the next has found it.
        await self.program.till.run("recommendations", **given)
        await asyncio.sleep(0)
        await self.settled()
        return await self.program.till.run("recommendations", **given)

    async def settled(self) -> None:
        """Wait for what the process is loading."""
        for place in self.shop.services.recommendations._models._places.values():
            if place.looking is not None:
                await place.looking

    async def model_of(self, member: str | None = None, **asked: Any) -> str:
        shown = await self.shown(member, **asked)
        id: str = shown["modelId"]
        return id

    async def answered_by(self, model: str) -> None:
        """A model that was put into service is taken up beside the answers, soon."""
        for _ in range(100):
            if await self.model_of() == model:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{model} was never taken up")

    async def experiment(self) -> Any:
        return (await self.run("experiments"))["nodes"][0]

    async def variant(self, member: str) -> Variant:
        """Of the experiment that runs, by 50 %."""
        row = await self.shop.services.feedback.experiments.listed(self.program.tenant_id, 1)
        found = await self.program.till.data(document("member_card"), {"externalId": member})
        assert found["member"]["externalId"] == member
        ids = await self.shop.database.read(
            Sql("SELECT id FROM member WHERE tenant_id = $1 AND external_id = $2")(
                self.program.tenant_id, member
            )
        )
        return variant_of(row[0].id, f"member {ids[0][0]}", 5_000)


@pytest.fixture
async def lab(program: Program, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(served_model, "POLL_S", 0)
    monkeypatch.setattr(served_model, "MASK_REST_S", 0)
    made = Lab(program)
    await made.filled()
    return made


async def test_members_are_shared_by_their_hash_in_every_process(lab: Lab, shop: ApiShop) -> None:
    started = await lab.start()
    other = Recommendations(
        shop.database, shop.cache, shop.services.catalogue, shop.clock,
        shop.services.settings.data_dir / "models", shop.services.recommendations._ids,
    )  # fmt: skip

    found = {member: await lab.model_of(member) for member in MEMBERS}
    again = {
        member: (
            await other.answer(
                lab.program.tenant_id, window="TRENDING", first=3,
                rules=await shop.services.rulesets.current(lab.program.tenant_id),
                member=await shop.services.summaries.shown(
                    lab.program.tenant_id, member
                ),
            )
        ).model_id
        for member in MEMBERS
    }  # fmt: skip

    assert started["userErrors"] == []
    assert started["experiment"]["controlModelId"] == lab.newer
    models = {Variant.CONTROL: lab.newer, Variant.CANDIDATE: lab.older}
    assert found == {member: models[await lab.variant(member)] for member in MEMBERS}
    assert set(found.values()) == {lab.older, lab.newer}
    assert again == found


async def test_guests_are_answered_by_the_control_or_by_their_session(lab: Lab) -> None:
    await lab.start()
    bob = await lab.program.shopper("bob")
    await bob.run("member_enrol", input={"idempotencyKey": "e", "externalId": "bob"})

    assert {await lab.model_of(), await lab.model_of("bob")} == {lab.newer}
    sessions = {name: await lab.model_of(session=f"s-{name}") for name in range(12)}
    assert set(sessions.values()) == {lab.older, lab.newer}
    assert sessions[3] == await lab.model_of(session="s-3")


async def test_both_models_stay_while_it_runs_whatever_is_trained(lab: Lab) -> None:
    await lab.start()
    before = {member: await lab.model_of(member) for member in MEMBERS[:6]}

    trained = [await lab.train() for _ in range(4)]

    assert {member: await lab.model_of(member) for member in MEMBERS[:6]} == before
    kept = {model["id"]: model for model in await lab.run("models")}
    assert {lab.older, lab.newer, trained[-1]} <= kept.keys()
    assert [id for id, model in kept.items() if model["onTrial"]] == [lab.newer, lab.older]
    assert [id for id, model in kept.items() if model["inService"]] == [trained[-1]]
    stopped = await lab.run("experiment_stop")
    assert (stopped["userErrors"], stopped["experiment"]["running"]) == ([], False)
    assert await lab.model_of(MEMBERS[0]) == trained[-1]
    await lab.train()
    left = {model["id"] for model in await lab.run("models")}
    assert not {lab.older, lab.newer} & left


async def test_one_experiment_at_a_time(lab: Lab, other_program: Program) -> None:
    both = await asyncio.gather(lab.start(), lab.start())

    codes = sorted([error["code"] for error in started["userErrors"]] for started in both)
    assert codes == [[], ["CONFLICT"]]
    assert [each["running"] for each in (await lab.run("experiments"))["nodes"]] == [True]
    stopped = await Lab(other_program).run("experiment_stop")
    assert [error["code"] for error in stopped["userErrors"]] == ["NOT_FOUND"]
    await lab.run("experiment_stop")
    again = await lab.start()
    assert again["userErrors"] == []
    assert [each["running"] for each in (await lab.run("experiments"))["nodes"]] == [True, False]


async def test_what_cannot_be_tried_is_refused(lab: Lab, other_program: Program) -> None:
    async def refused(candidate: str, share_bp: int = 5_000) -> list[tuple[str, Any]]:
        told = await lab.start(candidate, share_bp)
        assert told["experiment"] is None
        return [(error["code"], error["field"]) for error in told["userErrors"]]

    where = ["input", "candidate"]
    assert await refused("x" * 500) == [("NOT_FOUND", where)]
    assert await refused("../1") == [("NOT_FOUND", where)]
    assert await refused(lab.newer) == [("CONFLICT", where)]
    for share_bp in (-1, 0, 10_000, 2**31 - 1):
        assert await refused(lab.older, share_bp) == [("BAD_USER_INPUT", ["input", "shareBp"])]
    theirs = await Lab(other_program).start(lab.older)
    assert [error["code"] for error in theirs["userErrors"]] == ["NOT_FOUND"]
    assert (await lab.run("experiments"))["nodes"] == []


async def test_what_came_of_it_is_told_by_members(lab: Lab, shop: ApiShop) -> None:
    await lab.start()
    spent = Counter[Variant]()
    for number, member in enumerate(MEMBERS):
        shown = await lab.shown(member)
        product = shown["items"][0]["product"]["externalId"]
        event = {"recommendationId": shown["recommendationId"], "product": product}
        events = [event | {"type": type} for type in ("IMPRESSION", "CLICK")]
        told = await lab.program.till.run("recommendation_events", input={"events": events})
        assert told["recorded"] == 2
        if number % 2:
            await lab.program.paid(f"x-{number}", member, 1_000 + number, product=product)
            spent[await lab.variant(member)] += 1_000 + number
    await shop.services.feedback.attribution.due(lab.program.tenant_id)

    found = (await lab.experiment())["comparison"]

    members = Counter([await lab.variant(member) for member in MEMBERS])
    for name, variant in (("control", Variant.CONTROL), ("candidate", Variant.CANDIDATE)):
        arm, of = found[name], members[variant]
        assert arm["members"] == of
        assert int(arm["sales"]["amount"].replace(".", "")) == spent[variant]
        assert arm["purchaseRate"] == f"{arm['buyers'] / of:.6f}"
        assert arm["salesPerMember"] == f"{spent[variant] / of:.2f}"
    assert found["control"]["buyers"] + found["candidate"]["buyers"] == 8
    for difference in (found["purchaseRate"], found["salesPerMember"]):
        assert difference["verdict"] == "TOO_FEW"
        assert float(difference["low"]) < float(difference["difference"])
        assert float(difference["difference"]) < float(difference["high"])
    assert (found["membersMin"], found["buyersMin"], found["trafficAsDeclared"]) == (200, 20, True)


async def test_refunds_erasure_and_the_end_change_what_they_should(lab: Lab, shop: ApiShop) -> None:
    await lab.start()
    member = MEMBERS[0]
    shown = await lab.shown(member)
    event = {
        "recommendationId": shown["recommendationId"], "type": "CLICK",
        "product": shown["items"][0]["product"]["externalId"],
    }  # fmt: skip
    await lab.program.till.run("recommendation_events", input={"events": [event]})
    await lab.program.paid("x", member, 900, product=event["product"])
    name = "candidate" if await lab.variant(member) is Variant.CANDIDATE else "control"

    async def arm() -> tuple[int, int, str]:
        await shop.services.feedback.attribution.due(lab.program.tenant_id)
        found = (await lab.experiment())["comparison"][name]
        return found["members"], found["buyers"], found["sales"]["amount"]

    steps = [await arm()]
    await lab.run("experiment_stop")
    await lab.run("member_erase", input={"idempotencyKey": "e", "externalId": member})
    steps.append(await arm())
    asked = {"idempotencyKey": "r", "orderExternalId": "x", "refundExternalId": "r"}
    assert (await lab.program.till.run("order_refund", input=asked))["userErrors"] == []
    steps.append(await arm())

    assert steps == [(1, 1, "9.00"), (1, 1, "9.00"), (1, 0, "0.00")]


async def test_a_guest_who_signed_in_since_is_in_no_variant(lab: Lab, shop: ApiShop) -> None:
    """Nobody drew lots for this member: the session did."""
    await lab.start()
    shown = await lab.shown(session="s-1")
    event = {
        "recommendationId": shown["recommendationId"], "type": "CLICK",
        "product": shown["items"][0]["product"]["externalId"],
    }  # fmt: skip
    shopper = await lab.program.shopper(MEMBERS[0])
    told = await shopper.run("recommendation_events", input={"events": [event]})
    await lab.program.paid("x", MEMBERS[0], 900, product=event["product"])
    await shop.services.feedback.attribution.due(lab.program.tenant_id)

    assert told["recorded"] == 1
    assert await shop.database.read(MET(lab.program.tenant_id)) == [(0,)]
    found = (await lab.experiment())["comparison"]
    assert (found["control"]["buyers"], found["candidate"]["buyers"]) == (0, 0)
    assert found["purchaseRate"] == {
        "difference": None, "low": None, "high": None, "verdict": "TOO_FEW",
    }  # fmt: skip


async def test_what_a_guest_bought_is_no_members(lab: Lab, shop: ApiShop) -> None:
    """The shop says so by an answer that a member was given."""
    await lab.start()
    shown = await lab.shown(MEMBERS[0])
    event = {
        "recommendationId": shown["recommendationId"], "type": "PURCHASE", "order": "x",
        "product": shown["items"][0]["product"]["externalId"],
    }  # fmt: skip
    told = await lab.program.till.run("recommendation_events", input={"events": [event]})
    await lab.program.paid("x", None, 900, product=event["product"])
    assert await shop.services.feedback.attribution.due(lab.program.tenant_id) == 1

    found = (await lab.experiment())["comparison"]

    assert told["recorded"] == 1
    assert (found["control"]["buyers"], found["candidate"]["buyers"]) == (0, 0)


async def test_back_to_an_earlier_model(lab: Lab) -> None:
    assert await lab.model_of() == lab.newer

    back = await lab.run("model_rollback", input={})

    assert back == {"model": {"id": lab.older, "inService": True}, "userErrors": []}
    await lab.answered_by(lab.older)
    again = await lab.run("model_rollback", input={"model": lab.newer})
    assert again["model"] == {"id": lab.newer, "inService": True}
    await lab.answered_by(lab.newer)
    events = (await lab.run("audit_events"))["nodes"]
    assert [event["action"] for event in events[:2]] == ["modelRollback", "modelRollback"]


async def test_what_is_no_way_back_is_refused(lab: Lab, other_program: Program) -> None:
    async def refused(model: str | None = None, lab: Lab = lab) -> list[str]:
        given = {} if model is None else {"model": model}
        told = await lab.run("model_rollback", input=given)
        assert told["model"] is None
        return [error["code"] for error in told["userErrors"]]

    assert await refused("x") == ["NOT_FOUND"]
    assert await refused(lab.newer) == ["CONFLICT"]
    assert await refused(lab.older, Lab(other_program)) == ["NOT_FOUND"]
    await lab.start()
    assert await refused() == ["CONFLICT"]
    await lab.run("experiment_stop")
    folder = lab.shop.services.feedback.models.folder(lab.program.tenant_id)
    array = next((folder / artifact.MODELS / lab.older).glob("*.npy"))
    array.write_bytes(array.read_bytes()[:-1] + b"?")
    assert await refused() == ["CONFLICT"]
    assert await lab.model_of() == lab.newer
    assert await refused(None, Lab(other_program)) == ["NOT_FOUND"]


async def test_a_candidate_that_breaks_leaves_everybody_with_the_model_in_service(
    lab: Lab,
) -> None:
    folder = lab.shop.services.feedback.models.folder(lab.program.tenant_id)
    array = next((folder / artifact.MODELS / lab.older).glob("*.npy"))
    array.write_bytes(array.read_bytes()[:-1] + b"?")

    await lab.start()

    assert {await lab.model_of(member) for member in MEMBERS[:8]} == {lab.newer}


async def test_cards_are_told(lab: Lab) -> None:
    told = {model["id"]: model["model"] for model in await lab.run("models")}

    settings = {each["name"]: each["value"] for each in told[lab.older]["settings"]}
    assert settings["for_you.als.factors"] == "2"
    assert {each["name"] for each in told[lab.older]["versions"]} >= {"implicit", "numpy"}
    assert (await lab.run("model"))["settings"] == told[lab.newer]["settings"]
    verdicts = {fact["name"]: fact["value"] for fact in told[lab.newer]["gate"]}
    assert verdicts["verdict"] in {'"SAME"', '"FIRST"', '"NOT_ASKED"'}
