CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT NOT NULL, c TEXT NOT NULL, d VARCHAR(50), FULLTEXT KEY words (c), KEY by_a (a), FULLTEXT KEY both_texts (c, d));
INSERT INTO t SELECT n, n, CONCAT('some words number', n), CONCAT('more text ', n) FROM numbers WHERE n < 300;
