-- name: ShortStays :many
SELECT id, title FROM book WHERE price < 10 ORDER BY title;

-- name: JoinsFit :many
SELECT b.title, a.name, p.name AS publisher, l.language
FROM book b
JOIN author a ON a.id = b.author_id
LEFT JOIN publisher p ON p.id = b.publisher_id
CROSS JOIN LATERAL languages_of(b.id) AS l(language)
WHERE b.price > @least;

-- name: JoinIsLong :many
SELECT o.id, l.quantity, d.parcel, d.weight
FROM customer_order o
JOIN order_line l ON l.order_id = o.id AND l.cancelled_at IS NULL
LEFT JOIN delivery_parcel_content d
    ON d.order_id = l.order_id
    AND d.line_number = l.line_number
    AND d.returned_at IS NULL;

-- name: JoinOfQuery :many
SELECT a.name, best.title
FROM author a
JOIN (
    SELECT author_id, max(title) AS title
    FROM book
    WHERE price > 5
    GROUP BY author_id
    HAVING count(*) > 2
) AS best ON best.author_id = a.id;

-- name: JoinOfRows :many
SELECT e.*
FROM stock_movement_event e
JOIN stock_movement_line l
    ON (e.warehouse_id, e.movement_id, e.line_number)
        = (l.warehouse_id, l.movement_id, l.number);

-- name: JoinUsing :many
SELECT w.name, s.quantity, s.reserved, s.counted_at
FROM warehouse w
JOIN stock_level_of_product s USING (warehouse_id, organisation_id);

-- name: Conditions :many
SELECT id, title
FROM book
WHERE price BETWEEN 5 AND 10
    AND (
        title ILIKE @words
        OR subtitle ILIKE @words
        OR EXISTS (
            SELECT 1 FROM tag t WHERE t.book_id = book.id AND t.word = @words
        )
    )
    AND published_on IS NOT NULL;

-- name: OrBindsLeast :many
SELECT id, title
FROM book
WHERE price BETWEEN 5 AND 10 AND published_on IS NOT NULL
    OR price IS NULL AND discontinued_at IS NULL AND id > @after;

-- name: FirstConditionIsLong :many
SELECT id, title
FROM book
WHERE
    author_id IN (
        SELECT author_id
        FROM prize
        WHERE year > 2000 AND country = @country AND rank = 1
    )
    AND price < 20
    AND language = 'en';

-- name: Cases :many
SELECT
    id,
    CASE
        WHEN price IS NULL THEN 'unknown'
        WHEN price < 5 THEN 'cheap'
        WHEN price < 25 THEN 'fair'
        ELSE 'dear'
    END AS kind,
    CASE status WHEN 'new' THEN 1 ELSE 2 END AS rank
FROM book;

-- name: CaseInCondition :many
SELECT id
FROM book
WHERE published_on IS NOT NULL
    AND CASE WHEN price > 0 THEN discount / price ELSE NULL END > 0.25
ORDER BY id;

-- name: Calls :many
SELECT
    b.id,
    coalesce(
        nullif(trim(both FROM b.subtitle), ''),
        b.title || ' (' || b.language || ')',
        'a book without a title'
    ) AS shown,
    count(*) FILTER (WHERE b.price IS NULL OR b.price = 0) AS free_of_charge
FROM book b
GROUP BY b.id;

