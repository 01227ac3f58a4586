"""Every DELETE of the OpenAPI documents, for missing resources and for demo data in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp

from codegen.tests.documents import read_yaml
from devstack.settings import ROOT
from tests.e2e.conftest import Stack

NOBODY = "01890000-0000-7000-8000-00000000dead"
# Lists whose demo data others refer to, and the conflict that the documentation names.
IN_USE = {
    "catalogs/v1/category-types": "category type is still in use",
    "catalogs/v1/categories": "category is still in use",
    "catalogs/v1/subcategories": "subcategory is still in use",
}


def deletes() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and the description of each DELETE, with the paths at the gateway."""
    for path in sorted((ROOT / "api" / "swagger").glob("*.swagger.yaml")):
        document = read_yaml(path)
        for where, operations in document["paths"].items():
            if "delete" in operations:
                yield document["basePath"] + where, operations["delete"]


async def test_a_delete_of_what_is_not_there_is_answered_as_documented(stack: Stack) -> None:
    seen = 0
    async with aiohttp.ClientSession(stack.url, headers=stack.authorized()) as http:
        for path, operation in deletes():
            where = "/".join(NOBODY if part.startswith("{") else part for part in path.split("/"))
            async with http.delete(where, headers={"If-Match": "*"}) as answer:
                body = await answer.json()
            assert answer.status in (403, 404), (where, body)
            assert str(answer.status) in operation["responses"], where
            seen += 1
    assert seen > 20


async def test_a_delete_of_what_is_in_use_names_its_conflict(stack: Stack) -> None:
    async with aiohttp.ClientSession(f"{stack.url}/api/", headers=stack.authorized()) as http:
        for path, message in IN_USE.items():
            async with http.get(path) as found:
                entries = (await found.json())["data"]
            conflicts = set()
            for entry in entries[:1]:
                async with http.delete(f"{path}/{entry['id']}") as answer:
                    conflicts.add((answer.status, (await answer.json())["error"]["message"]))
            assert conflicts == {(409, message)}, path
