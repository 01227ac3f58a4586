-- Cities that providers work from.

-- name: GetCity :one
SELECT * FROM city WHERE id = @id;

-- name: LockCity :one
-- As it is, to be changed by this transaction alone.
SELECT * FROM city WHERE id = @id FOR NO KEY UPDATE;

-- name: ListCities :page
-- One page, in the order asked for, equal ones by id. `search` is a LIKE pattern.
SELECT * FROM city
WHERE true
    AND iso2 = @iso2 -- :if iso2
    AND name ILIKE @search -- :if search
ORDER BY
    name, -- :sort name asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: AddCity :exec
INSERT INTO city (id, name, longitude, latitude, country, iso2, admin_name, capital)
VALUES (@id, @name, @longitude, @latitude, @country, @iso2, @admin_name, @capital);

-- name: ReplaceCity :execrows
UPDATE city SET
    name = @name,
    longitude = @longitude,
    latitude = @latitude,
    country = @country,
    iso2 = @iso2,
    admin_name = @admin_name,
    capital = @capital,
    version = version + 1,
    updated_at = now()
WHERE id = @id;

-- name: RemoveCity :execrows
DELETE FROM city WHERE id = @id;
