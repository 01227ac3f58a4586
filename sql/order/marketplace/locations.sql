-- Where providers work from, one place each.

-- name: GetLocation :one
SELECT * FROM provider_location WHERE provider_id = @provider_id;

-- name: LockLocation :one
-- As it is, to be changed by this transaction alone.
SELECT * FROM provider_location WHERE provider_id = @provider_id FOR NO KEY UPDATE;

-- name: ListLocationsInCity :page
SELECT * FROM provider_location WHERE city_id = @city_id
ORDER BY provider_id
LIMIT @page_size OFFSET @skip;

-- name: WalkLocationsInCity :page
-- The same places, from a cursor on.
SELECT * FROM provider_location WHERE city_id = @city_id
ORDER BY provider_id;

-- name: NearestLocations :many
-- The nearest first. The boxes, which an index answers, hold at least what is within the radius;
-- there are two because one may lie on either side of the date line. Distances are to the rounded
-- place (hundredths of a degree), as for service orders: three exact ones would locate a home.
SELECT sqlc.embed(provider_location),
    great_circle_km(
        @longitude, @latitude, round(longitude * 100) / 100, round(latitude * 100) / 100
    ) AS distance_km
FROM provider_location
WHERE (
        point(longitude, latitude) <@ box(point(@west, @south), point(@east, @north))
        OR point(longitude, latitude) <@ box(point(@other_west, @south), point(@other_east, @north))
    )
    AND great_circle_km(
        @longitude, @latitude, round(longitude * 100) / 100, round(latitude * 100) / 100
    ) <= @radius_km::double precision
ORDER BY distance_km, provider_id
LIMIT @wanted;

-- name: AddLocation :exec
INSERT INTO provider_location (provider_id, city_id, longitude, latitude, address)
VALUES (@provider_id, @city_id, @longitude, @latitude, @address);

-- name: ChangeLocation :execrows
UPDATE provider_location SET
    city_id = @city_id,
    longitude = @longitude,
    latitude = @latitude,
    address = @address,
    version = version + 1,
    updated_at = now()
WHERE provider_id = @provider_id;

-- name: RemoveLocation :execrows
-- Where it was there at that moment.
DELETE FROM provider_location WHERE provider_id = @provider_id AND created_at <= @until;
