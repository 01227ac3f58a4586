-- name: ListParts :many
SELECT * FROM part;

-- name: MakePart :one
SELECT ROW(NULL, NULL)::part AS made;

-- name: GatherParts :one
SELECT array_agg(part) AS parts FROM part;

-- name: SendPart :one
SELECT @part::part AS sent;

-- name: ListStones :many
SELECT * FROM stones;

-- name: ListGems :many
SELECT * FROM gems;
