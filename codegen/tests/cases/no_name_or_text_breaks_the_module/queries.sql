-- name: ListSelect :many
-- A "docstring" with """quotes""", a back\slash and a {brace}
SELECT * FROM "Select";

-- name: Text :one
-- ends with a quote"
SELECT
    'it''s "quoted" """tripled""" \ back\\slash %s %% {x} ünïcode 日本' AS "text",
    E'tab\t newline\n' AS escaped,
    $tag$dollar 'quoted' $$ "$tag$ AS dollar;

-- name: Backslash :one
SELECT 'one line \d """ ''';

-- name: Lambda :one
SELECT @class::text AS "def", @"from"::text AS import;

-- name: Rows :many
SELECT "row", "class" FROM "Select" WHERE "row" = @row OR "class" = @rows;
