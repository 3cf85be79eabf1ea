"""A program whose members have habits, and a model that learned them."""

from datetime import timedelta

from api_shop import ApiShop, Program
from habits import MEMBERS, bought_by, paid_order, products, visits

from loyalty.services.books.door import outcome_of
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.orders.orders import BookOrder
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.training import Settings

SMALL = Settings(for_you=Novel(als=Als(factors=2)), product_visits_min=1)


async def trained_program(shop: ApiShop, at: int = 0) -> Program:
    """One of a shop's programs, once it has all of that."""
    program, now = shop.programs[at], shop.clock.now()
    await program.stock(*products(now))
    agreed = Profile(consents={"profiling": True})
    tenant_id, door = program.tenant_id, shop.services.door
    for number in range(MEMBERS):
        outcome_of(await door.submit(Enrol(tenant_id, None, bought_by(number)[0], agreed)))
    orders = [BookOrder(tenant_id, paid_order(visit), "test") for visit in visits(now)]
    await door.execute(tenant_id, orders)
    shop.clock.advance(timedelta(minutes=1))
    await shop.services.trainer.train(tenant_id, settings=SMALL)
    return program
