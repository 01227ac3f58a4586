-- name: Unknown :many
SELECT id FROM orders o WHERE sqlc.include(visibel, o);

-- name: Few :many
SELECT id FROM orders o WHERE sqlc.include(visible);

-- name: Many :many
SELECT id FROM orders o WHERE sqlc.include(visible, o, id);

-- name: Expression :many
SELECT id FROM orders o WHERE sqlc.include(has_item, o, o.id + 1);

-- name: Nameless :many
SELECT id FROM orders o WHERE sqlc.include();

-- name: Captured :many
SELECT id FROM orders i WHERE sqlc.include(has_item, i, 'a');

-- name: CapturedColumn :many
SELECT id FROM orders o WHERE sqlc.include(has_item, o, name);

-- name: Circle :many
SELECT id FROM orders o WHERE sqlc.include(circle, o);

-- name: ListAsValue :many
SELECT id FROM orders o WHERE 1 = sqlc.include(keys, o);

-- name: ListBesideOperator :many
SELECT sqlc.include(keys, o) + 1 FROM orders o;

-- name: JoinsBesideAnd :many
SELECT o.id FROM orders o sqlc.include(items, o) AND i.name = 'a';

-- name: JoinsWithAClauseBesideIt :many
SELECT o.id FROM orders o sqlc.include(named, o) WHERE o.gone;

-- name: JoinsWithAClauseBesideJoins :many
SELECT o.id FROM orders o sqlc.include(named, o) JOIN item t ON t.order_id = o.id;

-- name: JoinsWithAClauseAtTheEnd :many
SELECT o.id FROM orders o sqlc.include(named, o) ORDER BY o.id;

-- name: TablesWithAClause :many
SELECT 1 FROM sqlc.include(sold, o);

-- name: TableWithAClause :many
SELECT 1 FROM sqlc.include(open_orders, o) AND o.total > 1;

-- name: TableWithAnAlternative :many
SELECT 1 FROM sqlc.include(either, o) AND o.total > 1;

-- name: SortedCondition :many
SELECT id FROM orders o WHERE sqlc.include(ordered, o);

-- name: WithinGroup :one
SELECT 1 + sqlc.include(middle, o) FROM orders o;

-- name: Clause :many
SELECT id FROM orders o sqlc.include(clause, o);

-- name: OpenEnded :many
SELECT id FROM orders o WHERE sqlc.include(open_ended, o) o.gone;

-- name: ServerSays :many
SELECT id FROM orders o
WHERE total > 1
  AND sqlc.include(outer_wrong, o);

-- name: Typed :many
SELECT id FROM orders x WHERE sqlc.include(mistyped, x);

-- name: WrongAlias :many
SELECT id FROM orders x WHERE sqlc.include(visible, y);

-- name: Several :one
SELECT o.id FROM orders o WHERE sqlc.include(visible, o);

-- name: Inside :many
SELECT id FROM orders o
-- fragment: inside(o)
WHERE o.gone;
