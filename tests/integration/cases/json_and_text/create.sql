CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a JSON, b LONGTEXT);
INSERT INTO t SELECT n, JSON_OBJECT('n', n, 'd', 1.50), CONCAT('{"b":', n, ', "a": 2.0}') FROM numbers WHERE n < 200;
