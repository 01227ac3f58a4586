-- Service orders: who needs which service, where and when.

-- name: GetServiceOrder :one
SELECT * FROM service_order WHERE id = @id;

-- name: LockServiceOrder :one
-- The order as it is. Whoever writes anything about it, its offers or its job has this lock first.
SELECT * FROM service_order WHERE id = @id FOR NO KEY UPDATE;

-- fragment: listed_orders()
-- The orders that match the filters of a list, whoever's they are.
service_order
WHERE true
    AND status = @status -- :if status
    AND service_id = @service_id -- :if service_id
;

-- name: ListServiceOrders :page
-- ignore: V030 few orders are PENDING at a time, and the statistics assume that all statuses are equally frequent
-- One page, in the order asked for, equal ones by id; `open_after` leaves out whose time is over.
SELECT * FROM sqlc.include(listed_orders)
    AND time_end > @open_after -- :if open_after
ORDER BY
    created_at, -- :sort created_at asc|desc, time_start asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkServiceOrders :page
-- The same orders, from a cursor on.
SELECT * FROM sqlc.include(listed_orders)
    AND time_end > @open_after -- :if open_after
ORDER BY
    created_at, -- :sort created_at asc|desc, time_start asc|desc
    id;

-- name: ListServiceOrdersOf :page
-- One page of a customer's orders, in the order asked for, equal ones by id.
SELECT * FROM sqlc.include(listed_orders)
    AND customer_id = @customer_id
ORDER BY
    created_at, -- :sort created_at asc|desc, time_start asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkServiceOrdersOf :page
-- The same orders, from a cursor on.
SELECT * FROM sqlc.include(listed_orders)
    AND customer_id = @customer_id
ORDER BY
    created_at, -- :sort created_at asc|desc, time_start asc|desc
    id;

-- name: ListServiceOrdersNear :page
-- One page of those that take offers, the nearest first; the boxes are as in NearestLocations. Distances are to
-- the rounded place (hundredths of a degree): exact ones, asked for from three places, would tell where somebody lives.
SELECT sqlc.embed(service_order),
    great_circle_km(
        @longitude, @latitude, round(longitude * 100) / 100, round(latitude * 100) / 100
    ) AS distance_km
FROM service_order
WHERE status = 'PENDING'
    AND time_end > @open_after
    AND (
        point(longitude, latitude) <@ box(point(@west, @south), point(@east, @north))
        OR point(longitude, latitude) <@ box(point(@other_west, @south), point(@other_east, @north))
    )
    AND great_circle_km(
        @longitude, @latitude, round(longitude * 100) / 100, round(latitude * 100) / 100
    ) <= @radius_km::double precision
    AND service_id = @service_id -- :if service_id
ORDER BY distance_km, id
LIMIT @page_size OFFSET @skip;

-- name: CountOpenOrdersOf :one
-- How many of a customer's orders wait for somebody, and may still find them.
SELECT count(*) FROM service_order
WHERE customer_id = @customer_id AND status IN ('PENDING', 'PAUSED') AND time_end > @open_after;

-- name: FindServiceOrder :one
-- What a customer ordered by that request before.
SELECT * FROM service_order WHERE customer_id = @customer_id AND request_key = @request_key::text;

-- name: LockCustomer :exec
-- Until the transaction ends, one after the other: a limit that is counted first must not be passed.
SELECT pg_advisory_xact_lock(hashtextextended('service_order ' || @customer_id::uuid::text, 0));

-- name: AddServiceOrder :one
INSERT INTO service_order (
    id, customer_id, service_id, longitude, latitude, time_start, time_end, description, request_key
)
VALUES (
    @id, @customer_id, @service_id, @longitude, @latitude, @time_start, @time_end, @description, sqlc.narg(request_key)
)
RETURNING *;

-- name: ChangeServiceOrder :execrows
UPDATE service_order SET
    service_id = @service_id,
    longitude = @longitude,
    latitude = @latitude,
    time_start = @time_start,
    time_end = @time_end,
    description = @description,
    status = @status,
    version = version + 1,
    updated_at = now()
WHERE id = @id;

-- name: SetServiceOrderStatus :execrows
UPDATE service_order SET status = @status, version = version + 1, updated_at = now()
WHERE id = ANY (@ids::uuid[]);

-- name: RemoveServiceOrder :execrows
DELETE FROM service_order WHERE id = @id;

-- name: LockServiceOrdersOf :many
-- Those that wait for a person, or that they wait for, on either side; by id, so that two who lock
-- several never wait for each other.
SELECT id FROM service_order
WHERE id IN (
    SELECT own.id FROM service_order AS own
    WHERE own.customer_id = @person_id AND own.status IN ('PENDING', 'PAUSED', 'ASSIGNED')
    UNION ALL
    SELECT offer.order_id FROM offer WHERE offer.provider_id = @person_id AND offer.status = 'PENDING'
    UNION ALL
    SELECT job.order_id FROM job
    WHERE job.provider_id = @person_id AND job.status IN ('PENDING', 'IN_PROGRESS', 'PAUSED')
)
ORDER BY id
FOR NO KEY UPDATE;

-- name: ListOpenOrdersOf :many
-- A customer's orders that nobody has been found for and that were there at that moment.
SELECT * FROM service_order
WHERE customer_id = @customer_id AND id = ANY(@order_ids::uuid[])
    AND status IN ('PENDING', 'PAUSED') AND created_at <= @until
ORDER BY id;

-- name: LockOverdueOrders :many
-- Some of those that found nobody within their time, the longest overdue first. What another
-- process has is passed over.
SELECT * FROM service_order
WHERE status IN ('PENDING', 'PAUSED') AND time_end <= @until
ORDER BY time_end, id
LIMIT @batch_size
FOR NO KEY UPDATE SKIP LOCKED;

-- name: MeasureOverdueOrders :one
SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(time_end)), 0)::double precision AS oldest_seconds
FROM service_order
WHERE status IN ('PENDING', 'PAUSED') AND time_end <= now();

-- name: EraseServiceOrders :execrows
-- Of somebody who is gone: where they live and what they needed. What is counted stays.
UPDATE service_order SET
    longitude = 0, latitude = 0, description = @description, request_key = NULL,
    version = version + 1, updated_at = now()
WHERE customer_id = @customer_id AND description <> @description;
