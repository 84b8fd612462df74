CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT NOT NULL, b VARCHAR(40) NOT NULL, c TEXT NOT NULL, d INT, KEY by_a (a), KEY by_b (b), KEY by_d (d), UNIQUE KEY ab (a, b));
INSERT INTO t SELECT n, n, CONCAT('b', n), CONCAT('some words number', n), n % 10 FROM numbers WHERE n < 300;
