SET sql_generate_invisible_primary_key = ON;
CREATE TABLE t (a INT NOT NULL, b VARCHAR(20));
INSERT INTO t (a, b) SELECT n, CONCAT('b', n) FROM numbers WHERE n < 300;
