"""Built-in functions: their result types, and which return NULL only for a NULL argument."""

from __future__ import annotations

from sqlglot import exp

from aiosqlc.ir import SqlType
from aiosqlc.mysql import types
from aiosqlc.mysql.results import RESULTS

# Functions that are NULL exactly if an argument is NULL. Tests check this on the server.
TOTAL = frozenset(
    {
        "ABS", "ASCII", "BIT_COUNT", "BIT_LENGTH", "CEIL", "CEILING", "CHAR_LENGTH",
        "CHARACTER_LENGTH",
        "CRC32", "DEGREES", "FIND_IN_SET", "FLOOR", "GREATEST", "INSTR", "LCASE", "LEAST", "LEFT",
        "LENGTH",
        "LOCATE", "LOWER", "LTRIM", "MD5", "OCTET_LENGTH", "ORD", "POSITION", "RADIANS", "REVERSE",
        "RIGHT",
        "ROUND", "RTRIM", "SHA", "SHA1", "SIGN", "STRCMP", "SUBSTR", "SUBSTRING", "SUBSTRING_INDEX",
        "TRIM",
        "TRUNCATE", "UCASE", "UPPER", "MID",
    }
)  # fmt: skip

# Functions that are never NULL.
NEVER_NULL = frozenset(
    {
        "CONNECTION_ID", "CURDATE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURTIME",
        "FIELD",
        "FOUND_ROWS", "ISNULL", "LOCALTIME", "LOCALTIMESTAMP", "NOW", "PI", "ROW_COUNT",
        "SYSDATE", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "UUID", "UUID_SHORT", "VERSION",
    }
)  # fmt: skip

# Functions that are NULL if an argument is NULL, but also for some other arguments.
STRICT = TOTAL | frozenset(
    {
        "ACOS", "ADDDATE", "ADDTIME", "ASIN", "ATAN", "ATAN2", "BIN", "CONCAT", "CONV", "COS",
        "COT", "DATE", "DATE_ADD",
        "DATE_FORMAT", "DATE_SUB", "DATEDIFF", "DAY", "DAYNAME", "DAYOFMONTH", "DAYOFWEEK",
        "DAYOFYEAR", "EXP",
        "FROM_DAYS", "FROM_UNIXTIME", "HEX", "HOUR", "INET_ATON", "INET_NTOA", "LAST_DAY", "LN",
        "LOG10", "LOG2",
        "LPAD", "MAKEDATE", "MAKETIME", "MICROSECOND", "MINUTE", "MONTH", "MONTHNAME", "OCT", "POW",
        "POWER", "QUARTER",
        "REPEAT", "REPLACE", "RPAD", "SECOND", "SEC_TO_TIME", "SHA2", "SIN", "SPACE", "SQRT",
        "STR_TO_DATE", "SUBDATE",
        "SUBTIME", "TAN", "TIME", "TIMEDIFF", "TIME_TO_SEC", "TO_DAYS", "UNHEX", "WEEK", "WEEKDAY",
        "YEAR", "YEARWEEK",
    }
)  # fmt: skip

# Functions that are NULL for the same arguments in every context. An invalid time is NULL as a time
# but not as a number.
PLAIN = TOTAL | frozenset(
    {
        "ACOS", "ASIN", "ATAN", "ATAN2", "BIN", "CONCAT", "CONV", "COS", "COT", "EXP", "HEX",
        "INET_ATON", "INET_NTOA", "LN", "LOG10", "LOG2", "LPAD", "OCT", "POW", "POWER", "REPEAT",
        "REPLACE", "RPAD", "SHA2", "SIN", "SPACE", "SQRT", "TAN", "UNHEX",
    }
)  # fmt: skip

# Types whose casts never return NULL for a value.
SAFE_CASTS = frozenset(
    {
        "BIGINT",
        "UBIGINT",
        "INT",
        "DECIMAL",
        "UDECIMAL",
        "CHAR",
        "VARCHAR",
        "TEXT",
        "NCHAR",
        "BINARY",
    }
)

# The number of leading arguments in which a function is strict, if not all of them.
STRICT_IN = {"DATE_FORMAT": 2, "REPLACE": 2, "SHA2": 1, "WEEK": 1, "YEARWEEK": 1}

# Aggregates over at least one row that are NULL only if every argument is NULL.
AGGREGATES_OF_ROWS = frozenset(
    {
        "SUM",
        "AVG",
        "MIN",
        "MAX",
        "STD",
        "STDDEV",
        "STDDEV_POP",
        "VARIANCE",
        "VAR_POP",
        "ANY_VALUE",
        "GROUP_CONCAT",
    }
)
AGGREGATES = AGGREGATES_OF_ROWS | frozenset(
    {
        "COUNT", "BIT_AND", "BIT_OR", "BIT_XOR", "JSON_ARRAYAGG", "JSON_OBJECTAGG", "STDDEV_SAMP",
        "VAR_SAMP",
        "APPROX_COUNT_DISTINCT", "JSON_ARRAY_AGG",
    }
)  # fmt: skip
JSON_AGGREGATES = frozenset({"JSON_ARRAYAGG", "JSON_OBJECTAGG"})
BIT_AGGREGATES = frozenset({"BIT_AND", "BIT_OR", "BIT_XOR"})
RANKS = frozenset({"ROW_NUMBER", "RANK", "DENSE_RANK", "PERCENT_RANK", "CUME_DIST"})

