-- name: NoName :many
SELECT id FROM author WHERE name = @ ORDER BY id;

-- name: NoTable :many
SELECT id FROM authors;

-- name: NoColumn :many
SELECT id, nmae FROM author;

-- name: NoFunction :many
SELECT lenght(name) FROM author;

-- name: OtherArguments :many
SELECT upper(id) FROM author;

-- name: NoType :many
SELECT id::intger FROM author;

-- name: NothingLikeIt :many
SELECT id FROM quux;

-- name: OfWhichTable :many
SELECT id FROM author a JOIN author b ON a.id = b.id;

-- name: Ungrouped :many
SELECT name, count(*) FROM author;

-- name: InList :many
SELECT id FROM author WHERE id IN @ids;

-- name: Comma :many
SELECT id, FROM author;

-- name: WrittenColumn :exec
INSERT INTO author (naem) VALUES (@name);

-- name: SetColumn :exec
UPDATE author SET nmae = @name;

-- name: TextAndNumber :many
SELECT id FROM author WHERE name = 5;

-- name: TwoSigns :many
SELECT id FROM author WHERE name == @name;

-- name: DeleteWhat :exec
DELETE author WHERE id = @id;

-- name: EitherKind :many
SELECT coalesce(name, to_jsonb(id)) FROM author;

-- name: KindsOfTwoWords :many
SELECT id FROM author WHERE now() = name::varchar;
