"""List the fields of sqlglot's nodes that `mysql.levels` reads or can safely ignore.

A node in which any other field has a value is unsupported.
"""

from __future__ import annotations

from sqlglot import exp

FIELDS: dict[type[exp.Expr], frozenset[str]] = {
    kind: frozenset(fields.split())
    for kind, fields in {
        # Read; then what changes neither how many rows there are nor which are equal.
        exp.Select: "with_ expressions distinct from_ joins where group having limit offset locks"
        " kind hint into operation_modifiers windows order",
        exp.Union: "with_ this expression limit offset distinct order",
        exp.Intersect: "with_ this expression limit offset distinct order",
        exp.Except: "with_ this expression limit offset distinct order",
        exp.Subquery: "with_ this alias joins limit offset order",
        exp.Table: "this alias db joins version catalog hints partition",
        exp.Join: "this on side using method kind hint",
        exp.Lateral: "this alias",
        exp.Group: "expressions rollup cube grouping_sets totals",
        exp.Distinct: "expressions",
        exp.Limit: "expression",
        exp.Fetch: "count limit_options direction",
        exp.LimitOptions: "percent with_ties rows",
        exp.Offset: "expression",
        exp.Insert: "this expression ignore with_ conflict returning overwrite hint partition",
        exp.Values: "expressions",
        exp.Delete: "this using where limit with_ returning order hint tables ignore",
        exp.Update: "this where limit with_ expressions from_ returning order hint ignore",
        exp.EQ: "this expression",
        exp.In: "this expressions",
    }.items()
}


def is_understood(node: exp.Expr) -> bool:
    """Return whether a node has values only in fields that `FIELDS` lists."""
    known = FIELDS.get(type(node), frozenset())
    return all(name in known for name, value in node.args.items() if value)
