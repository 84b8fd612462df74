CREATE TABLE t (id INET4 NOT NULL PRIMARY KEY, v INT, KEY by_v (v));
INSERT INTO t SELECT CONCAT(n DIV 3, '.', n MOD 3, '.', n * 7 MOD 256, '.', 0), n FROM numbers WHERE n < 200;
