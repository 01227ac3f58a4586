"""Read a YAML document node by node, so that every error shows its position."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import yaml

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.source import SourceFile, Span


def as_yaml(text: str) -> str:
    """Replace the tabs of a JSON configuration by spaces, because YAML forbids tabs."""
    return text.replace("\t", " ") if text.lstrip("\ufeff \t\r\n").startswith("{") else text


_YAML = (
    ("'\\t'", "YAML does not allow tabs: indent with spaces"),
    (
        "<block end>",
        "check the indentation of this line: all keys of a mapping must begin in the same column",
    ),
    (
        "mapping values",
        "write a space after the colon, or check the indentation of this line",
    ),
    ("expected ',' or", "check the brackets and commas before this position"),
    ("could not find expected ':'", "end the key with a colon and a space: `engine: postgresql`"),
)


# Keys of sqlc's own generator for Python.
_OTHERS = {"sql_package": "write `driver: asyncpg` or `driver: psycopg`"}


class Reader:
    """Reads typed values from YAML nodes, and records the problems.

    Invalid values are reported in `problems` and treated as missing.
    """

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.problems: list[Diagnostic] = []

    def root(self) -> yaml.Node | None:
        """Parse the document. Return None if the document is empty or not valid YAML."""
        try:
            node: yaml.Node | None = yaml.compose(as_yaml(self.file.text), Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            hint = next((text for said, text in _YAML if said in str(error.problem)), "")
            if "quoted scalar" in str(error.context):
                mark, hint = error.context_mark, "a quote that opens here is not closed"
            at = mark.index if mark else 0
            self._add("E002", f"not valid YAML: {error.problem}", Span(at, at + 1), "here", hint)
            return None
        except yaml.YAMLError as error:
            self._add("E002", f"not valid YAML: {error}", Span(0, 1), "", "")
            return None
        if node is None:
            self._add("E002", "the file is empty", Span(0, 1), "", 'start with `version: "2"`')
        return node

    def span(self, node: yaml.Node) -> Span:
        """Return the span of a node; a block's span ends with its first line."""
        start, end = node.start_mark.index, node.end_mark.index
        line_end = self.file.text.find("\n", start)
        return Span(start, min(end, line_end) if line_end >= 0 else end)

    def place(self, node: yaml.Node | None) -> tuple[SourceFile, Span] | None:
        """Return the position of a node, or None for a missing node."""
        return (self.file, self.span(node)) if node is not None else None

    def error(self, node: yaml.Node, message: str, label: str = "", hint: str = "") -> None:
        """Record a problem with a node."""
        self._add("E003", message, self.span(node), label, hint)

    def lacks(self, node: yaml.Node, message: str, label: str = "", hint: str = "") -> None:
        """Report a missing key, unless the node contains a misspelled key that explains it."""
        first, last = node.start_mark.index, node.end_mark.index
        errors = [item for item in self.problems if item.severity is Severity.ERROR]
        if not any(first <= item.labels[0].span.start <= last for item in errors):
            self.error(node, message, label, hint)

    def warn(self, node: yaml.Node, message: str, label: str = "", hint: str = "") -> None:
        """Report a setting that is ignored, as a warning."""
        self._add("E004", message, self.span(node), label, hint, Severity.WARNING)

    def _add(
        self,
        code: str,
        message: str,
        span: Span,
        label: str,
        hint: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        labels = (Label(self.file, span, label),)
        self.problems.append(Diagnostic(code, message, labels, hint, severity))

    def mapping(
        self, node: yaml.Node | None, known: Iterable[str], where: str
    ) -> dict[str, yaml.Node]:
        """Return a mapping's values by key; unknown and repeated keys are errors."""
        if node is None or _is_null(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.error(node, f"{where} should be a mapping", "expected `key: value` lines")
            return {}
        known = tuple(known)
        found: dict[str, yaml.Node] = {}
        for key, value in merged_pairs(node):
            name = str(key.value)
            if known and name not in known:
                hint = did_you_mean(name, known, otherwise="known are " + ", ".join(known))
                hint = _OTHERS.get(name, hint)
                self._add(
                    "E005",
                    f"unknown key `{name}` in {where}",
                    self.span(key),
                    "not known here",
                    hint,
                )
            elif name in found:
                self._add("E006", f"key `{name}` is given twice", self.span(key), "second time", "")
            else:
                found[name] = value
        return found

    def items(self, node: yaml.Node | None, where: str) -> list[yaml.Node]:
        """Return a list's items."""
        if node is None or _is_null(node):
            return []
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.error(
            node, f"{where} should be a list", "write each item on a line that begins with `- `"
        )
        return []

    def string(self, node: yaml.Node | None, where: str) -> str | None:
        """Return a scalar as text."""
        if node is None or _is_null(node):
            return None
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        self.error(node, f"{where} should be text", "expected one value")
        return None

    def strings(self, node: yaml.Node | None, where: str) -> list[str]:
        """Return the texts of a node that is either one text or a list of texts."""
        if isinstance(node, yaml.SequenceNode):
            texts = [self.string(item, where) for item in node.value]
            return [text for text in texts if text is not None]
        text = self.string(node, where)
        return [] if text is None else [text]

    def flag(self, node: yaml.Node | None, where: str, *, default: bool = False) -> bool:
        """Return the value of a node that is `true` or `false`."""
        if node is None or _is_null(node):
            return default
        text = str(node.value).lower() if isinstance(node, yaml.ScalarNode) else ""
        if text in {"true", "yes", "on"}:
            return True
        if text in {"false", "no", "off"}:
            return False
        self.error(node, f"{where} should be true or false")
        return default

    def choice(
        self,
        node: yaml.Node | None,
        choices: Iterable[str],
        where: str,
        default: str,
        hints: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Return one of `choices`. `hints` maps frequent mistakes to hints."""
        text = self.string(node, where)
        if node is None or text is None:
            return default
        choices = tuple(choices)
        if text in choices:
            return text
        hint = hints.get(text.lower()) or did_you_mean(
            text, choices, otherwise="known are " + ", ".join(choices)
        )
        self.error(
            node, f"{where} cannot be `{text}`", "the value must be one of the listed choices", hint
        )
        return default


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


_MERGE = "tag:yaml.org,2002:merge"


def merged_pairs(node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    """Return the pairs of a mapping, and then the pairs that `<<` merges from other mappings."""
    pairs = [(key, value) for key, value in node.value if key.tag != _MERGE]
    for key, value in node.value:
        others = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for other in others if key.tag == _MERGE else ():
            present = {own.value for own, _ in pairs}
            if isinstance(other, yaml.MappingNode):
                pairs += [pair for pair in merged_pairs(other) if pair[0].value not in present]
    return pairs
