CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(20), w INT NOT NULL DEFAULT 0);
INSERT INTO t (id, v) SELECT n + 10, ELT(1 + n % 2, 'one', 'two') FROM numbers WHERE n < 290;
INSERT INTO t (id, v) VALUES (4711, 'three');
