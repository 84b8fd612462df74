CREATE TABLE t (a INT NOT NULL, k INT AS (a * 2) VIRTUAL, v INT, b TEXT, UNIQUE KEY k (k));
INSERT INTO t (a, v, b) SELECT n, n, REPEAT('x', n) FROM numbers WHERE n < 300;
