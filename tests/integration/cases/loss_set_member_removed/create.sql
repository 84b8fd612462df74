CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v SET('a','b','c'), w INT NOT NULL DEFAULT 0);
INSERT INTO t (id, v) SELECT n + 10, n % 4 FROM numbers WHERE n < 290;
INSERT INTO t (id, v) VALUES (4711, 'a,c');
