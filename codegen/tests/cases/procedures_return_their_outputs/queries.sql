-- name: Describe :one
CALL describe(@id, NULL, NULL);

-- name: Bump :one
CALL bump($1, $2);

-- name: BumpAny :one
CALL bump(@counter, sqlc.narg(label));

-- name: BumpDefault :one
CALL bump(label => 'y', counter => @counter);

-- name: Total :one
CALL total(NULL);

-- name: Shifted :one
CALL shifted(1, NULL, NULL, 2);

-- name: ShiftedTo :one
CALL shifted(1, NULL, $1, $2);

-- name: Widened :one
CALL widened(NULL);

-- name: OpenAccount :one
CALL open_account($1, $2, NULL);

-- name: OpenQuietly :exec
CALL open_account(@id, @owner, NULL);
