"""What can go wrong with the database itself.

LoyaltyError
├── DatabaseProblem             DATABASE_PROBLEM    the operator has to act
│   ├── NotMigrated
│   └── ServerAlreadyRunning
├── BadInput
│   └── NotStorable             BAD_USER_INPUT      a text that no column can hold
└── Unavailable                 UNAVAILABLE         busy or away (``loyalty.errors``)
DuplicateKey                    for the service to decide about; a bug if it goes further
RowsMissing                     a bug: an update or delete of rows that are not there
BadUrl is a DatabaseProblem too.
"""

from loyalty.errors import BadInput, LoyaltyError


class DatabaseProblem(LoyaltyError):
    """The database cannot be used as it is; the message says what to do."""

    code = "DATABASE_PROBLEM"


class BadUrl(DatabaseProblem):
    """The database URL is not one of the two kinds known."""


class NotMigrated(DatabaseProblem):
    """The schema is not the one this version works with."""


class ServerAlreadyRunning(DatabaseProblem):
    """Another server process has this SQLite file."""


class NotStorable(BadInput):
    """A text is too long for its column or holds a character that cannot be stored."""


class DuplicateKey(Exception):
    """A row with that unique key is there already; nothing of the unit was booked.

    ``constraint`` is named alike on both databases: ``<table>_pkey`` or
    ``<table>_<columns…>_key``.
    """

    def __init__(self, table: str, columns: tuple[str, ...], constraint: str) -> None:
        super().__init__(f"{table} has a row of that key already ({', '.join(columns)})")
        self.table = table
        self.columns = columns
        self.constraint = constraint


class RowsMissing(Exception):
    """Rows that were to be changed are not there: the unit of work is wrong."""

    def __init__(self, what: str, wanted: int, found: int) -> None:
        super().__init__(f"{what}: {wanted} rows wanted, {found} found")
