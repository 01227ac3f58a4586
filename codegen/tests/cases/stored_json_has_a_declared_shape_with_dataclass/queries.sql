-- name: AddUser :exec
INSERT INTO users (id, name, preferences, settings) VALUES ($1, $2, $3, $4);

-- name: AddRaw :exec
INSERT INTO users (id, name, preferences) VALUES (@id, @name, (@document::text)::jsonb);

-- name: SetPreferences :exec
UPDATE users SET preferences = @preferences WHERE id = @id;

-- name: MergePreferences :exec
UPDATE users SET preferences = preferences || @patch WHERE id = @id;

-- name: GetUser :one
SELECT * FROM users WHERE id = $1;

-- name: GetPreferences :one
SELECT preferences FROM users WHERE id = $1;

-- name: GetTheme :one
SELECT preferences -> 'theme' AS theme FROM users WHERE id = $1;

-- name: FindByPreferences :many
SELECT id FROM users WHERE preferences = @preferences;

-- name: ListPaths :many
SELECT
    preferences -> 'theme' AS theme,
    preferences ->> 'theme' AS theme_text,
    preferences -> 'size' AS size,
    preferences -> 'bio' AS bio,
    preferences #> '{alerts,mail}' AS mail,
    preferences #>> '{alerts,mail}' AS mail_text,
    preferences -> 'alerts' -> 'hours' -> 0 AS hour,
    preferences['tags'] AS tags,
    preferences -> 'alerts' AS alerts,
    settings -> 'volume' AS volume,
    preferences -> 'other' AS other
FROM users
ORDER BY id;

-- name: ListOfWith :many
WITH chosen AS (SELECT id, preferences AS p, preferences ->> 'theme' AS theme FROM users)
SELECT chosen.p, chosen.theme, (SELECT u.preferences FROM users u WHERE u.id = chosen.id + 1) AS next
FROM chosen
ORDER BY chosen.id;

-- name: ListOfView :many
SELECT * FROM themes ORDER BY id;

-- name: ListFriends :many
SELECT users.id, friend.preferences, friend.preferences -> 'theme' AS theme
FROM users
LEFT JOIN friends ON friends.user_id = users.id
LEFT JOIN users friend ON friend.id = friends.friend_id
ORDER BY users.id;

-- name: ListCards :many
SELECT
    jsonb_build_object(
        'name', name, 'preferences', preferences, 'settings', settings,
        'theme', preferences ->> 'theme', 'size', preferences -> 'size'
    ) AS card,
    jsonb_agg(preferences) OVER (ORDER BY id) AS before
FROM users
ORDER BY id;

-- name: ListRows :many
SELECT to_jsonb(users) AS doc FROM users ORDER BY id;

-- name: ListHistory :many
SELECT
    id,
    array_agg(preferences) OVER (ORDER BY id) AS history,
    array_agg(settings) FILTER (WHERE id > 1) OVER (ORDER BY id) AS later
FROM users
ORDER BY id;

-- name: GetAll :one
SELECT array_agg(preferences ORDER BY id) AS preferences FROM users;

-- name: AddFriend :exec
INSERT INTO friends (user_id, friend_id) VALUES ($1, $2);
