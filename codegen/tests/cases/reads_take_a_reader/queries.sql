-- name: GetA :one
select * from a where id = $1;

-- name: ListA :many
select sqlc.embed(a), id + 1 as next from a where true
  and name = @name -- :if name
order by name; -- :sort name, id

-- name: EachA :stream
select * from a;

-- name: TakeA :stream
delete from a returning *;

-- name: LockA :one
select * from a where id = $1 for update;

-- name: AddA :one
insert into a values ($1, $2) returning id;

-- name: NamesOf :batchone
select name from a where id = $1;
