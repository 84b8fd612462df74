CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v ENUM('a','b','c'), w INT NOT NULL DEFAULT 0);
INSERT INTO t (id, v) SELECT n + 10, 1 + n % 2 FROM numbers WHERE n < 290;
INSERT INTO t (id, v) VALUES (4711, 'c');
