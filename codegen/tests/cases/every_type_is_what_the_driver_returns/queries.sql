-- name: GetEverything :one
SELECT * FROM everything LIMIT 1;

-- name: AddColours :exec
UPDATE everything SET c_colours = @colours, c_colour = @colour, c_pair = @pair;

-- name: GetPair :one
SELECT c_pair FROM everything LIMIT 1;

-- name: ListPairs :many
SELECT c_pairs FROM everything;

-- name: CountWanted :one
SELECT count(*) FROM unnest(@wanted::wanted[]) AS w
WHERE w.number <@ @within::int4range AND cardinality(w.pairs) > 0;

-- name: Transaction :one
SELECT
    pg_current_snapshot() AS snapshot,
    pg_current_xact_id_if_assigned() AS xid,
    txid_current_if_assigned() AS old_xid,
    pg_current_wal_lsn() AS lsn,
    'everything'::regclass AS relation;
