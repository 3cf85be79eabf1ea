"""The recommender: what to show a member next, learned from purchases alone.

It knows products, and of members what it is handed per request; nothing of points, prices, stock
or tiers. The caller says which products may be answered. Nothing is imported here: serving needs
numpy only, and pays neither for scipy nor for implicit.

What lives where: ``features/`` numbers about a member and a product, ``models/`` what ranks by
them and the published alternatives (``models/baselines/``), ``offers/`` who will use an offer,
``evaluation/`` how good all of it is; ``training`` and ``gate`` make a model and judge its
settings, ``artifact`` keeps it, ``serving`` answers from it.

Training, in a worker or on the command line::

    from loyalty_recommender.interactions import Interactions
    from loyalty_recommender.training import Settings, train

    Interactions.from_columns(members, products, times, *, utc_offset_s=0)
    Interactions.from_indices(member_ids, product_ids, member, product, times, *, utc_offset_s=0)
    train(interactions, settings, out_dir, progress, *, trained_at, keep=3) -> Card
    progress(doing: str, share_of_the_whole: float)

Serving, in every process; a member's past is read per request and kept in no model::

    from loyalty_recommender import artifact
    from loyalty_recommender.serving import Item, Recommendation, Recommender
    from loyalty_recommender.windows import Window

    artifact.current_id(root) -> str | None            # has a newer model been published?
    recommender = Recommender.load(root)               # .card .model_id .trained_at .products
    mask = recommender.mask(visible_product_ids)       # once per state of the catalogue
    past = recommender.history(product_ids, days)      # what one member bought, and when
    recommender.recommend(window, first, history=past, day=today, product=None, cart=(),
                          allowed=mask, exclude=()) -> Recommendation(items, strategy)
    recommender.rank(product_ids, history=past, day=today) -> items, strategy

Going back to an earlier model: ``artifact.model_ids(root)``, ``artifact.point_to(root, id)``.
Everything that can go wrong is a ``loyalty_recommender.errors.RecommenderError``.
"""
