-- name: JoinsFit :many
SELECT b.`title`, a.name
FROM book b
STRAIGHT_JOIN author a ON a.id = b.author_id
INNER JOIN `order` o ON o.book_id = b.id
WHERE b.price > ?;

-- name: OnDuplicate :exec
INSERT INTO stock (product_id, warehouse_id, quantity, counted_at)
VALUES (?, ?, ?, now())
ON DUPLICATE KEY UPDATE
    quantity = quantity + VALUES(quantity),
    counted_at = VALUES(counted_at);

-- name: Replace :exec
REPLACE INTO setting (name, value, changed_by, changed_at)
VALUES (?, ?, ?, current_timestamp), (?, ?, ?, current_timestamp);

-- name: CallsOfReservedNames :many
SELECT
    left(title, 10),
    right(title, 3),
    insert(title, 1, 2, 'x'),
    replace(title, 'a', 'b'),
    if(price > 1, 'dear', 'cheap')
FROM book;

-- name: GroupConcat :many
SELECT
    author_id,
    group_concat(
        DISTINCT concat(title, ' ', coalesce(subtitle, ''), ' ', published_on)
        ORDER BY title DESC
        separator ', '
    ) AS titles
FROM book
GROUP BY author_id WITH ROLLUP;

-- name: CaseEnds :many
SELECT
    id,
    CASE
        WHEN price IS NULL THEN 'a price that nobody knows'
        WHEN price < 5 THEN 'cheap'
        ELSE 'dear'
    END AS kind,
    end
FROM book;

-- name: UpdateJoin :execrows
UPDATE book b
JOIN author a ON a.id = b.author_id
SET b.price = b.price * 1.1, b.changed_at = now(), b.changed_by = ?
WHERE a.name = ?;

-- name: DeleteJoin :execrows
DELETE s
FROM session s
LEFT JOIN account a ON a.id = s.account_id
WHERE a.id IS NULL OR s.expires_at < now() - interval 1 day;
