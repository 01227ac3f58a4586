-- name: NotTotal :page
SELECT * FROM issue ORDER BY title;

-- name: MayBeNull :page
SELECT * FROM issue ORDER BY due, id;

-- name: Position :page
SELECT id FROM issue ORDER BY 1;

-- name: NotHeld :page
SELECT id FROM issue ORDER BY make_interval(days => id), id;

-- name: Grouped :page
SELECT title, count(*) FROM issue GROUP BY title ORDER BY title;

-- name: Distinct :page
SELECT DISTINCT id FROM issue ORDER BY id;

-- name: NullLast :page
SELECT id FROM issue ORDER BY id NULLS LAST;

-- name: OwnName :page
SELECT id FROM issue WHERE id > @cursor ORDER BY id;

-- name: Numbered :page
SELECT id FROM issue WHERE id > $1 ORDER BY id;

-- name: Parameter :page
SELECT id FROM issue ORDER BY id + @shift;

-- name: JoinedTwice :page
SELECT a.id FROM issue AS a JOIN issue AS b ON b.title = a.title ORDER BY a.id;

-- fragment: open(i)
i.due IS NULL
OR i.due > @since;

-- fragment: late(i)
i.due DESC NULLS LAST, i.title;

-- name: Filtered :page
SELECT issue.id FROM issue
WHERE sqlc.include(open, issue)
ORDER BY issue.title;

-- name: SortedByFragment :page
SELECT issue.id FROM issue ORDER BY sqlc.include(late, issue);
