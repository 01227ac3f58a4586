-- name: GetTeam :one :batchget
-- Return a team.
SELECT * FROM team WHERE id = @id;

-- name: GetTeamName :one :batchget
SELECT name FROM team WHERE id = @id;

-- name: GetMood :one :batchget
SELECT id, mood FROM team WHERE name = @name;

-- name: FindTeam :one :batchget
SELECT name AS team_name FROM team WHERE name = @key;

-- name: ListMembers :many :batchget
SELECT name, born FROM member WHERE team_id = @team_id ORDER BY name DESC, id;

-- name: ListTeams :many :batchget
SELECT sqlc.embed(team), m.born FROM team LEFT JOIN member AS m ON m.team_id = team.id
WHERE m.born = @born AND team.name <> @other ORDER BY team.id;

-- name: MemberOfTeam :one :batchget(id)
SELECT m.id, m.name FROM member AS m WHERE m.team_id = @team_id AND m.id = @id;

-- name: TeamWithMembers :one :batchget
SELECT team.id, team.name, sqlc.nest(member) FROM team LEFT JOIN member ON member.team_id = team.id
WHERE team.id = @id ORDER BY member.name;

-- name: TeamsOfMood :many :batchget
SELECT team.id, team.name, sqlc.nest(member) FROM team LEFT JOIN member ON member.team_id = team.id
WHERE team.mood = @mood ORDER BY team.id, member.name;

-- name: ListJobs :many :batchget
SELECT batch_key, "row" FROM job WHERE key = @rows ORDER BY batch_key DESC;

-- name: FindMember :one :batchget(team_id, id)
SELECT name, born FROM member WHERE team_id = @team_id AND born >= @since AND id = @id;

-- name: MoodOfTeam :many :batchget(id, mood)
SELECT team.name, sqlc.embed(member) FROM team JOIN member ON member.team_id = team.id
WHERE team.id = @id
  AND team.mood = @mood
ORDER BY member.name;

-- name: SearchMembers :many :batchget(team_id)
SELECT * FROM member
WHERE team_id = @team_id
  AND name LIKE @name -- :if name
  AND born >= @born -- :if born
ORDER BY name, id; -- :sort name desc, born

-- name: SearchPairs :one :batchget(team_id, id)
SELECT name FROM member
WHERE name <> @other -- :if other
  AND team_id = @team_id
  AND id = @id
;
