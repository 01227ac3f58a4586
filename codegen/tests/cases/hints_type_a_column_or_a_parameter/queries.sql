-- name: ListMoods :many
-- param: mood app.Mood
SELECT mood, score FROM visit WHERE mood = @mood;

-- name: ListVisits :many
-- column: mood app.Mood
SELECT mood, score FROM visit WHERE mood = @mood;

-- name: ListBoth :many
-- column: mood app.Mood
-- param: mood app.Mood
SELECT mood, score FROM visit WHERE mood = @mood;
