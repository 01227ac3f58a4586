"""Names for the numbers by which PostgreSQL's parse trees show values of C enums.

These are plain numbers, because the lookup of an enum member takes five times as long.
"""

from __future__ import annotations


class Command:
    """CmdType: the kind of a statement."""

    UNKNOWN = 0
    SELECT = 1
    UPDATE = 2
    INSERT = 3
    DELETE = 4
    MERGE = 5
    UTILITY = 6
    NOTHING = 7


class Rte:
    """RTEKind: the kind of a range table entry."""

    RELATION = 0
    SUBQUERY = 1
    JOIN = 2
    FUNCTION = 3
    TABLEFUNC = 4
    VALUES = 5
    CTE = 6
    RESULT = 8
    GROUP = 9


class Join:
    """JoinType: the values that occur in parse trees."""

    INNER = 0
    LEFT = 1
    FULL = 2
    RIGHT = 3


class SubLink:
    """SubLinkType: the kind of a subquery in an expression."""

    EXISTS = 0
    ALL = 1
    ANY = 2
    EXPR = 4
    ARRAY = 6
    CTE = 7


class SetOp:
    """SetOperation: UNION, INTERSECT or EXCEPT."""

    NONE = 0
    UNION = 1
    INTERSECT = 2
    EXCEPT = 3


class Param:
    """ParamKind: the kind of a parameter."""

    EXTERN = 0
    EXEC = 1
    SUBLINK = 2


class Returning:
    """VarReturningType: the old or the new row to which a column in RETURNING refers."""

    DEFAULT = 0
    OLD = 1
    NEW = 2


class GroupingSet:
    """GroupingSetKind: the kind of a grouping set."""

    EMPTY = 0
    SIMPLE = 1
    ROLLUP = 2
    SETS = 4


IS_NOT_NULL = 1  # NullTestType
# BoolTestType
IS_TRUE, IS_NOT_TRUE, IS_FALSE, IS_NOT_FALSE, IS_UNKNOWN, IS_NOT_UNKNOWN = range(6)
CURRENT_SCHEMA = 14  # SQLValueFunctionOp
ON_CONFLICT_UPDATE = 2
MATCHED, NOT_MATCHED_BY_SOURCE = 0, 1  # MergeMatchKind
LIMIT_WITH_TIES = 1
