-- nmae: GetUser :one
SELECT * FROM users WHERE id = @id;

-- name: GetOther :onee
SELECT * FROM users WHERE id = @id;

-- name: GetThird one
SELECT * FROM users WHERE id = @id;

-- name: GetFourth
SELECT * FROM users WHERE id = @id;

-- name: GetFifth :one :many
SELECT * FROM users WHERE id = @id;

-- name: GetSixth :exec :bulck
SELECT 1;

-- name: 7th :exec
SELECT 1;

--name: NoSpace :exec
SELECT 1;

-- name: Ignoring :exec
-- ignore: V001
SELECT 1;

--- name: ThirdDash :one
SELECT * FROM users WHERE id = @id;
