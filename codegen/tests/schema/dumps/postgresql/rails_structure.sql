\restrict hSoMeThInG

SET statement_timeout = 0;
SET lock_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: pgcrypto; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;
COMMENT ON EXTENSION pgcrypto IS 'cryptographic functions';

CREATE TYPE public.account_state AS ENUM (
    'open',
    'closed'
);

SET default_tablespace = '';
SET default_table_access_method = heap;

CREATE TABLE public.account (
    id bigint NOT NULL,
    email character varying NOT NULL,
    state public.account_state NOT NULL,
    created_at timestamp(6) without time zone
);

CREATE SEQUENCE public.account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.account_id_seq OWNED BY public.account.id;

CREATE TABLE public.ar_internal_metadata (
    key character varying NOT NULL,
    value character varying
);

CREATE TABLE public.note (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    body text
);

CREATE TABLE public.schema_migrations (
    version character varying NOT NULL
);

ALTER TABLE ONLY public.account ALTER COLUMN id SET DEFAULT nextval('public.account_id_seq'::regclass);
ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.note
    ADD CONSTRAINT note_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
CREATE INDEX index_note_on_account_id ON public.note USING btree (account_id);
ALTER TABLE ONLY public.note
    ADD CONSTRAINT fk_rails_0a1b2c FOREIGN KEY (account_id) REFERENCES public.account(id);

--
-- PostgreSQL database dump complete
--

\unrestrict hSoMeThInG

SET search_path TO "$user", public;

INSERT INTO "schema_migrations" (version) VALUES
('20240102030405'),
('20240101000000');