# Scalar functions that sqlglot has no class for. None of them is an aggregate.
SCALAR = (
    STRICT
    | NEVER_NULL
    | frozenset(
        {
            "RAND", "LAST_INSERT_ID", "DATABASE", "SCHEMA", "USER", "CURRENT_USER", "VALUES",
            "VALUE", "FORMAT", "CONCAT_WS",
            "JSON_OBJECT", "JSON_ARRAY", "JSON_EXTRACT", "JSON_UNQUOTE", "JSON_VALUE",
            "JSON_CONTAINS", "JSON_SET",
            "JSON_LENGTH", "JSON_TYPE", "JSON_VALID", "JSON_QUOTE", "JSON_KEYS", "JSON_SEARCH",
            "JSON_REMOVE",
            "JSON_MERGE_PATCH", "ELT", "EXPORT_SET", "MAKE_SET", "INTERVAL", "LOG", "MOD", "NULLIF",
            "IFNULL", "NVL", "NVL2",
            "COALESCE", "IF", "CHAR", "UNIX_TIMESTAMP", "TIMESTAMPDIFF", "TIMESTAMPADD", "QUOTE",
            "SOUNDEX", "INSERT",
            "TO_BASE64", "FROM_BASE64", "INET6_ATON", "INET6_NTOA", "IS_IPV4", "IS_IPV6",
            "REGEXP_REPLACE",
            "REGEXP_SUBSTR", "REGEXP_INSTR", "BIN_TO_UUID", "UUID_TO_BIN", "SLEEP", "GET_LOCK",
            "RELEASE_LOCK", "CONVERT_TZ",
            "PERIOD_ADD", "PERIOD_DIFF", "TIMESTAMP", "GROUPING", "COERCIBILITY", "CHARSET",
            "COLLATION", "COMPRESS",
            "UNCOMPRESS", "AES_ENCRYPT", "AES_DECRYPT", "WEIGHT_STRING", "BENCHMARK", "DEFAULT",
            "NEXTVAL", "LASTVAL",
            "STRING_TO_VECTOR", "TO_VECTOR", "VECTOR_TO_STRING", "FROM_VECTOR", "VECTOR_DIM",
            "DISTANCE", "VECTOR_DISTANCE", "IS_UUID", "REGEXP_LIKE",
        }
    )
)  # fmt: skip

