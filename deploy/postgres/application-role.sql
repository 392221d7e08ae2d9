-- Run once by the image of PostgreSQL, when its volume is new: the role that the processes connect as. Its rights come
-- with `migrate` (APPLICATION_DATABASE_ROLE); it owns nothing and can't change a record (docs/records.md).
\getenv password APPLICATION_DATABASE_PASSWORD
CREATE ROLE desk_app LOGIN PASSWORD :'password';
