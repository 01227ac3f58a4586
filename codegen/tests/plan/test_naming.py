"""Names in SQL become names in Python."""

from __future__ import annotations

import keyword

import pytest
from aiosqlc.config.project import ModelKind
from aiosqlc.plan.naming import (
    argument,
    attribute,
    camel,
    class_name,
    constant,
    identifier,
    member,
    members,
    singular,
    snake,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GetUser", "get_user"),
        ("get_user", "get_user"),
        ("GetHTTPUser", "get_http_user"),
        ("ListOrders2", "list_orders2"),
        ("getUserByID", "get_user_by_id"),
        ("ListByIDs", "list_by_ids"),
        ("URLsOfUser", "urls_of_user"),
        ("GetAUser", "get_a_user"),
        ("LinkOAuth2Account", "link_oauth2_account"),
        ("SyncGitHubRepo", "sync_github_repo"),
    ],
)
def test_functions_are_snake_case(name: str, expected: str) -> None:
    assert snake(name) == expected
    assert constant(name) == expected.upper()


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("departments", "Department"),
        ("point_entries", "PointEntry"),
        ("addresses", "Address"),
        ("boxes", "Box"),
        ("staff", "Staff"),
        ("order_status", "OrderStatus"),
        ("bus", "Bus"),
        ("people", "Person"),
        ("class", "Class"),
        ("none", "None_"),
        ("3rd_party_stats", "N3rdPartyStat"),
        ("INCIDENT_REPORTS", "IncidentReport"),
        ("URL", "Url"),
        ("s", "S"),
        ("item_s", "ItemS"),
    ],
)
def test_rows_are_called_after_one_of_the_table(table: str, expected: str) -> None:
    assert camel(singular(table)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("class", "class_"),
        ("two words", "two_words"),
        ("1st", "n1st"),
        ("naïve", "naïve"),
        ("", "_"),
    ],
)
def test_fields_are_valid_names_close_to_the_column(name: str, expected: str) -> None:
    assert identifier(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("userId", "user_id"), ("user_id", "user_id"), ("OAuthURL", "oauth_url"), ("X", "x")],
)
def test_a_parameter_and_a_field_of_one_name_are_called_the_same(name: str, expected: str) -> None:
    assert argument(name) == attribute(name, ModelKind.DATACLASS) == expected


@given(st.text())
def test_any_name_becomes_an_identifier(name: str) -> None:
    for found in (identifier(name), argument(name), member(name), camel(name), class_name(name)):
        assert found.isidentifier()
        assert not keyword.iskeyword(found)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["+", "-", "<=", "!="], "PLUS HYPHEN_MINUS LESS_THAN_EQUALS EXCLAMATION_MARK_EQUALS"),
        (["", " ", "a"], "EMPTY SPACE A"),
        (["A", "A+", "A-", "B+"], "A A_PLUS A_HYPHEN_MINUS B"),
        (["in progress", "in_progress"], "IN_SPACE_PROGRESS IN_PROGRESS"),
        (["1", "-1"], "N1 HYPHEN_MINUS_1"),
        (["x", "X", "x_2", "X_"], "X X_3 X_2 X_4"),
        (["None", "@NONE", "NONE"], "NONE COMMERCIAL_AT_NONE NONE_2"),
    ],
)
def test_labels_that_differ_in_signs_have_names_of_their_own(labels: list[str], names: str) -> None:
    assert members(labels) == tuple(names.split())


@given(st.lists(st.text(alphabet=st.sampled_from("aA1+-<= _é\n"), max_size=4), unique=True))
def test_the_members_of_an_enum_are_identifiers_all_different(labels: list[str]) -> None:
    names = members(labels)
    assert len(set(names)) == len(labels)
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in names)
