-- name: Latest :many
SELECT at, value FROM reading WHERE device_id = @device_id ORDER BY at DESC LIMIT 100;
-- name: Between :many
SELECT at, value FROM reading WHERE device_id = @device_id AND at >= @first AND at < @last ORDER BY at;
-- name: DayOfDevice :one
SELECT avg(value) AS mean, count(*) AS readings FROM reading WHERE device_id = 77 AND at >= '2024-03-01' AND at < '2024-03-02';
-- name: DayOfAll :one
SELECT count(*) AS readings, max(value) AS highest FROM reading WHERE at >= '2024-03-01' AND at < '2024-03-02';
-- name: QuarterOfAll :many
SELECT device_id, avg(value) AS mean FROM reading WHERE at >= '2024-01-01' AND at < '2024-04-01' GROUP BY device_id;
-- name: SinceOfAll :one
SELECT count(*) FROM reading WHERE at >= @since;
-- name: Bad :many
SELECT device_id, at FROM reading WHERE quality = 9 AND at >= @since ORDER BY at LIMIT 200;
-- name: BadCount :one
SELECT count(*) FROM reading WHERE quality = 9;
-- name: ByQuality :many
SELECT device_id, at FROM reading WHERE quality = @quality AND at >= '2024-06-20';
-- name: LowBattery :many
SELECT DISTINCT r.device_id FROM reading r WHERE r.battery < 0.1 AND r.at >= '2024-06-25';
-- name: LatestOfSite :many
SELECT d.id, r.at, r.value FROM device d
CROSS JOIN LATERAL (SELECT r.at, r.value FROM reading r WHERE r.device_id = d.id ORDER BY r.at DESC LIMIT 1) r
WHERE d.site_id = @site_id;
-- name: SiteHours :many
SELECT h.hour, sum(h.total) AS total FROM device d JOIN hourly h ON h.device_id = d.id
WHERE d.site_id = @site_id AND h.hour >= @since GROUP BY h.hour ORDER BY h.hour;
-- name: Hour :many
SELECT device_id, total FROM hourly WHERE hour = @hour;
-- name: HoursOfDevice :many
SELECT hour, total FROM hourly WHERE device_id = @device_id ORDER BY hour DESC LIMIT 48;
-- name: HottestHours :many
SELECT device_id, hour, highest FROM hourly ORDER BY highest DESC LIMIT 20;
-- name: RegionHours :many
SELECT s.region, avg(h.total) AS mean FROM site s JOIN device d ON d.site_id = s.id JOIN hourly h ON h.device_id = d.id
WHERE h.hour >= '2024-06-10' AND h.hour < '2024-06-11' GROUP BY s.region;
-- name: FindSerial :one
SELECT id, model FROM device WHERE serial = @serial;
-- name: Tagged :many
SELECT id, serial FROM device WHERE tags @> ARRAY['tag 7'];
-- name: TaggedWith :many
SELECT id FROM device WHERE tags @> @tags::text[];
-- name: SerialsOfModel :many
SELECT serial FROM device WHERE model = @model;
-- name: RareModel :many
SELECT serial FROM device WHERE model = 'model 59';
-- name: Retired :many
SELECT id, serial FROM device WHERE retired_at IS NOT NULL ORDER BY retired_at;
-- name: DevicesOfRegion :many
SELECT d.id, d.serial FROM device d JOIN site s ON s.id = d.site_id WHERE s.region = @region AND d.retired_at IS NULL;
-- name: GetEvent :one
SELECT id, kind, message FROM event WHERE id = @id;
-- name: EventsOfDevice :many
SELECT id, at, kind FROM event WHERE device_id = @device_id ORDER BY at DESC LIMIT 50;
-- name: EventsOfTrace :many
SELECT id, message FROM event WHERE trace_id = @trace_id;
-- name: OpenEvents :many
SELECT id, device_id, at FROM event WHERE acknowledged_at IS NULL AND severity >= 4 ORDER BY at DESC LIMIT 100;
-- name: OpenSince :one
SELECT count(*) FROM event WHERE acknowledged_at IS NULL AND severity >= 4 AND at >= @since;
-- name: OfCode :many
SELECT id, at FROM event WHERE payload ->> 'code' = @code AND at >= '2024-06-01';
-- name: OfPort :many
SELECT id FROM event WHERE payload @> '{"port": 7, "firmware": "1.29"}';
-- name: OfPayload :many
SELECT id FROM event WHERE payload @> @wanted::jsonb AND at >= @since;
-- name: OfKind :many
SELECT id, device_id FROM event WHERE kind = @kind AND at >= @since ORDER BY at LIMIT 500;
-- name: Resets :many
SELECT e.id, d.serial FROM event e JOIN device d ON d.id = e.device_id WHERE e.kind = 'reset' AND e.at >= '2024-05-01';
-- name: KindsOfDay :many
SELECT kind, severity, count(*) AS events FROM event WHERE at >= '2024-06-01' AND at < '2024-06-02' GROUP BY kind, severity;
-- name: PageOfEvents :many
SELECT id, at, message FROM event WHERE device_id = @device_id AND at < @before ORDER BY at DESC LIMIT 20;
-- name: FilterEvents :many
SELECT id, at, severity FROM event
WHERE TRUE
  AND device_id = @device_id -- :if device_id
  AND kind = @kind -- :if kind
  AND at >= @since -- :if since
ORDER BY at DESC -- :sort at, id
LIMIT 100;
-- name: OpenAlerts :many
SELECT a.id, d.serial, a.opened_at FROM alert a JOIN device d ON d.id = a.device_id WHERE a.closed_at IS NULL ORDER BY a.opened_at LIMIT 50;
-- name: AlertsOfDevice :many
SELECT a.id, e.message FROM alert a JOIN event e ON e.id = a.event_id WHERE a.device_id = @device_id ORDER BY a.opened_at DESC LIMIT 20;
-- name: AlertsOfLevel :many
SELECT id, device_id FROM alert WHERE level = @level AND closed_at IS NULL;
-- name: Noisy :many
SELECT d.id, count(*) AS events FROM event e JOIN device d ON d.id = e.device_id WHERE d.site_id = @site_id GROUP BY d.id ORDER BY events DESC;
-- name: Silent :many
SELECT d.id FROM device d WHERE d.site_id = @site_id AND NOT EXISTS (SELECT FROM event e WHERE e.device_id = d.id AND e.at >= @since);
-- name: Acknowledge :exec
UPDATE event SET acknowledged_by = @by, acknowledged_at = now() WHERE device_id = @device_id AND acknowledged_at IS NULL;
-- name: CloseAlerts :exec
UPDATE alert SET closed_at = now() WHERE closed_at IS NULL AND opened_at < @before;
-- name: DropReadings :exec
DELETE FROM reading WHERE at < '2024-01-03';
-- name: DropEvents :exec
DELETE FROM event WHERE at < '2024-01-02';
-- name: DeleteEvent :exec
DELETE FROM event WHERE id = @id;
-- name: DeleteDevice :exec
DELETE FROM device WHERE id = @id;
-- name: DeleteSite :exec
DELETE FROM site WHERE id = @id;
-- name: AddReading :exec
INSERT INTO reading (device_id, at, value, quality, battery) VALUES (@device_id, @at, @value, @quality, @battery);
