-- name: ListMarks :many
-- param: marks dict[str, int]
SELECT marks, score FROM visit WHERE marks = @marks;

-- name: ListVisits :many
-- column: marks dict[str, int]
SELECT marks, score FROM visit WHERE marks = @marks;

-- name: ListBoth :many
-- column: marks dict[str, int]
-- param: marks dict[str, int]
SELECT marks, score FROM visit WHERE marks = @marks;
