-- name: Priced :page
SELECT id, name, price FROM item ORDER BY price DESC, id DESC;

-- name: Mixed :page
SELECT id FROM item WHERE shop < @shop ORDER BY name, price DESC, id;

-- name: Sorted :page
SELECT id FROM item ORDER BY
    made, -- :sort made asc|desc, name asc|desc
    id;

-- name: Graded :page
SELECT id FROM item ORDER BY grade DESC NULLS LAST, code NULLS FIRST, id DESC;
