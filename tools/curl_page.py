"""Write a page with a cURL command for every operation of a service's OpenAPI document.

In the examples, IDs, addresses, secrets and times become shell variables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

# Examples that work for one caller only, and the variable that stands for each.
_VARIABLES: Final[Mapping[str, str]] = {
    "ada@example.com": "EMAIL",
    "+4915112345678": "PHONE",
    "12345678901": "PERSONAL_ID",
    "Lanterns-over-9-harbours": "PASSWORD",
    "Harbours-under-8-lanterns": "NEW_PASSWORD",
    "a-token-of-a-mail-0123456789abcdefghijklmno": "MAIL_TOKEN",
    "a-refresh-token-0123456789abcdefghijklmnopqr": "REFRESH_TOKEN",
    "123456": "CODE",
    "a-code-of-the-provider": "PROVIDER_CODE",
    "a-state-0123456789abcdefghijklmnopqrstuvwxyz": "STATE",
    "1769860800": "EXPIRES",
    "c2lnbmF0dXJl": "SIGNATURE",
}
# A field that is a whole object of the browser's.
_CREDENTIAL: Final = "credential"
# Ids and times are named like their field.
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z")
_INTRO: Final = """# {title}: cURL

This page has one cURL command for each operation of the service, with the example values of the
[OpenAPI document](../../api/openapi/{name}.openapi.yaml). Do not edit this page:
`make swag-gen svc={name}` writes it, and `tests/e2e/test_curl.py` executes every command.
[The index](README.md) explains the variables.
"""
_INDEX: Final = """# cURL commands

Each service has a page with one cURL command for every operation:

{services}

`make swag-gen` writes these pages from the OpenAPI documents. Before you run a command, set the
variables in it:

```sh
GATEWAY=http://127.0.0.1:8080
EMAIL=admin@example.com PASSWORD=$(cat .run/secrets/demo_admin)
TOKEN=$(curl -sS "$GATEWAY/api/users/v1/auth/login" -H 'Content-Type: application/json' \\
  -d "{{\\"email\\": \\"$EMAIL\\", \\"password\\": \\"$PASSWORD\\"}}" | jq -r .data.access_token)
```

- `TOKEN`: the access token of a caller who may use the operation.
- Variables whose names end in `_ID`: the `id` in the response to an earlier command.
- `ETAG`: the `ETag` header of an earlier response, with its quotation marks.
- `TIME_START`, `TIME_END`, `BOOK_TIME`: times in the future, such as `2030-01-31T12:00:00Z`.
- `PICTURE`: the path of an image file.
- `EXPIRES` and `SIGNATURE`: the query parameters in the signed URL of a picture.
- `IDENTITY_PROVIDER_NAME`, `IDENTITY_NAME`: the name of an identity provider.
- `PROVIDER_CODE` and `STATE`: parameters that the identity provider adds to the URL when it
  redirects the browser back. Commands with these variables also need the cookie of the command
  that started the sign-in or the linking of the identity: `curl -b cookies -c cookies`.
- `CREDENTIAL`: the JSON that `navigator.credentials.create` returns in the browser.
- `MAIL_TOKEN`: the token of the link in an email. `CODE`: the six digits of an authenticator app.
"""


def index(names: list[str]) -> str:
    """Return the index page of the services' pages."""
    return _INDEX.format(services="\n".join(f"- [{name}]({name}.md)" for name in names))


def page(name: str, document: Mapping[str, Any]) -> str:
    """Return the page of a service: its operations by tag, in the order of the document."""
    by_tag: dict[str, list[str]] = {}
    base = document["servers"][0]["url"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            text = _section(method.upper(), base + path, operation)
            by_tag.setdefault(operation["tags"][0], []).append(text)
    parts = [_INTRO.format(title=name.capitalize(), name=name)]
    for tag, sections in by_tag.items():
        parts += [f"## {tag.capitalize()}\n", *sections]
    return "\n".join(parts)


def _section(method: str, path: str, operation: Mapping[str, Any]) -> str:
    success = next(status for status in operation["responses"] if status.startswith("2"))
    alias = ""
    if operation.get("deprecated"):
        original = operation["operationId"].rpartition("_")[0]
        alias = f" Deprecated: use `{original}`."
    name = operation["operationId"]
    return (
        f"{operation['summary']} (`{name}`). The response has the status {success}.{alias}\n\n"
        f"```sh\n{command(method, path, operation)}\n```\n"
    )


def command(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """Return the cURL command of one operation."""
    lines = [f'curl -sS -X {method} "$GATEWAY{_path(path)}{_query(operation)}"']
    if operation.get("security") != []:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if "428" in operation["responses"]:
        lines.append('-H "If-Match: $ETAG"')
    content = operation.get("requestBody", {}).get("content", {})
    body, form = content.get("application/json"), content.get("multipart/form-data")
    if form is not None:
        lines += [f'-F "{name}=@$PICTURE"' for name in form["schema"]["properties"]]
    if body is None:
        return " \\\n  ".join(lines)
    lines += ["-H 'Content-Type: application/json'", "-d @- <<JSON"]
    example = json.dumps(_replaced("", body["example"]), ensure_ascii=False)
    example = example.replace('"$CREDENTIAL"', "$CREDENTIAL")
    return " \\\n  ".join(lines) + f"\n{example}\nJSON"


def _path(path: str) -> str:
    """`/users/{id}` → `/users/$USER_ID`."""
    return re.sub(r"([\w-]+)/\{(\w+)\}", _segment, path)


def _segment(found: re.Match[str]) -> str:
    return f"{found[1]}/${variable(found[1], found[2])}"


def variable(before: str, parameter: str) -> str:
    """Return the variable of a path parameter from the segment before it: `cities` → `CITY_ID`."""
    if parameter.endswith("_id"):
        return parameter.upper()
    singular = re.sub("ies$", "y", re.sub("(x|z|ch|sh|ss)es$", r"\1", before))
    return f"{singular.removesuffix('s').replace('-', '_')}_{parameter}".upper()


def _query(operation: Mapping[str, Any]) -> str:
    shown = "&".join(_shown(operation["parameters"]))
    return f"?{shown}" if shown else ""


def _shown(parameters: list[Mapping[str, Any]]) -> Iterator[str]:
    for one in parameters:
        value = one["example"] if "example" in one else one["schema"]["examples"][0]
        variable = isinstance(value, str) and value in _VARIABLES
        if one["in"] == "query" and (one["required"] or variable):
            yield f"{one['name']}={_replaced(one['name'], value)}"


def _replaced(name: str, value: Any) -> Any:
    """Return an example in which shell variables replace some of the values."""
    if name == _CREDENTIAL:
        return "$CREDENTIAL"
    if isinstance(value, dict):
        return {key: _replaced(key, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_replaced(name, one) for one in value]
    if not isinstance(value, str):
        return value
    if _UUID.fullmatch(value) or _TIME.fullmatch(value):
        return f"${name.upper()}"
    return f"${_VARIABLES[value]}" if value in _VARIABLES else value
