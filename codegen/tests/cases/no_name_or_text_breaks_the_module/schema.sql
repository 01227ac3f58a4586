CREATE TYPE "Odd Enum" AS ENUM ('class', '1st', 'it''s "quoted"', 'back\slash', 'ünïcode', '%s {x}');
CREATE TABLE "Select" (
    "class" integer NOT NULL,
    "from" text,
    "two words" text,
    "1st" text,
    "self" text,
    "row" "Odd Enum",
    "naïve" text,
    "Mixed" text
);
