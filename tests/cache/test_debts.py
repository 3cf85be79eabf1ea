"""What is owed to a store that could not be told."""

import pytest

from loyalty.cache.debts import Debt, Debts

DROP = Debt(is_drop=True)


@pytest.mark.parametrize(
    ("earlier", "later", "both"),
    [
        (DROP, DROP, DROP),
        (Debt(False, 3, 60), Debt(False, 5, 60), Debt(False, 5, 60)),
        (Debt(False, 5, 60), Debt(False, 3, 90), Debt(False, 5, 90)),
        (DROP, Debt(False, 3, 60), Debt(True, 3, 60)),
        (Debt(False, 3, 60), DROP, DROP),
        (Debt(True, 3, 60), Debt(False, 5, 60), Debt(True, 5, 60)),
    ],
)
def test_two_debts_of_a_key_become_one(earlier: Debt, later: Debt, both: Debt):
    debts = Debts()
    debts.owe("k", earlier)
    debts.owe("k", later)

    assert debts.oldest(9) == [("k", both)]


def test_a_debt_that_grew_while_being_paid_is_still_owed():
    debts = Debts()
    debts.owe("k", DROP)
    [(key, paid)] = debts.oldest(1)
    debts.owe("k", Debt(False, 3, 60))

    debts.paid(key, paid)
    assert "k" in debts

    [(key, paid)] = debts.oldest(1)
    debts.paid(key, paid)
    assert len(debts) == 0


def test_the_oldest_is_forgotten_when_there_are_too_many():
    debts = Debts(debts_max=2)
    for key in ("a", "b", "a", "c"):
        debts.owe(key, DROP)

    assert debts.oldest(9) == [("a", DROP), ("c", DROP)]
