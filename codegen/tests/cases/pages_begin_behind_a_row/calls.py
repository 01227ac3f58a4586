"""Call the generated functions on a real server, and check each page that they return."""

import sys


async def run(db, queries):
    keyset = sys.modules[queries.__package__ + ".keyset"]
    await db.execute(
        "INSERT INTO issue VALUES (1, 'a', NULL), (2, 'B', '2024-02-29'), (3, 'b', NULL)"
    )
    first = await queries.list_issues(db, page_size=2)
    assert [issue.id for issue in first.rows] == [2, 1]
    assert first.previous is None
    name, _digest = first.next.page_of.split(" ")
    assert name == "ListIssues"
    assert (first.next.keys, first.next.backward) == ((None, 1), False)
    second = await queries.list_issues(db, page_size=2, cursor=first.next)
    assert ([issue.id for issue in second.rows], second.next) == ([3], None)
    assert await queries.list_issues(db, page_size=2, cursor=second.previous) == first
    found = await queries.list_issues(db, page_size=1, pattern="b")
    assert found.next.keys == ("2024-02-29", 2)
    titles = await queries.list_titles(db, page_size=2)
    assert titles.rows == ["B", "B"]
    last = await queries.list_titles(
        db, page_size=2, cursor=keyset.KeysetCursor("ListTitles", backward=True)
    )
    assert (last.rows, last.next) == (["B", "A"], None)
