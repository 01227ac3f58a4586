-- name: B :one
SELECT @class::text;
