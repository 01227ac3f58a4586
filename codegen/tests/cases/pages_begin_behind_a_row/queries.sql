-- name: ListIssues :page
-- List issues, the next due first.
SELECT * FROM issue
WHERE title ILIKE @pattern -- :if pattern
ORDER BY due NULLS LAST, id;

-- name: ListTitles :page
SELECT upper(title) AS title FROM issue ORDER BY title DESC, id DESC;