_BIGINTS = BIT_AGGREGATES | frozenset(
    {
        "COUNT", "FOUND_ROWS", "ROW_COUNT", "ROW_NUMBER", "RANK", "DENSE_RANK", "NTILE",
        "UNIX_TIMESTAMP", "LAST_INSERT_ID", "BIT_LENGTH", "TIMESTAMPDIFF", "GROUPING", "VECTOR_DIM",
    }
)  # fmt: skip
_INTS = frozenset(
    {
        "LENGTH", "CHAR_LENGTH", "CHARACTER_LENGTH", "OCTET_LENGTH", "ASCII", "ORD", "INSTR",
        "LOCATE", "POSITION", "STRCMP",
        "FIELD", "FIND_IN_SET", "SIGN", "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND",
        "DATEDIFF", "TO_DAYS", "CRC32",
        "WEEK", "QUARTER", "DAYOFWEEK", "DAYOFYEAR", "DAYOFMONTH", "WEEKDAY", "BIT_COUNT",
        "JSON_LENGTH", "CONNECTION_ID",
    }
)  # fmt: skip
_DOUBLES = frozenset(
    {
        "SQRT", "EXP", "LN", "LOG", "LOG2", "LOG10", "POW", "POWER", "SIN", "COS", "TAN", "RAND",
        "PI", "STD", "STDDEV", "STDDEV_POP", "STDDEV_SAMP", "VARIANCE", "VAR_POP", "VAR_SAMP",
        "PERCENT_RANK",
        "CUME_DIST", "DEGREES", "RADIANS", "DISTANCE", "VECTOR_DISTANCE",
    }
)  # fmt: skip
_TEXTS = frozenset(
    {
        "CONCAT", "CONCAT_WS", "UPPER", "LOWER", "UCASE", "LCASE", "TRIM", "LTRIM", "RTRIM", "LEFT",
        "RIGHT", "SUBSTRING",
        "SUBSTR", "MID", "SUBSTRING_INDEX", "REPLACE", "REVERSE", "REPEAT", "SPACE", "LPAD", "RPAD",
        "FORMAT", "HEX", "MD5",
        "SHA1", "SHA", "SHA2", "VERSION", "DATABASE", "USER", "DATE_FORMAT", "DAYNAME",
        "MONTHNAME", "QUOTE",
        "TO_BASE64", "INET_NTOA", "CONV", "BIN", "OCT", "JSON_UNQUOTE", "REGEXP_REPLACE",
        "REGEXP_SUBSTR", "ELT", "SOUNDEX", "JSON_EXTRACT_SCALAR", "BIN_TO_UUID", "VECTOR_TO_STRING",
        "FROM_VECTOR",
    }
)  # fmt: skip
_BYTES = frozenset({"STRING_TO_VECTOR", "TO_VECTOR", "UUID_TO_BIN", "INET6_ATON", "UNHEX"})
_DATETIMES = frozenset(
    {
        "NOW",
        "CURRENT_TIMESTAMP",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "SYSDATE",
        "UTC_TIMESTAMP",
        "FROM_UNIXTIME",
        "TIMESTAMP",
    }
)
_DATES = frozenset(
    {"CURDATE", "CURRENT_DATE", "UTC_DATE", "DATE", "LAST_DAY", "MAKEDATE", "FROM_DAYS"}
)
_TIMES = frozenset(
    {"CURTIME", "CURRENT_TIME", "UTC_TIME", "SEC_TO_TIME", "MAKETIME", "TIMEDIFF", "TIME"}
)
_JSONS = frozenset(
    {
        "JSON_OBJECT",
        "JSON_ARRAY",
        "JSON_EXTRACT",
        "JSON_ARRAYAGG",
        "JSON_OBJECTAGG",
        "JSON_SET",
        "JSON_REMOVE",
    }
)
_BOOLS = frozenset({"ISNULL", "JSON_VALID", "JSON_CONTAINS", "IS_IPV4", "IS_IPV6", "IS_UUID"})
RETURNS: dict[str, SqlType] = {
    **RESULTS,
    **dict.fromkeys(_BIGINTS, types.BIGINT),
    **dict.fromkeys(_INTS, types.INT),
    **dict.fromkeys(_DOUBLES, types.DOUBLE),
    **dict.fromkeys(_TEXTS, types.VARCHAR),
    **dict.fromkeys(_BYTES, types.VARBINARY),
    **dict.fromkeys(_DATETIMES, types.DATETIME),
    **dict.fromkeys(_DATES, types.DATE),
    **dict.fromkeys(_TIMES, types.TIME),
    **dict.fromkeys(_JSONS, types.JSON),
    **dict.fromkeys(_BOOLS, types.BOOL),
    "UUID": types.UUID,
    "MATCH_AGAINST": types.DOUBLE,
}

# The names of functions for which sqlglot's class has another name.
_NAMES: dict[type[exp.Expr], str] = {
    exp.CurrentTimestamp: "CURRENT_TIMESTAMP",
    exp.CurrentDate: "CURRENT_DATE",
    exp.CurrentTime: "CURRENT_TIME",
    exp.Length: "LENGTH",
    exp.StrPosition: "LOCATE",
    exp.Substring: "SUBSTRING",
    exp.Unicode: "ORD",
    exp.BitwiseCount: "BIT_COUNT",
    exp.BitwiseAndAgg: "BIT_AND",
    exp.BitwiseOrAgg: "BIT_OR",
    exp.BitwiseXorAgg: "BIT_XOR",
    exp.Trunc: "TRUNCATE",
    exp.CurrentVersion: "VERSION",
    exp.TsOrDsToDate: "DATE",
    exp.TimeToStr: "DATE_FORMAT",
    exp.JSONObjectAgg: "JSON_OBJECTAGG",
    exp.JSONObject: "JSON_OBJECT",
    exp.SHA: "SHA1",
    exp.CurrentSchema: "DATABASE",
    exp.Chr: "CHAR",
    exp.VariancePop: "VAR_POP",
    exp.JSONValue: "JSON_VALUE",
    exp.Variance: "VAR_SAMP",
}


def name_of(node: exp.Expr) -> str:
    """Return the upper-case name of a function, or an empty string.

    A name in backticks or after a schema name is returned in backticks: it is not a built-in
    function, even if it has the name of one.
    """
    if type(node) in _NAMES:
        return _NAMES[type(node)]
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        name = node.name.upper()
        return f"`{name}`" if _is_stored(node) else name
    if isinstance(node, exp.Func):
        return str(node.sql_name()).upper()
    return ""


def routine_name(name: str) -> str:
    """Return a routine's name as in the schema, from a result of `name_of` (maybe in backticks)."""
    return name.strip("`")


def _is_stored(node: exp.Expr) -> bool:
    qualified = isinstance(node.parent, exp.Dot) and node.parent.expression is node
    return qualified or isinstance(node.this, exp.Identifier)


def arguments(node: exp.Expr) -> list[exp.Expr]:
    """Return the arguments of a function, including those that follow keywords."""
    return [
        child for child in node.iter_expressions() if not isinstance(child, exp.Var | exp.DataType)
    ]


def is_aggregate(node: exp.Expr) -> bool:
    """Return whether an expression is an aggregate function, even as a window function."""
    name = name_of(node)
    return (isinstance(node, exp.AggFunc) and name not in RANKS) or name in AGGREGATES
