-- What is left to do, for whoever watches.

-- tenant: all a metric counts the unfinished orders of all customers
-- name: MeasureBacklog :one
-- How many orders and drafts have something left to do, and for how long the oldest has.
-- Each attempt moves `due_at`, so the time counts from when there was something to do.
SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(b.since)), 0)::double precision AS oldest_seconds
FROM (
    SELECT o.updated_at AS since FROM goods_order AS o WHERE o.due_at IS NOT NULL
    UNION ALL
    SELECT d.created_at FROM goods_draft AS d
) AS b;
