"""Words that mean something in one database and nothing, or something else, in another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiosqlc.parse.scanner import Dialect

_ELSEWHERE_POSTGRES = {
    **dict.fromkeys(("getdate", "sysdate", "sysdatetime", "getutcdate"), "now()"),
    **dict.fromkeys(("ifnull", "nvl", "isnull"), "coalesce(a, b)"),
    **dict.fromkeys(("curdate", "utc_date"), "current_date"),
    **dict.fromkeys(("curtime", "utc_time"), "current_time"),
    **dict.fromkeys(("utc_timestamp", "systimestamp"), "now()"),
    **dict.fromkeys(("len", "char_len", "datalength"), "length(a)"),
    **dict.fromkeys(("rand", "randomblob"), "random()"),
    **dict.fromkeys(("group_concat", "listagg", "wm_concat"), "string_agg(a, ',')"),
    **dict.fromkeys(("if", "iif"), "CASE WHEN a THEN b ELSE c END"),
    **dict.fromkeys(("strftime", "date_format", "formatdatetime"), "to_char(a, 'YYYY-MM-DD')"),
    **dict.fromkeys(("str_to_date",), "to_date(a, 'YYYY-MM-DD')"),
    **dict.fromkeys(("uuid", "newid", "generate_uuid", "sys_guid"), "gen_random_uuid()"),
    **dict.fromkeys(
        ("last_insert_id", "last_insert_rowid", "scope_identity", "row_count", "changes"),
        "INSERT … RETURNING id",
    ),
    **dict.fromkeys(("charindex", "locate", "instr"), "strpos(text, part)"),
    **dict.fromkeys(("json_extract", "json_value", "get_json_object"), "a -> 'key'"),
    **dict.fromkeys(("datediff", "timestampdiff", "julianday"), "a - b"),
    **dict.fromkeys(("dateadd", "adddate", "date_sub", "subdate"), "a + interval '1 day'"),
    **{
        part: f"extract({part} from a)"
        for part in ("year", "month", "day", "hour", "minute", "second", "week", "quarter")
    },
    "dayofweek": "extract(dow from a)",
    "dayofyear": "extract(doy from a)",
    "datepart": "extract(year from a)",
    "last_day": "date_trunc('month', a) + interval '1 month - 1 day'",
    "unix_timestamp": "extract(epoch from now())",
    "unixepoch": "extract(epoch from now())",
    "from_unixtime": "to_timestamp(a)",
    "datetime": "timestamptz",
    "median": "percentile_cont(0.5) WITHIN GROUP (ORDER BY a)",
    "substring_index": "split_part(a, ',', 1)",
    "find_in_set": "b = ANY(string_to_array(a, ','))",
    "field": "array_position(a, b)",
    "elt": "(ARRAY[a, b])[1]",
    "ucase": "upper(a)",
    "lcase": "lower(a)",
    "truncate": "trunc(a, 2)",
    "conv": "to_hex(a)",
    "hex": "encode(a, 'hex')",
    "unhex": "decode(a, 'hex')",
    "decode": "CASE a WHEN 1 THEN b ELSE c END",
    "convert": "CAST(a AS text)",
    "to_base64": "encode(a, 'base64')",
    "from_base64": "decode(a, 'base64')",
    "json_arrayagg": "jsonb_agg(a)",
    "json_objectagg": "jsonb_object_agg(a, b)",
    "json_length": "jsonb_array_length(a)",
    "json_unquote": "a ->> 'key'",
    "json_contains": "a @> b",
    "regexp_replace_all": "regexp_replace(a, b, c, 'g')",
    "database": "current_database()",
    "glob": "a LIKE b",
    "printf": "format(a, b)",
    "total": "coalesce(sum(a), 0)",
    "space": "repeat(' ', n)",
    "stuff": "overlay(a placing b from 1)",
    "isdate": "pg_input_is_valid(a, 'date')",
    "try_cast": "CASE WHEN pg_input_is_valid(a, 'int') THEN a::int END",
}
_ELSEWHERE_MYSQL = {
    **dict.fromkeys(("getdate", "sysdatetime", "clock_timestamp"), "now()"),
    **dict.fromkeys(("nvl2",), "if(a, b, c)"),
    **dict.fromkeys(("len",), "char_length(a)"),
    **dict.fromkeys(("random",), "rand()"),
    **dict.fromkeys(("string_agg", "listagg"), "group_concat(a SEPARATOR ',')"),
    **dict.fromkeys(("to_char",), "date_format(a, '%Y-%m-%d')"),
    **dict.fromkeys(("to_date", "to_timestamp"), "str_to_date(a, '%Y-%m-%d')"),
    **dict.fromkeys(("strftime",), "date_format(a, '%Y-%m-%d')"),
    **dict.fromkeys(("gen_random_uuid", "uuid_generate_v4", "newid"), "uuid()"),
    **dict.fromkeys(("strpos", "charindex"), "locate(part, text)"),
    **dict.fromkeys(("split_part",), "substring_index(a, ',', 1)"),
    **dict.fromkeys(("date_trunc",), "date_format(a, '%Y-%m-01')"),
    **dict.fromkeys(("date_part", "datepart"), "extract(YEAR FROM a)"),
    **dict.fromkeys(("age",), "timestampdiff(DAY, a, b)"),
    **dict.fromkeys(("json_agg", "jsonb_agg", "array_agg"), "json_arrayagg(a)"),
    **dict.fromkeys(("json_build_object", "jsonb_build_object"), "json_object('key', a)"),
    **dict.fromkeys(("json_object_agg", "jsonb_object_agg"), "json_objectagg(a, b)"),
    **dict.fromkeys(("jsonb_array_length", "json_array_length"), "json_length(a)"),
    **dict.fromkeys(("unnest", "generate_series", "jsonb_array_elements"), "JSON_TABLE(…)"),
    **dict.fromkeys(("iif",), "if(a, b, c)"),
    **dict.fromkeys(("scope_identity", "lastval", "currval"), "last_insert_id()"),
    **dict.fromkeys(("nextval",), "AUTO_INCREMENT"),
    **dict.fromkeys(("bool_and", "every"), "min(a)"),
    **dict.fromkeys(("bool_or",), "max(a)"),
    **dict.fromkeys(("initcap",), "concat(upper(left(a, 1)), lower(substr(a, 2)))"),
    **dict.fromkeys(("current_database",), "database()"),
    **dict.fromkeys(("array_length", "cardinality"), "json_length(a)"),
    **dict.fromkeys(("make_date",), "makedate(year, day)"),
    **dict.fromkeys(("dateadd",), "a + INTERVAL 1 DAY"),
    **dict.fromkeys(("trunc",), "truncate(a, 2)"),
    **dict.fromkeys(("btrim",), "trim(a)"),
    **dict.fromkeys(("regexp_match", "regexp_matches"), "regexp_substr(a, b)"),
    **dict.fromkeys(("encode",), "hex(a)"),
    **dict.fromkeys(("pg_sleep",), "sleep(1)"),
    **dict.fromkeys(("to_number",), "CAST(a AS DECIMAL(10, 2))"),
    **dict.fromkeys(("median",), "median(a) OVER ()"),
}
ELSEWHERE: Final[Mapping[Dialect, Mapping[str, str]]] = {
    Dialect.POSTGRESQL: _ELSEWHERE_POSTGRES,
    Dialect.MYSQL: _ELSEWHERE_MYSQL,
}
"""What functions of other databases are called in an engine."""

TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("string", "str", "tinytext", "mediumtext", "longtext", "clob", "ntext"), "text"
    ),
    **dict.fromkeys(("nvarchar", "varchar2", "nvarchar2"), "varchar"),
    **dict.fromkeys(("datetime", "datetime2", "datetimeoffset"), "timestamptz"),
    **dict.fromkeys(("double", "float64"), "double precision"),
    **dict.fromkeys(("number",), "numeric"),
    **dict.fromkeys(("signed", "unsigned", "long", "int64"), "bigint"),
    **dict.fromkeys(("tinyint", "int16"), "smallint"),
    **dict.fromkeys(("mediumint", "int32"), "integer"),
    **dict.fromkeys(("blob", "binary", "varbinary", "longblob", "image", "raw"), "bytea"),
    **dict.fromkeys(("uniqueidentifier", "guid"), "uuid"),
    **dict.fromkeys(("logical",), "boolean"),
    **dict.fromkeys(("enum", "set"), "a type of its own: `CREATE TYPE … AS ENUM ('a', 'b')`"),
    "year": "smallint",
}
"""What types of other databases are called in PostgreSQL."""
