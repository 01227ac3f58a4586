-- Who offers which service.

-- name: ListServicesOfProvider :page
SELECT service.* FROM service
JOIN provider_service AS offered ON offered.service_id = service.id
WHERE offered.provider_id = @provider_id
ORDER BY service.name, service.id
LIMIT @page_size OFFSET @skip;

-- name: GetServiceOfProvider :one
SELECT service.* FROM service
JOIN provider_service AS offered ON offered.service_id = service.id
WHERE offered.provider_id = @provider_id AND service.id = @service_id;

-- tenant: all any user may see the providers of a service
-- name: ListProvidersOfService :page
SELECT * FROM provider_service
WHERE service_id = @service_id
ORDER BY provider_id
LIMIT @page_size OFFSET @skip;

-- tenant: all any user may see the providers of a service
-- name: WalkProvidersOfService :page
-- The same providers, from a cursor on.
SELECT * FROM provider_service
WHERE service_id = @service_id
ORDER BY provider_id;

-- name: AddProviderService :execrows
-- No row where the provider offers it already.
INSERT INTO provider_service (provider_id, service_id) VALUES (@provider_id, @service_id)
ON CONFLICT (provider_id, service_id) DO NOTHING;

-- name: RemoveProviderService :execrows
DELETE FROM provider_service WHERE provider_id = @provider_id AND service_id = @service_id;

-- name: RemoveServicesOfProvider :many
-- All that were there at that moment; which they were.
DELETE FROM provider_service WHERE provider_id = @provider_id AND created_at <= @until
RETURNING service_id;
