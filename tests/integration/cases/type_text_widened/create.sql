CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a VARCHAR(10), b VARCHAR(255), c TINYTEXT, d TEXT, e CHAR(10), f VARCHAR(20));
INSERT INTO t SELECT n, CONCAT('a', n, ' '), REPEAT('b', n), REPEAT('c', n), REPEAT('d', n), CONCAT('e', n, ' '), CONCAT('f', n, '  ') FROM numbers WHERE n < 250;
