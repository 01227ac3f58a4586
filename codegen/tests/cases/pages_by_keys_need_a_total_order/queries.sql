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

-- name: Windowed :page
SELECT id, coalesce(lag(title) OVER (ORDER BY id), '') AS before FROM issue ORDER BY id;

-- name: NamedWindow :page
SELECT id, count(*) OVER w AS number FROM issue WINDOW w AS (PARTITION BY title) ORDER BY id;

-- name: SortedByWindow :page
SELECT id FROM issue ORDER BY row_number() OVER (ORDER BY title), id;

-- name: ShiftedColumn :page
SELECT id + @shift::int AS shifted FROM issue ORDER BY shifted, id;

-- name: UnclearName :page
SELECT id, (SELECT max(i.title) AS title FROM issue AS i) FROM issue ORDER BY title, id;

-- name: TwoColumns :page
SELECT id, lower(title) AS title, upper(title) AS title FROM issue ORDER BY title, id;
