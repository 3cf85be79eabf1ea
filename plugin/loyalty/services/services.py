"""All use cases of one process, wired once by ``app`` or the command line."""

from dataclasses import dataclass
from datetime import timedelta

from loyalty.cache.protocol import Cache
from loyalty.clock import Clock
from loyalty.domain.registry import Registry
from loyalty.secrets import SecretKey
from loyalty.services.audit import Audit
from loyalty.services.books.door import Door
from loyalty.services.books.settling import Settling
from loyalty.services.catalogue import Catalogue
from loyalty.services.changes import CachedSummaries, Changes
from loyalty.services.checkout.checkout import Checkout
from loyalty.services.checkout.code_guard import CodeGuard
from loyalty.services.checkout.holdings import HoldingsReader
from loyalty.services.checkout.quote_token import QuoteTokens
from loyalty.services.checkout.reservation_list import ReservationList
from loyalty.services.checkout.views import Views
from loyalty.services.coupons.coupons import Coupons
from loyalty.services.coupons.gift_cards import GiftCards
from loyalty.services.credentials import Credentials
from loyalty.services.issuers import Issuers
from loyalty.services.members.adjustments import Adjustments
from loyalty.services.members.as_of import Pasts
from loyalty.services.members.enrolment import Enrolment
from loyalty.services.members.membership import Membership
from loyalty.services.members.summary import Summaries
from loyalty.services.offers.offer_figures import OfferReports
from loyalty.services.offers.offer_planning import OfferPlanner
from loyalty.services.offers.offer_publishing import OfferPublisher
from loyalty.services.offers.offers import Offers
from loyalty.services.orders.intake import Intake
from loyalty.services.proof.ledger_proof import Proofs
from loyalty.services.proof.member_ledger import MemberLedger
from loyalty.services.proof.roots import Roots
from loyalty.services.purging import Purging
from loyalty.services.recommendations.feedback import Feedback
from loyalty.services.recommendations.product_views import ProductViews
from loyalty.services.recommendations.recommendation_id import RecommendationIds
from loyalty.services.recommendations.recommendations import Recommendations
from loyalty.services.recommendations.training import Trainer
from loyalty.services.recommendations.window_facts import WindowFactsReader
from loyalty.services.rulesets import Rulesets
from loyalty.services.tenants import Tenants
from loyalty.services.webhook_sources import WebhookSources
from loyalty.settings import Settings
from loyalty.storage.database import Database
from loyalty.wording.languages import Languages


@dataclass(frozen=True, slots=True)
class Services:
    """What delivery (GraphQL, webhooks, jobs, commands) may call."""

    settings: Settings
    clock: Clock
    database: Database
    cache: Cache
    tenants: Tenants
    credentials: Credentials
    rulesets: Rulesets
    door: Door
    changes: Changes
    code_guard: CodeGuard
    summaries: Summaries
    enrolment: Enrolment
    catalogue: Catalogue
    coupons: Coupons
    gift_cards: GiftCards
    checkout: Checkout
    offers: Offers
    offer_planner: OfferPlanner
    offer_reports: OfferReports
    offer_publisher: OfferPublisher
    views: Views
    recommendations: Recommendations
    product_views: ProductViews
    window_facts: WindowFactsReader
    feedback: Feedback
    trainer: Trainer
    intake: Intake
    membership: Membership
    settling: Settling
    purging: Purging
    roots: Roots
    proofs: Proofs
    pasts: Pasts
    issuers: Issuers
    webhook_sources: WebhookSources
    audit: Audit
    adjustments: Adjustments
    languages: Languages
    member_ledger: MemberLedger
    reservation_list: ReservationList


def wire(
    settings: Settings,
    *,
    clock: Clock,
    database: Database,
    cache: Cache,
    registry: Registry,
    secret: SecretKey,
) -> Services:
    """Put the use cases together. Creates no connection and starts nothing.

    Raises:
        BadInput: the folder of languages is none.
    """
    rulesets, changes = Rulesets(database, cache, registry, clock), Changes(cache)
    door = Door(database, clock, rulesets.known, changes.told)
    summaries = Summaries(database, clock, rulesets, CachedSummaries(cache))
    credentials = Credentials(database, clock, secret, settings.environment)
    catalogue, tenants = Catalogue(database, cache, clock), Tenants(database, clock)
    views, ids = Views(database, clock), RecommendationIds(secret)
    models = settings.data_dir / "models"
    recommendations = Recommendations(database, cache, catalogue, clock, models, ids)
    roots, tokens = Roots(database, clock), QuoteTokens(secret)
    gift_cards = GiftCards(database, door, summaries, secret)
    guard = CodeGuard(cache, clock, secret)
    holdings = HoldingsReader(database, clock, summaries, gift_cards)
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        cache=cache,
        tenants=tenants,
        credentials=credentials,
        rulesets=rulesets,
        door=door,
        changes=changes,
        code_guard=guard,
        summaries=summaries,
        enrolment=Enrolment(door),
        catalogue=catalogue,
        coupons=Coupons(database, door, clock),
        gift_cards=gift_cards,
        checkout=Checkout(door, clock, rulesets, summaries, catalogue, tokens, holdings, guard),
        offers=Offers(database, door, clock),
        offer_planner=OfferPlanner(database, clock, rulesets, models),
        offer_reports=OfferReports(database, clock, rulesets),
        offer_publisher=OfferPublisher(database, clock, rulesets),
        views=views,
        recommendations=recommendations,
        product_views=ProductViews(cache, catalogue, clock, secret),
        window_facts=WindowFactsReader(holdings, clock),
        feedback=Feedback.wired(settings, database, clock, rulesets, views, ids),
        trainer=Trainer(database, rulesets, clock, models),
        intake=Intake(door, catalogue, clock),
        membership=Membership(
            database, door, clock, secret, changes.told, tenants, credentials, recommendations
        ),
        settling=Settling(database, door, clock, changes.told),
        purging=Purging(database, clock, timedelta(days=settings.recommendation_events_days)),
        issuers=Issuers(database, clock, credentials),
        roots=roots,
        proofs=Proofs(database, roots),
        pasts=Pasts(database, clock, rulesets),
        webhook_sources=WebhookSources(database, clock, credentials),
        audit=Audit(database),
        adjustments=Adjustments(door, database),
        languages=Languages.load(settings.languages_dir),
        member_ledger=MemberLedger(database),
        reservation_list=ReservationList(database, clock),
    )
