CREATE TABLE t (k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, v INT);
INSERT INTO t SELECT CONCAT(ELT(1 + n % 2, 'Key', 'kEY'), n DIV 2, IF(n % 2, 'x', 'y')), n FROM numbers WHERE n < 300;
