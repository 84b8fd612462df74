CREATE TABLE t (id INT NOT NULL PRIMARY KEY, j JSON, v INT);
INSERT INTO t SELECT n, CONCAT('{"n": ', n, ', "list": [1,2.0, "3"]}'), n FROM numbers WHERE n < 200;
