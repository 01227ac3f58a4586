-- name: ShortStays :many
select id,title from book where price<10 order by title;

-- name: JoinsFit :many
select b.title, a.name, p.name as publisher, l.language from book b join author a
on a.id=b.author_id left join publisher p on p.id = b.publisher_id cross join lateral languages_of(b.id) as l(language) where b.price > @least;

-- name: JoinIsLong :many
select o.id, l.quantity, d.parcel, d.weight from customer_order o join order_line l on l.order_id = o.id and l.cancelled_at is null
left join delivery_parcel_content d on d.order_id = l.order_id and d.line_number = l.line_number and d.returned_at is null;

-- name: JoinOfQuery :many
select a.name, best.title from author a join (select author_id, max(title) as title from book where price > 5 group by author_id having count(*) > 2) as best on best.author_id = a.id;

-- name: JoinOfRows :many
select e.* from stock_movement_event e join stock_movement_line l on (e.warehouse_id, e.movement_id, e.line_number) = (l.warehouse_id, l.movement_id, l.number);

-- name: JoinUsing :many
select w.name, s.quantity, s.reserved, s.counted_at from warehouse w join stock_level_of_product s using(warehouse_id, organisation_id);

-- name: Conditions :many
select id, title from book where price between 5 and 10 and (title ilike @words or subtitle ilike @words or exists(select 1 from tag t where t.book_id = book.id and t.word = @words)) and published_on is not null;

-- name: OrBindsLeast :many
select id, title from book where price between 5 and 10 and published_on is not null or price is null and discontinued_at is null and id > @after;

-- name: FirstConditionIsLong :many
select id, title from book where author_id in (select author_id from prize where year > 2000 and country = @country and rank = 1) and price < 20 and language = 'en';

-- name: Cases :many
select id, case when price is null then 'unknown' when price < 5 then 'cheap' when price < 25 then 'fair' else 'dear' end as kind, case status when 'new' then 1 else 2 end as rank from book;

-- name: CaseInCondition :many
select id from book where published_on is not null and case when price > 0 then discount / price else null end > 0.25 order by id;

-- name: Calls :many
select b.id, coalesce(nullif(trim(both from b.subtitle), ''), b.title || ' (' || b.language || ')', 'a book without a title') as shown, count(*) filter (where b.price is null or b.price = 0) as free_of_charge from book b group by b.id;

-- name: Windows :many
select id, row_number() over (partition by author_id, language order by published_on desc nulls last, id rows between unbounded preceding and current row) as number, sum(price) over w as total from book window w as (partition by author_id);

-- name: Aggregates :many
select author_id, string_agg(distinct title, ', ' order by title) as titles, jsonb_agg(jsonb_build_object('id', id, 'title', title, 'price', price) order by published_on, id) as books from book group by author_id;

-- name: Operators :many
select line.id, line.quantity*line.price*(1-line.discount)+line.shipping_costs-line.refunded_amount as total_amount, -line.quantity as taken from order_line line;

-- name: Casts :many
select (payload->>'at')::timestamptz as at, payload#>>'{a,b}' as deep, (array_agg(x order by x))[1]::int as first from event where payload @> '{}' group by payload;

-- name: With :many
with recursive tree as (select id, parent_id, 0 as depth from category where parent_id is null union all select c.id, c.parent_id, tree.depth+1 from category c join tree on tree.id = c.parent_id), counted as (select category_id, count(*) as books from book group by category_id) select tree.id, tree.depth, coalesce(counted.books, 0) as books from tree left join counted on counted.category_id = tree.id;

-- name: Changes :many
with moved as (delete from basket_line where basket_id = @basket returning product_id, quantity) insert into order_line (order_id, product_id, quantity) select @order_id, product_id, quantity from moved returning *;

-- name: InsertOne :one
insert into customer (id, name, email, telephone, street, house_number, postal_code, city, country, created_at) values (@id, @name, @email, @telephone, @street, @house_number, @postal_code, @city, @country, now()) returning *;

-- name: InsertRows :exec
insert into country (code, name, currency) values ('nl', 'The Netherlands', 'EUR'), ('gb', 'United Kingdom', 'GBP'), ('jp', 'Japan', 'JPY');

-- name: Upsert :exec
insert into stock (product_id, warehouse_id, quantity) values($1, $2, $3) on conflict (product_id, warehouse_id) do update set quantity = stock.quantity+excluded.quantity, counted_at = now() where stock.locked_at is null;

-- name: UpsertNothing :exec
insert into tag (word) values ($1) on conflict do nothing;

-- name: Update :execrows
update book set price = @price, discount = case when @price > 100 then 10 else 0 end, changed_at = now(), changed_by = @by from author where author.id = book.author_id and author.name = @author;

-- name: Delete :execrows
delete from session using account where account.id = session.account_id and (session.expires_at < now() or account.deleted_at is not null) returning session.id;

-- name: Queue :many
select id, payload from job where state = 'ready' and run_at <= now() and worker is null order by priority desc, id limit @most offset 10 for update of job skip locked;

-- name: Sets :many
(select id, title from book where price < 5 order by title limit 10) union all (select id, title from magazine where price < 2 order by title limit 10) order by title;

-- name: DistinctOn :many
select distinct on (author_id, language) author_id, language, title, published_on from book order by author_id, language, published_on desc;

-- name: ValuesAsTable :many
select v.code, v.name from (values ('nl', 'The Netherlands'), ('gb', 'United Kingdom'), ('fr', 'France'), ('jp', 'Japan')) as v(code, name);

-- name: Comments :many
select id, -- the key
    -- Shown in lists.
    title
from book -- all of them
-- Only what can be bought.
where price is not null
    -- Not yet announced.
    and published_on < now();

-- name: CommentInTheWay :many
select id from book where price > 1 and -- above all
  title is not null;

-- name: InlineComment :many
select /* the key */ id from book;

-- name: Directives :many
select id, title from book
where true
  and author_id = @author -- :if author
order by title;

-- name: NamesLikeKeywords :many
select t.order, t."select", @limit as from, sqlc.arg(offset) from things t where t.end = sqlc.narg(window);

-- name: TextOfSeveralLines :many
select 'one
two' as text,id from book;

-- name: InList :many
select id, title from book where language in ('english', 'french', 'german', 'italian', 'dutch', 'spanish', 'polish');
