"""Every command, run for real: what it answers, and how it fails."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import jwt
import pytest
from command_line import GROCERY, ROOT, CommandLine

from loyalty.cli.embedded import PostgresServer

MINIMAL = ROOT / "examples" / "minimal.toml"

TABLES = [
    ("ledger_entry_no_update", "ledger_entry"),
    ("ledger_transaction_no_delete", "ledger_transaction"),
    ("tier_change_no_replace_by_key", "tier_change"),
]


def sqlite_file(command: CommandLine) -> Path:
    return command.folder / "var" / "loyalty.sqlite3"


def test_help_names_every_command(bare: CommandLine) -> None:
    told = bare.ok("--help").out

    for name in (
        *("demo", "serve", "migrate", "doctor", "train", "schema", "tenant", "program"),
        *("import", "jobs", "token", "issuer", "key", "webhook", "ledger"),
        *("coupon", "gift-card", "stock", "audit"),
    ):
        assert f"│ {name} " in told, name


def test_the_version_is_the_distributions(bare: CommandLine) -> None:
    assert bare.ok("--version").out == "0.1.0\n"


def test_an_unknown_command_is_the_callers_mistake(bare: CommandLine) -> None:
    assert bare("bogus").status == 2


def test_nothing_is_made_before_migrate(bare: CommandLine) -> None:
    done = bare("tenant", "list")

    path = sqlite_file(bare)
    assert (done.status, done.out) == (1, "")
    assert done.error == f"error: there is no database {path} yet; run: loyalty migrate\n"
    assert not path.parent.exists()


def test_migrate_again_changes_nothing(loyalty: CommandLine) -> None:
    first = loyalty.ok("migrate")
    second = loyalty.ok("migrate")

    assert first == second
    assert first.out.endswith(" is at 0007_product_types\n")


def test_the_sqlite_file_is_in_the_data_folder_unless_named(bare: CommandLine) -> None:
    bare.ok("migrate", LOYALTY_DATA_DIR="some where/deep")

    assert (bare.folder / "some where" / "deep" / "loyalty.sqlite3").is_file()


def test_a_database_that_is_away_is_one_sentence(bare: CommandLine) -> None:
    done = bare("migrate", LOYALTY_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")

    assert done.status == 1
    assert done.error.startswith("error: cannot reach PostgreSQL: ")
    assert done.error.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("LOYALTY_PORT", "x", "error: LOYALTY_PORT: Input should be a valid integer"),
        ("LOYALTY_ENVIRONMENT", "x", "error: LOYALTY_ENVIRONMENT: Input should be 'production'"),
        ("LOYALTY_SECRET_KEY", "short", "error: LOYALTY_SECRET_KEY: the secret key has 5 char"),
        ("LOYALTY_SECRET_KEY", "", "error: LOYALTY_SECRET_KEY: the secret key has 0 characters"),
        ("LOYALTY_DATABASE_URL", "mysql://x", "error: database URL of kind 'mysql' found"),
    ],
)
def test_a_bad_setting_is_named(shop: CommandLine, name: str, value: str, error: str) -> None:
    done = shop("token", "member", "m-1", **{name: value})

    assert (done.status, done.out) == (1, "")
    assert done.error.startswith(error)


def test_the_secret_is_not_repeated(shop: CommandLine) -> None:
    assert "short-one" not in shop("key", "list", LOYALTY_SECRET_KEY="short-one").error


class TestTenants:
    def test_listed_as_made(self, loyalty: CommandLine) -> None:
        loyalty.ok("tenant", "create", "one", "--name", "The [first]")
        loyalty.ok("tenant", "create", "two", "--name", "Second")

        assert loyalty.ok("tenant", "list", "--json").json == [
            {"id": 1, "code": "one", "name": "The [first]"},
            {"id": 2, "code": "two", "name": "Second"},
        ]
        assert "The [first]" in loyalty.ok("tenant", "list").out

    def test_a_taken_code_is_refused(self, shop: CommandLine) -> None:
        done = shop("tenant", "create", "demo", "--name", "Again")

        assert (done.status, done.error) == (1, "error: there is a tenant 'demo' already\n")

    def test_the_only_one_is_meant(self, shop: CommandLine) -> None:
        assert shop("key", "list").status == 0

    def test_of_several_one_has_to_be_named(self, shop: CommandLine) -> None:
        shop.ok("tenant", "create", "other", "--name", "Other")

        unnamed = shop("key", "list")
        unknown = shop("key", "list", "--tenant", "third")

        assert unnamed.status == 1
        assert unnamed.error == (
            "error: there are 2 tenants, choose one with --tenant: demo, other\n"
        )
        assert (unknown.status, unknown.error) == (1, "error: no tenant 'third'\n")
        assert shop("key", "list", "--tenant", "other").status == 0

    def test_without_one_the_way_is_told(self, loyalty: CommandLine) -> None:
        done = loyalty("key", "list")

        assert done.status == 1
        assert "loyalty tenant create CODE --name NAME" in done.error


class TestMembers:
    def test_one_is_merged_parted_exported_and_erased(self, shop: CommandLine) -> None:
        members = shop.folder / "members.csv"
        members.write_text("member,name,birthday\nann,Ann,\nguest,Guest,\nann,Ann,nonsense\n")
        shop("import", "members", str(members))

        assert shop.ok("member", "merge", "guest", "ann").out == "merged\n"
        assert shop.ok("member", "merge", "guest", "ann", "--json").json == {"moved": False}
        assert shop.ok("member", "unmerge", "guest").out == "parted\n"
        assert shop.ok("member", "unmerge", "guest").out.startswith("nothing to do")
        exported = shop.ok("member", "export", "ann").json
        assert [each["name"] for each in exported["members"]] == ["Ann"]
        erased = shop.ok("member", "erase", "ann", "--yes")

        assert erased.out == "erased; forfeited: nothing\n"
        assert "backups" in erased.error
        assert "imports refused 1 rows; their files FILE.rejected.csv" in erased.error
        done = shop("member", "export", "ann")
        assert (done.status, done.error) == (1, "error: no member 'ann'\n")


class TestProgram:
    def test_every_problem_is_a_line(self, bare: CommandLine) -> None:
        broken = bare.folder / "broken.toml"
        text = GROCERY.read_text().replace('currency = "USD"', 'currency = "dollars"')
        broken.write_text(text.replace('time_zone = "America/New_York"', 'time_zone = "Mars"'))

        done = bare("program", "validate", broken)
        as_json = bare("program", "validate", broken, "--json")

        assert (done.status, done.out, as_json.status) == (1, "", 1)
        told = done.error.splitlines()
        assert [line.split(":")[1] for line in told] == [" currency", " time_zone"]
        assert as_json.json == {
            "valid": False,
            "problems": [line.removeprefix("error: ") for line in told],
        }

    def test_what_is_valid_is_told(self, bare: CommandLine) -> None:
        assert bare.ok("program", "validate", GROCERY).out.startswith(
            f"{GROCERY} is valid: Corner Grocery Rewards in USD, tiers "
        )
        assert bare.ok("program", "validate", GROCERY, "--json").json["valid"] is True

    def test_a_file_and_a_version_are_told_in_plain_words(self, shop: CommandLine) -> None:
        file = shop.ok("program", "validate", GROCERY, "--explain").lines
        version = shop.ok("program", "show", "--explain").lines

        assert file[0].startswith("Corner Grocery Rewards (")
        assert version[0] == file[0].replace("version 0", "version 1")
        assert version[1:] == file[1:]
        assert "Point types" in file

    @pytest.mark.parametrize(
        ("content", "error"),
        [
            (b"\xff", "is not UTF-8 text: byte 0 cannot be read"),
            (b"= 1", "not TOML: Invalid statement"),
        ],
    )
    def test_a_file_that_is_no_program(self, bare: CommandLine, content: bytes, error: str) -> None:
        file = bare.folder / "file.toml"
        file.write_bytes(content)

        done = bare("program", "validate", file)

        assert done.status == 1
        assert error in done.error

    def test_a_file_that_is_not_there(self, bare: CommandLine) -> None:
        done = bare("program", "publish", "nowhere.toml")

        assert done.status == 2
        assert "nowhere.toml" in done.error

    def test_published_versions_stay(self, loyalty: CommandLine) -> None:
        loyalty.ok("tenant", "create", "demo", "--name", "Demo")

        first = loyalty.ok("program", "publish", GROCERY, "--expected-version", "0", "--json").json
        again = loyalty.ok("program", "publish", GROCERY, "--json").json
        late = loyalty("program", "publish", MINIMAL, "--expected-version", "0")
        second = loyalty.ok("program", "publish", MINIMAL, "--expected-version", "1", "--json").json

        assert first == again
        assert (first["version"], second["version"]) == (1, 2)
        assert (late.status, late.error) == (1, "error: expected version 0, found 1\n")
        assert loyalty.ok("program", "show").out == MINIMAL.read_text()
        assert loyalty.ok("program", "show", "--version", "1").out == GROCERY.read_text()
        assert loyalty.ok("program", "show", "--history", "--json").json == [second, first]
        assert loyalty("program", "show", "--version", "3").status == 1

    def test_none_published_is_said(self, loyalty: CommandLine) -> None:
        loyalty.ok("tenant", "create", "demo", "--name", "Demo")

        done = loyalty("program", "show")

        assert done.error == "error: no published program of tenant 'demo'\n"


class TestCredentials:
    def test_a_members_token(self, shop: CommandLine) -> None:
        done = shop.ok("token", "member", "m-1", "--ttl", "600")

        claims = jwt.decode(done.out.strip(), options={"verify_signature": False})
        assert len(done.lines) == 1
        assert (claims["iss"], claims["sub"]) == ("demo", "m-1")
        assert claims["exp"] - claims["iat"] == 600
        assert "there is no member 'm-1' yet" in done.error

    def test_a_token_for_nobody_is_refused(self, shop: CommandLine) -> None:
        assert shop("token", "member", "").status == 1
        assert shop("token", "member", "m" * 129).status == 1
        assert shop("token", "member", "m-1", "--ttl", "0").status == 2

    def test_a_keys_life(self, loyalty: CommandLine) -> None:
        loyalty.ok("tenant", "create", "demo", "--name", "Demo")

        made = loyalty.ok("key", "create", "--name", "till", "--scopes", "checkout:quote,admin")
        listed = loyalty.ok("key", "list", "--json").json

        text = made.out.strip()
        assert text.startswith(f"lk_live_{listed[0]['id']}_")
        assert listed[0]["name"] == "till"
        assert listed[0]["scopes"] == ["checkout:quote", "admin"]
        assert listed[0]["revokedAt"] is None
        assert text not in loyalty.ok("key", "list").out

        loyalty.ok("key", "revoke", listed[0]["id"])

        assert loyalty.ok("key", "list", "--json").json[0]["revokedAt"] is not None
        again = loyalty("key", "revoke", listed[0]["id"])
        assert (again.status, again.error) == (1, f"error: no key in force '{listed[0]['id']}'\n")

    def test_an_unknown_scope_is_named(self, shop: CommandLine) -> None:
        done = shop("key", "create", "--name", "till", "--scopes", "checkout:pay")

        assert done.status == 1
        assert done.error.startswith("error: found scopes checkout:pay, wanted some of catalogue")

    def test_webhook_secrets_are_the_same_when_asked_again(self, shop: CommandLine) -> None:
        made = shop.ok("webhook", "create", "shop-1").out.strip()

        listed = shop.ok("webhook", "list", "--show-secrets", "--json").json
        assert made.startswith("whsec_")
        assert [(one["source"], one["secret"]) for one in listed] == [("shop-1", made)]
        assert made not in shop.ok("webhook", "list").out
        taken = shop("webhook", "create", "shop-1")
        assert (taken.status, taken.error) == (1, "error: there is a source 'shop-1' already\n")


class TestLedger:
    def test_an_empty_one_holds(self, loyalty: CommandLine) -> None:
        loyalty.ok("tenant", "create", "demo", "--name", "Demo")

        assert loyalty.ok("ledger", "verify", "--json").json == {
            "ok": True,
            "members": 0,
            "transactions": 0,
            "entries": 0,
            "problems": [],
            "problemsMore": 0,
        }
        assert "all of it holds" in loyalty.ok("ledger", "verify").out


class TestJobs:
    def test_settle_tells_of_every_tenant(self, shop: CommandLine) -> None:
        assert shop.process("jobs", "run", "settle", "--json").json == {"demo": 0}

    def test_nothing_to_learn_from_is_said(self, shop: CommandLine) -> None:
        trained = shop.process("train")
        job = shop.process("jobs", "run", "train", "--json")

        assert trained.status == 1
        assert trained.error.endswith("there is no model in service, popularity answers\n")
        assert (job.status, job.json) == (0, {})
        assert '"event":"training_skipped"' in job.error


class TestSchema:
    @pytest.mark.parametrize("name", ["storefront", "admin"])
    def test_it_is_the_published_contract(self, bare: CommandLine, name: str) -> None:
        printed = bare.process("schema", name, LOYALTY_SECRET_KEY="").out

        assert printed == (ROOT / "graphql" / f"{name}.graphql").read_text()


class TestDoctor:
    def checked(self, command: CommandLine, **more: str) -> dict[str, tuple[str, str]]:
        done = command("doctor", "--json", **more)
        found = {one["check"]: (one["state"], one["found"]) for one in done.json}
        assert done.status == (1 if any(state == "fail" for state, _ in found.values()) else 0)
        return found

    def test_a_shop_that_works(self, loyalty: CommandLine) -> None:
        loyalty.ok("tenant", "create", "demo", "--name", "Demo")
        loyalty.ok("program", "publish", GROCERY)

        found = self.checked(loyalty)

        dialect = (
            "sqlite" if "sqlite" in loyalty.environment["LOYALTY_DATABASE_URL"] else "postgres"
        )
        assert {state for state, _ in found.values()} <= {"ok", "warn"}
        assert found["database"] == ("ok", f"{dialect}, migrated")
        assert found["append-only"] == ("ok", "the database refuses changes of the ledger")
        assert found["program of demo"] == ("ok", "version 1: Corner Grocery Rewards")
        assert found["model of demo"][0] == "warn"
        assert loyalty("doctor").out.count(" ok ") >= 8

    def test_before_migrate(self, bare: CommandLine) -> None:
        state, found = self.checked(bare)["database"]

        assert state == "fail"
        assert found.endswith("run: loyalty migrate")

    @pytest.mark.parametrize(("trigger", "table"), TABLES)
    def test_a_lost_trigger_is_found(self, shop: CommandLine, trigger: str, table: str) -> None:
        with sqlite3.connect(sqlite_file(shop)) as connection:
            connection.execute(f"DROP TRIGGER {trigger}")

        assert self.checked(shop)["append-only"] == ("fail", f"not guarded: {table}")

    def test_a_trigger_that_is_switched_off_is_found(
        self, bare: CommandLine, postgres_server: PostgresServer, postgres_database: str
    ) -> None:
        environment = {"LOYALTY_DATABASE_URL": postgres_database}
        bare.ok("migrate", **environment)
        switch = "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_append_only"
        psql = postgres_server.program("psql")
        subprocess.run([psql, postgres_database, "-qc", switch], check=True)

        found = self.checked(bare, **environment)

        assert found["append-only"] == ("fail", "not guarded: ledger_entry")

    @pytest.mark.parametrize(
        ("name", "value", "check", "expected"),
        [
            ("LOYALTY_PROT", "1", "settings", ("warn", "unknown: LOYALTY_PROT")),
            ("LOYALTY_SECRET_KEY", "a" * 40, "secret key", ("warn", "only 1 different characters")),
            ("LOYALTY_REDIS_URL", "redis://127.0.0.1:1/0", "cache", ("warn", "Redis does not")),
            ("LOYALTY_REDIS_URL", "off", "cache", ("ok", "switched off")),
            ("LOYALTY_REDIS_URL", "http://x", "cache", ("fail", "cache address of kind 'http'")),
            ("LOYALTY_SECRET_KEY", "short", "secret key", ("fail", "LOYALTY_SECRET_KEY: the se")),
            ("LOYALTY_PORT", "x", "settings", ("fail", "LOYALTY_PORT: Input should be")),
        ],
    )
    def test_settings(
        self, shop: CommandLine, name: str, value: str, check: str, expected: tuple[str, str]
    ) -> None:
        state, found = self.checked(shop, **{name: value})[check]

        assert (state, found[: len(expected[1])]) == expected

    def test_a_running_redis(self, shop: CommandLine, valkey_url: str) -> None:
        assert self.checked(shop, LOYALTY_REDIS_URL=valkey_url)["cache"] == ("ok", "Redis answers")

    def test_a_file_that_is_no_database(self, shop: CommandLine) -> None:
        for path in sqlite_file(shop).parent.glob("loyalty.sqlite3*"):
            path.unlink()
        shutil.copy(GROCERY, sqlite_file(shop))

        assert self.checked(shop)["database"][0] == "fail"
