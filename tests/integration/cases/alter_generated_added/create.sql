CREATE TABLE t (
  id INT NOT NULL PRIMARY KEY, a INT NOT NULL, s INT AS (a * 2) STORED, v VARCHAR(30) AS (CONCAT('v', a)) VIRTUAL, KEY by_s (s), KEY by_v (v)
);
INSERT INTO t (id, a) SELECT n, n * 3 FROM numbers WHERE n < 300;
