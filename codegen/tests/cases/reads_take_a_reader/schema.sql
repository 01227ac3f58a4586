create table a (id int primary key, name text not null);
