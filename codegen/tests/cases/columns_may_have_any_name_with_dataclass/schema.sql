CREATE TYPE part AS ("_size" integer, "self" text);
CREATE TABLE thing (
    "self" integer NOT NULL,
    "_id" integer NOT NULL,
    "__secret" text,
    "json" text,
    "model_config" text,
    "model_dump" text,
    "model_validated_at" date,
    "date" date NOT NULL,
    "due" date,
    "int" integer,
    "other" integer,
    "part" part
);
