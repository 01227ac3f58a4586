-- name: JoinsFit :many
select b.`title`, a.name from book b straight_join author a on a.id=b.author_id inner join `order` o on o.book_id = b.id where b.price > ?;

-- name: OnDuplicate :exec
insert into stock (product_id, warehouse_id, quantity, counted_at) values (?, ?, ?, now()) on duplicate key update quantity=quantity+values(quantity), counted_at=values(counted_at);

-- name: Replace :exec
replace into setting (name, value, changed_by, changed_at) values (?, ?, ?, current_timestamp), (?, ?, ?, current_timestamp);

-- name: CallsOfReservedNames :many
select left(title, 10), right(title, 3), insert(title, 1, 2, 'x'), replace(title, 'a', 'b'), if(price > 1, 'dear', 'cheap') from book;

-- name: GroupConcat :many
select author_id, group_concat(distinct concat(title, ' ', coalesce(subtitle, ''), ' ', published_on) order by title desc separator ', ') as titles from book group by author_id with rollup;

-- name: CaseEnds :many
select id, case when price is null then 'a price that nobody knows' when price < 5 then 'cheap' else 'dear' end as kind, end from book;

-- name: UpdateJoin :execrows
update book b join author a on a.id = b.author_id set b.price = b.price * 1.1, b.changed_at = now(), b.changed_by = ? where a.name = ?;

-- name: DeleteJoin :execrows
delete s from session s left join account a on a.id = s.account_id where a.id is null or s.expires_at < now() - interval 1 day;
