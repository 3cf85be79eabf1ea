"""How likely a member is to use an offer; knows purchases and products, nothing of loyalty.

``targets``     what offers are for: sets of products, seen at five levels
``features``    what a member's past and the shop's purchases say of a target
``logistic``    the regression, drawn towards an earlier one
``ceiling``     high chances brought down to what came of those given before
``scorer``      from features to a chance, and into an artifact and back
``part``        learned with every model and published as a part of it
``purchases``   learning it from purchases alone, for a shop without redemptions
``campaigns``   campaigns, who received them, and what was redeemed
``redemptions`` learning it from earlier campaigns
``reading``     campaigns from files
``baselines``   popularity, bought before
``measures``    areas under curves, recall, calibration, each with its interval
``rolling``     every campaign asked of what was known at its start
``command``     ``evaluate-offers``
"""
