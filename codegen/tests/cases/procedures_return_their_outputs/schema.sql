create table account (id int primary key, owner text not null, note text);

-- Standard SQL, as a string and as stored statements: both bodies are analysed.
create procedure describe(wanted int, out owner text, out note text) language sql
    as 'select a.owner, a.note from account a where a.id = wanted';
create procedure bump(inout counter int, inout label text default 'x') language sql
    begin atomic select counter + 1, label; end;
create procedure total(out n bigint) language sql as 'select count(*) from account';

-- Names after an OUT parameter keep their arguments.
create procedure shifted(a int, out r int, b int, c int) language sql as 'select b';

-- The value is converted on return, so nothing is proved.
create procedure widened(out n bigint) language sql as 'select 1';

create procedure open_account(id int, owner text, out opened bool) language plpgsql as $$
begin
    insert into account values (id, owner);
    opened := true;
end
$$;
