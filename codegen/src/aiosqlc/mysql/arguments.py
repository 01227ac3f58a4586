"""The types of the arguments of built-in functions.

The types were measured: the tests call every function of the server with values of every type.
"""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.ir import SqlType
from aiosqlc.mysql import types
from aiosqlc.mysql.results import FROM_BYTES, FROM_TEXT
from aiosqlc.mysql.written import Call


class Argument(Struct, frozen=True):
    """The type of a function's argument; `type` is None if only a cast can determine the type.

    `weak` means that any date or time fits. `alike` means that all arguments have one type.
    """

    type: SqlType | None = None
    weak: bool = False
    alike: bool = False


_CODES = {
    "t": Argument(types.VARCHAR),
    "i": Argument(types.BIGINT),
    "d": Argument(types.DOUBLE),
    "b": Argument(types.VARBINARY),
    "j": Argument(types.JSON),
    "g": Argument(types.GEOMETRY),
    "m": Argument(types.DATETIME, weak=True),
    "c": Argument(types.TIME, weak=True),
    "s": Argument(alike=True),
    "x": Argument(),
}
# A letter per argument; see `_CODES`. The part after a bar repeats.
_SIGNATURES = {
    # texts and numbers
    "t": "ASCII BIT_LENGTH CHAR_LENGTH CHARACTER_LENGTH COMPRESS CRC32 CRC32C FROM_BASE64 HEX"
    " INET6_ATON INET_ATON IS_FREE_LOCK IS_IPV4 IS_IPV6 IS_USED_LOCK IS_UUID JSON_QUOTE"
    " JSON_UNQUOTE LCASE LENGTH LENGTHB LOAD_FILE LOWER LTRIM LTRIM_ORACLE MD5 NATURAL_SORT_KEY"
    " OCTET_LENGTH OLD_PASSWORD ORD PASSWORD QUOTE RELEASE_LOCK REVERSE RTRIM RTRIM_ORACLE SHA"
    " SHA1 SOUNDEX STRING_TO_VECTOR TO_BASE64 TO_VECTOR TRIM_ORACLE UCASE UNHEX UPPER"
    " WEIGHT_STRING GROUP_CONCAT JSON_VALID VEC_FROMTEXT",
    "tt": "AES_ENCRYPT ENCODE ENCRYPT EXTRACTVALUE FIND_IN_SET INSTR POSITION REGEXP_INSTR"
    " REGEXP_SUBSTR STRCMP STR_TO_DATE TRIM",
    "ttt": "REGEXP_LIKE REGEXP_REPLACE REPLACE REPLACE_ORACLE UPDATEXML",
    "ti": "LEFT REPEAT RIGHT SHA2 UUID_TO_BIN BINLOG_GTID_POS DES_ENCRYPT",
    "tii": "MID SUBSTR SUBSTR_ORACLE SUBSTRING CONV",
    "tti": "LOCATE SUBSTRING_INDEX",
    "tiit": "INSERT",
    "tit": "LPAD LPAD_ORACLE RPAD RPAD_ORACLE",
    "td": "GET_LOCK MASTER_GTID_WAIT",
    "tidt": "MASTER_POS_WAIT",
    "|t": "CONCAT CONCAT_WS CONCAT_OPERATOR_ORACLE",
    "t|x": "SFORMAT",
    "it": "FROM_UNIXTIME/2 CRC32/2 CRC32C/2",
    "itt": "FROM_UNIXTIME/3",
    "i|t": "ELT MAKE_SET",
    "ittti": "EXPORT_SET",
    "|i": "CHAR",
    "i": "BIN BIT_AND BIT_COUNT BIT_OR BIT_XOR CHR FROM_DAYS FROM_UNIXTIME INET_NTOA"
    " LAST_INSERT_ID NTILE OCT RAND RANDOM_BYTES SEC_TO_TIME SPACE",
    "ii": "MAKEDATE PERIOD_ADD PERIOD_DIFF",
    "iii": "MAKETIME",
    "ix": "BENCHMARK",
    "xi": "LAG LEAD NTH_VALUE ROUND TRUNCATE",
    "xit": "FORMAT",
    "d": "ACOS ASIN COS COT DEGREES EXP LN LOG10 LOG2 PERCENTILE_CONT RADIANS SIN SLEEP SQRT STD"
    " STDDEV STDDEV_POP STDDEV_SAMP TAN VARIANCE VAR_POP VAR_SAMP",
    "dd": "ATAN ATAN2 LOG POINT POW POWER",
    # bytes
    "b": "BIN_TO_UUID COLUMN_CHECK COLUMN_JSON COLUMN_LIST FROM_VECTOR INET6_NTOA IS_IPV4_COMPAT"
    " IS_IPV4_MAPPED UNCOMPRESS UNCOMPRESSED_LENGTH VECTOR_TO_STRING VEC_TOTEXT",
    "bt": "AES_DECRYPT COLUMN_EXISTS COLUMN_GET DECODE DES_DECRYPT",
    "tb": "DECODE_HISTOGRAM",
    "b|t": "COLUMN_DELETE",
    "b|tx": "COLUMN_ADD",
    "|tx": "COLUMN_CREATE JSON_OBJECT JSON_OBJECTAGG",
    # JSON
    "j": "JSON_COMPACT JSON_DEPTH JSON_LOOSE JSON_NORMALIZE JSON_TYPE",
    "ji": "JSON_DETAILED JSON_PRETTY",
    "jj": "JSON_EQUALS JSON_OVERLAPS JSON_SCHEMA_VALID",
    "jjt": "JSON_CONTAINS",
    "|j": "JSON_MERGE JSON_MERGE_PATCH JSON_MERGE_PRESERVE",
    "j|t": "JSON_CONTAINS_PATH JSON_EXISTS JSON_EXTRACT JSON_KEYS JSON_LENGTH JSON_QUERY"
    " JSON_REMOVE JSON_SEARCH JSON_VALUE",
    "j|tx": "JSON_ARRAY_APPEND JSON_ARRAY_INSERT JSON_INSERT JSON_REPLACE JSON_SET",
    # moments
    "m": "DATE DAY DAYNAME DAYOFMONTH DAYOFWEEK DAYOFYEAR LAST_DAY MONTH MONTHNAME QUARTER"
    " SQL_TSI_DAY SQL_TSI_MONTH SQL_TSI_YEAR TO_DAYS TO_SECONDS UNIX_TIMESTAMP WEEKDAY WEEKOFYEAR"
    " YEAR",
    "mm": "DATEDIFF MONTHS_BETWEEN",
    "mi": "ADDDATE ADD_MONTHS SUBDATE WEEK YEARWEEK",
    "mt": "TO_CHAR",
    "mtt": "CONVERT_TZ DATE_FORMAT",
    "mc": "TIMESTAMP",
    "c": "HOUR MICROSECOND MINUTE SECOND SQL_TSI_HOUR SQL_TSI_MINUTE SQL_TSI_SECOND TIME_TO_SEC",
    "ct": "TIME_FORMAT",
    "xc": "ADDTIME SUBTIME",
    "xm": "EXTRACT",
    "xt": "GET_FORMAT",
    "xim": "TIMESTAMPADD",
    "xmm": "TIMESTAMPDIFF",
    "ss": "TIMEDIFF",
    # geometry
    "g": "AREA ASBINARY ASTEXT ASWKB ASWKT BOUNDARY CENTROID CONVEXHULL DIMENSION ENDPOINT"
    " ENVELOPE EXTERIORRING GEOMETRYTYPE GLENGTH ISCLOSED ISEMPTY ISRING ISSIMPLE NUMGEOMETRIES"
    " NUMINTERIORRINGS NUMPOINTS POINTONSURFACE SRID STARTPOINT ST_LENGTH X Y",
    "gg": "CONTAINS CROSSES DISJOINT EQUALS INTERSECTS MBRCONTAINS MBRCOVEREDBY MBRDISJOINT"
    " MBREQUAL MBRINTERSECTS MBROVERLAPS MBRTOUCHES MBRWITHIN OVERLAPS ST_CONTAINS ST_CROSSES"
    " ST_DIFFERENCE ST_DISJOINT ST_DISTANCE ST_EQUALS ST_INTERSECTION ST_INTERSECTS ST_OVERLAPS"
    " ST_SYMDIFFERENCE ST_TOUCHES ST_UNION ST_WITHIN TOUCHES WITHIN",
    "ggd": "ST_DISTANCE_SPHERE",
    "ggt": "ST_RELATE",
    "gd": "BUFFER ST_BUFFER ST_SIMPLIFY",
    "gi": "GEOMETRYN INTERIORRINGN POINTN",
    "gii": "ST_ASGEOJSON",
    "jii": "ST_GEOMFROMGEOJSON",
    "|g": "GEOMETRYCOLLECTION LINESTRING MULTILINESTRING MULTIPOINT MULTIPOLYGON POLYGON",
    # the types of the other arguments decide
    "|s": "FIELD INTERVAL MOD",
    "x": "ABS AVG CEIL CEILING CHARSET COERCIBILITY COLLATION COUNT FLOOR JSON_ARRAYAGG MAX"
    " MEDIAN MIN PERCENTILE_DISC SIGN SUM TIME FIRST_VALUE",
    "|x": "DECODE_ORACLE JSON_ARRAY LAST_VALUE NAME_CONST",
}
# Functions with clauses after their arguments, such as LIMIT.
_CLAUSED = frozenset({"GROUP_CONCAT"})
_BY_NAME = {name: code for code, names in _SIGNATURES.items() for name in names.split()}


def argument_of(call: Call) -> Argument | None:
    """Return the type that a function expects for an argument, or None for an unknown function."""
    code = _BY_NAME.get(f"{call.name}/{call.count}") or _code(call.name)
    if code is None:
        return None
    first, _, repeated = code.partition("|")
    if call.index < len(first):
        return _CODES[first[call.index]]
    if repeated:
        return _CODES[repeated[(call.index - len(first)) % len(repeated)]]
    return None if call.name in _CLAUSED else Argument()


def _code(name: str) -> str | None:
    if name in FROM_TEXT:
        return "ti"
    if name in FROM_BYTES:
        return "bi"
    if name in _BY_NAME:
        return _BY_NAME[name]
    plain = _BY_NAME.get(name.removeprefix("ST_"), "")
    return plain if plain.startswith("g") else None
