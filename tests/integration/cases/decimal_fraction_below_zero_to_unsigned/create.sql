-- MySQL rounds before it looks at the sign; INSERT … SELECT does not.
CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v DECIMAL(6,1) NOT NULL);
INSERT INTO t SELECT n + 1, n * 0.7 - 0.4 FROM numbers WHERE n < 290;
UPDATE t SET v = -0.4 WHERE id % 7 = 0;
