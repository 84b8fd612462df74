CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(100), w INT NOT NULL DEFAULT 0);
INSERT INTO t (id, v) SELECT n + 10, CONCAT('v', n) FROM numbers WHERE n < 290;
INSERT INTO t (id, v) VALUES (1, 'ten chars           '), (4711, 'eleven chars');
