"""How good the recommendations are, measured on purchases that were really made; no database.

``protocol``   what is asked, at which days, and what was bought then
``metrics``    recall and nDCG of answers, vectorised
``bootstrap``  intervals over households, and of paired differences
``run``        models x windows x days

A model to be evaluated is a ``run.Candidate``: settings with ``fit(interactions, attributes)``,
which give something with ``answer(case)``, products best first.
"""
