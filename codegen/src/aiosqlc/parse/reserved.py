"""The words that each engine reserves, so that names equal to them need quotes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiosqlc.source import Dialect

_POSTGRES = """
    all analyse analyze and any array as asc asymmetric both case cast check collate column
    constraint create current_catalog current_date current_role current_time current_timestamp
    current_user default deferrable desc distinct do else end except false fetch for foreign from
    grant group having in initially intersect into lateral leading limit localtime localtimestamp
    not null offset on only or order placing primary references returning select session_user some
    symmetric system_user table then to trailing true union unique user using variadic when where
    window with
    authorization binary collation concurrently cross current_schema freeze full ilike inner is
    isnull join left like natural notnull outer overlaps right similar tablesample verbose
"""
_MYSQL = """
    accessible add all alter analyze and as asc asensitive before between bigint binary blob both by
    call cascade case change char character check collate column condition constraint continue
    convert create cross cube current_date current_time current_timestamp current_user cursor
    database databases day_hour dec decimal declare default delayed delete desc describe
    deterministic distinct distinctrow div double drop dual each else elseif enclosed escaped except
    exists exit explain false fetch float for force foreign from fulltext function general generated
    grant group grouping groups having high_priority if ignore in index infile inner inout
    insensitive insert int integer intersect interval into is iterate join key keys kill lateral
    leading leave left like limit linear lines load localtime localtimestamp lock long longblob
    longtext loop low_priority match mediumblob mediumint mediumtext mod modifies natural not null
    numeric of on optimize option optionally or order out outer outfile over partition precision
    primary procedure purge range rank read reads real recursive references regexp release rename
    repeat replace require resignal restrict return returning revoke right rlike row_number rows
    schema schemas select sensitive separator set show signal smallint spatial specific sql
    sqlexception sqlstate sqlwarning ssl starting stored straight_join system table terminated then
    tinyblob tinyint tinytext to trailing trigger true undo union unique unlock unsigned update
    usage use using values varbinary varchar varying virtual when where while window with write xor
    zerofill
"""
RESERVED: Final[Mapping[Dialect, frozenset[str]]] = {
    Dialect.POSTGRESQL: frozenset(_POSTGRES.upper().split()),
    Dialect.MYSQL: frozenset(_MYSQL.upper().split()),
}


def is_reserved(word: str, dialect: Dialect) -> bool:
    """Return whether a word must be quoted if it is used as a name."""
    return word.upper() in RESERVED[dialect]