-- name: Windows :many
SELECT
    id,
    row_number() OVER (
        PARTITION BY author_id, language
        ORDER BY published_on DESC NULLS LAST, id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS number,
    sum(price) OVER w AS total
FROM book
WINDOW w AS (PARTITION BY author_id);

-- name: Aggregates :many
SELECT
    author_id,
    string_agg(DISTINCT title, ', ' ORDER BY title) AS titles,
    jsonb_agg(
        jsonb_build_object('id', id, 'title', title, 'price', price)
        ORDER BY published_on, id
    ) AS books
FROM book
GROUP BY author_id;

-- name: Operators :many
SELECT
    line.id,
    line.quantity * line.price * (1 - line.discount)
        + line.shipping_costs
        - line.refunded_amount AS total_amount,
    -line.quantity AS taken
FROM order_line line;

-- name: Casts :many
SELECT
    (payload->>'at')::timestamptz AS at,
    payload#>>'{a,b}' AS deep,
    (array_agg(x ORDER BY x))[1]::int AS first
FROM event
WHERE payload @> '{}'
GROUP BY payload;

-- name: With :many
WITH RECURSIVE tree AS (
    SELECT id, parent_id, 0 AS depth
    FROM category
    WHERE parent_id IS NULL
    UNION ALL
    SELECT c.id, c.parent_id, tree.depth + 1
    FROM category c
    JOIN tree ON tree.id = c.parent_id
),
counted AS (
    SELECT category_id, count(*) AS books FROM book GROUP BY category_id
)
SELECT tree.id, tree.depth, coalesce(counted.books, 0) AS books
FROM tree
LEFT JOIN counted ON counted.category_id = tree.id;

-- name: Changes :many
WITH moved AS (
    DELETE FROM basket_line
    WHERE basket_id = @basket
    RETURNING product_id, quantity
)
INSERT INTO order_line (order_id, product_id, quantity)
SELECT @order_id, product_id, quantity
FROM moved
RETURNING *;

-- name: InsertOne :one
INSERT INTO customer (
    id,
    name,
    email,
    telephone,
    street,
    house_number,
    postal_code,
    city,
    country,
    created_at
)
VALUES (
    @id,
    @name,
    @email,
    @telephone,
    @street,
    @house_number,
    @postal_code,
    @city,
    @country,
    now()
)
RETURNING *;

-- name: InsertRows :exec
INSERT INTO country (code, name, currency)
VALUES
    ('nl', 'The Netherlands', 'EUR'),
    ('gb', 'United Kingdom', 'GBP'),
    ('jp', 'Japan', 'JPY');

-- name: Upsert :exec
INSERT INTO stock (product_id, warehouse_id, quantity)
VALUES ($1, $2, $3)
ON CONFLICT (product_id, warehouse_id) DO UPDATE SET
    quantity = stock.quantity + excluded.quantity,
    counted_at = now()
WHERE stock.locked_at IS NULL;

-- name: UpsertNothing :exec
INSERT INTO tag (word) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: Update :execrows
UPDATE book
SET
    price = @price,
    discount = CASE WHEN @price > 100 THEN 10 ELSE 0 END,
    changed_at = now(),
    changed_by = @by
FROM author
WHERE author.id = book.author_id AND author.name = @author;

-- name: Delete :execrows
DELETE FROM session USING account
WHERE account.id = session.account_id
    AND (session.expires_at < now() OR account.deleted_at IS NOT NULL)
RETURNING session.id;

-- name: Queue :many
SELECT id, payload
FROM job
WHERE state = 'ready' AND run_at <= now() AND worker IS NULL
ORDER BY priority DESC, id
LIMIT @most
OFFSET 10
FOR UPDATE OF job SKIP LOCKED;

-- name: Sets :many
(SELECT id, title FROM book WHERE price < 5 ORDER BY title LIMIT 10)
UNION ALL
(SELECT id, title FROM magazine WHERE price < 2 ORDER BY title LIMIT 10)
ORDER BY title;

-- name: DistinctOn :many
SELECT DISTINCT ON (author_id, language)
    author_id,
    language,
    title,
    published_on
FROM book
ORDER BY author_id, language, published_on DESC;

-- name: ValuesAsTable :many
SELECT v.code, v.name
FROM (
    VALUES
        ('nl', 'The Netherlands'),
        ('gb', 'United Kingdom'),
        ('fr', 'France'),
        ('jp', 'Japan')
) AS v(code, name);

-- name: Comments :many
SELECT
    id, -- the key
    -- Shown in lists.
    title
FROM book -- all of them
-- Only what can be bought.
WHERE price IS NOT NULL
    -- Not yet announced.
    AND published_on < now();

-- name: CommentInTheWay :many
SELECT id FROM book WHERE price > 1 AND -- above all
  title IS NOT NULL;

-- name: InlineComment :many
SELECT /* the key */ id FROM book;

-- name: Directives :many
SELECT id, title FROM book
WHERE true
  AND author_id = @author -- :if author
ORDER BY title;

-- name: NamesLikeKeywords :many
SELECT t.order, t."select", @limit AS from, sqlc.arg(offset)
FROM things t
WHERE t.end = sqlc.narg(window);

-- name: TextOfSeveralLines :many
SELECT 'one
two' AS text, id FROM book;

-- name: InList :many
SELECT id, title
FROM book
WHERE language IN (
    'english', 'french', 'german', 'italian', 'dutch', 'spanish', 'polish'
);
