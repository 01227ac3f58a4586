-- name: Executed :exec :batchget
DELETE FROM product WHERE id = @id;

-- name: Numeric :many :batchget
SELECT * FROM product WHERE price = @price;

-- name: Float :many :batchget
SELECT * FROM product WHERE rate = @rate;

-- name: Padded :many :batchget
SELECT * FROM product WHERE code = @code;

-- name: Array :many :batchget
SELECT * FROM product WHERE tags = @tags;

-- name: Cast :many :batchget
SELECT * FROM product WHERE id = @id::int8;

-- name: Limited :many :batchget
SELECT * FROM product WHERE shop_id = @shop_id ORDER BY id LIMIT 3;

-- name: Counted :one :batchget
SELECT count(*) FROM product WHERE shop_id = @shop_id;

-- name: Grouped :many :batchget
SELECT name, max(id) AS newest FROM product WHERE shop_id = @shop_id GROUP BY name;

-- name: FirstOnly :many :batchget
SELECT DISTINCT ON (name) name, id FROM product WHERE shop_id = @shop_id ORDER BY name;

-- name: Ranked :many :batchget
SELECT id, rank() OVER (ORDER BY price) AS rank FROM product WHERE shop_id = @shop_id;

-- name: Both :many :batchget
SELECT id FROM product WHERE shop_id = @shop_id UNION SELECT id FROM product WHERE id = 1;

-- name: Locked :one :batchget
SELECT id FROM product WHERE id = @id FOR UPDATE;

-- name: Either :many :batchget
SELECT id FROM product WHERE id = 1 OR shop_id = @shop_id;

-- name: Twice :many :batchget
SELECT id, @id::int AS wanted FROM product WHERE id = @id;

-- name: TwoKeys :many :batchget
SELECT name FROM product WHERE shop_id = @shop_id AND id = @id;

-- name: OtherKey :many :batchget(name)
SELECT name FROM product WHERE shop_id = @shop_id AND id = @id;

-- name: SeveralRows :one :batchget
SELECT name FROM product WHERE name = @name AND shop_id = 3;

-- name: Optional :many :batchget(id)
SELECT name FROM product
WHERE shop_id = @shop_id
  AND id = @id -- :if id
;

-- name: Deciding :many :batchget(id)
SELECT name FROM product
WHERE id = @id
  AND shop_id > 3 -- :if id
;

-- name: LimitedIf :many :batchget
SELECT name FROM product
WHERE id = @id
LIMIT @most -- :if most
;

-- name: RankedBySort :many :batchget
SELECT name FROM product WHERE id = @id
ORDER BY name -- :sort name, row_number() OVER (ORDER BY price)
;

-- name: Turn :many :batchget(id, shop_id)
SELECT name FROM product WHERE shop_id = @shop_id AND id = @id;

-- name: Same :many :batchget(shop_id, shop_id)
SELECT name FROM product WHERE shop_id = @shop_id AND id = @id;

-- name: PartOfKey :many :batchget(shop_id, price)
SELECT name FROM product WHERE shop_id = @shop_id AND price = @price;

-- name: ManyPairs :one :batchget(shop_id, name)
SELECT id FROM product WHERE shop_id = @shop_id AND name = @name LIMIT 1;

-- name: NoSuch :many :batchget(shop_id, nme)
SELECT name FROM product WHERE shop_id = @shop_id AND id = @id;

-- name: Writing :many :batchget
SELECT noted(id) AS noted FROM product WHERE id = @id;

-- name: FromWith :many :batchget
WITH cheap AS (SELECT * FROM product WHERE shop_id = @shop_id) SELECT name FROM cheap;

-- name: Turned :many :batchget
SELECT name FROM product WHERE @id + 0 = id;

-- name: NoTable :one :batchget
SELECT upper(@name::text) AS upper_name;
